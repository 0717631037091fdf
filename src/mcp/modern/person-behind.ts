/**
 * Elicitation by address, as revision 2026-07-28 has it: the call is answered with a question, and
 * made again with the answer. Nothing is kept between the two but the page itself, so that they may
 * come over different connections.
 */

import {
  type InputRequiredResult,
  type InputResponses,
  inputRequired,
  inputResponse,
} from '@modelcontextprotocol/server';
import type { Led, Person } from '../asking/ask-for-key.ts';
import type { KeyPage } from '../asking/key-desk.ts';

type Responses = InputResponses | Readonly<Record<string, unknown>> | undefined;

/** By its id: an answer about a page that is closed by now is no answer about this one. */
function nameOf({ id }: KeyPage): string {
  return `key_page_${id}`;
}

function question(page: KeyPage, message: string): InputRequiredResult {
  const elicitation = inputRequired.elicitUrl({ message, url: page.url });
  return inputRequired({ inputRequests: { [nameOf(page)]: elicitation } });
}

function isNo(responses: Responses, name: string): boolean {
  const view = inputResponse(responses, name);
  return view.kind === 'elicit' && view.action !== 'accept';
}

/** @param responses what the client sent with the call, unjudged */
export function personBehind(responses: Responses): Person<InputRequiredResult> {
  return {
    lead: (page, message): Promise<Led<InputRequiredResult>> => {
      const view = inputResponse(responses, nameOf(page));
      if (view.kind === 'elicit') {
        return Promise.resolve(view.action === 'accept' ? 'opened' : 'refused');
      }
      // Whoever declined the page before this one is not asked at once for the next.
      const declined = Object.keys(responses ?? {}).some((name) => isNo(responses, name));
      return Promise.resolve(declined ? 'refused' : { question: question(page, message) });
    },
    finished: () => {}, // this revision has no word for it: the answer to the call says it
  };
}
