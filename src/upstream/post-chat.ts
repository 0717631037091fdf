/**
 * Sends a chat completion with the openai package, with everything switched off in it that would
 * retry, time out, print or read the environment. Its answer comes back unread: the package's own
 * stream ends in silence when it was cut, and prints what it cannot parse.
 */

import { TransportError } from './body.ts';
import type { ChatBody } from './chat-body.ts';
import type { Fetch } from './http.ts';

/** Node's longest timer; the deadline is the lease's. */
const NO_TIMEOUT_MS = 2_147_483_647;

interface Posting {
  readonly secret: string;
  readonly baseUrl: string;
  readonly body: ChatBody;
  readonly signal: AbortSignal;
  readonly fetch: Fetch;
}

let loaded: Promise<typeof import('openai')> | null = null;

/**
 * Imports the package: at the first call, for start-up must not pay for it, and before a key is
 * borrowed, since the time it takes is no key's slowness.
 */
export function loadClient(): Promise<typeof import('openai')> {
  loaded ??= import('openai');
  return loaded;
}

/** Loads what the first call would otherwise wait for, a tenth of a second and more. */
export async function prepareChat(): Promise<void> {
  await Promise.all([loadClient(), import('undici')]);
}

/** Ends the package's work on an answer that it must not read. */
class Unwanted extends Error {}

/**
 * @returns the answer, whatever its status
 * @throws TransportError when none came
 */
export async function postChat(posting: Posting): Promise<Response> {
  const { OpenAI } = await loadClient();
  const { secret, baseUrl, body, signal, fetch } = posting;
  const seen: { answer: Response | null; broken: TransportError | null } = {
    answer: null,
    broken: null,
  };
  const client = new OpenAI({
    apiKey: secret,
    baseURL: baseUrl,
    // Each of these would otherwise come from the environment, the last one on stdout.
    organization: null,
    project: null,
    logLevel: 'off',
    maxRetries: 0,
    timeout: NO_TIMEOUT_MS,
    fetch: async (url, init) => {
      try {
        // Of the package's headers none but these: OPENAI_CUSTOM_HEADERS would be among them.
        const answer = await fetch(String(url), {
          method: 'POST',
          headers: {
            authorization: `Bearer ${secret}`,
            'content-type': 'application/json',
            accept: 'text/event-stream',
            'accept-encoding': 'identity',
          },
          body: String(init?.body),
          signal,
        });
        seen.answer = answer;
        if (!answer.ok) throw new Unwanted();
        return answer;
      } catch (cause) {
        if (!(cause instanceof Unwanted)) seen.broken = new TransportError(cause);
        throw cause;
      }
    },
  });
  try {
    return await client.chat.completions.create(body).asResponse();
  } catch (error) {
    // The package wraps errors by their wording; what fetch said is kept here instead.
    if (seen.broken !== null) throw seen.broken;
    if (seen.answer !== null) return seen.answer;
    throw error;
  }
}
