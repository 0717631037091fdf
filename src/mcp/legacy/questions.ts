/**
 * Elicitation by address, as revision 2025-11-25 has it: a request to the client, and a
 * notification when the page is done. One question at a time for each page of a session, however
 * many calls wait for it.
 */

import { randomUUID } from 'node:crypto';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { ElicitResultSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Logger } from '../../base/logger.ts';
import type { Led, Person } from '../asking/ask-for-key.ts';
import type { KeyPage } from '../asking/key-desk.ts';

export type Extra = Parameters<NonNullable<Server['fallbackRequestHandler']>>[1];

/** `gone`: the call that asked was cancelled, and with it the question. */
type Answer = Extract<Led<never>, string> | 'gone';

interface Question {
  readonly pageId: string;
  readonly elicitationId: string;
  readonly answer: Promise<Answer>;
  isOver: boolean;
}

/** Longer than any page is open: the signal ends it before. */
const LONGEST_MS = 60 * 60_000;
/** A client that let a question pass without a word is not asked again so soon. */
const QUIET_MS = 10 * 60_000;

export class Questions {
  readonly #server: Server;
  readonly #logger: Logger;
  #questions: readonly Question[] = [];
  #quietUntil = 0;

  constructor(server: Server, logger: Logger) {
    this.#server = server;
    this.#logger = logger;
  }

  /** null while the client is not worth asking. */
  personOf(extra: Extra): Person<never> | null {
    if (performance.now() < this.#quietUntil) return null;
    return {
      lead: (page, message, signal) => this.#lead(page, message, signal, extra),
      finished: (page) => this.#finish(page, extra),
    };
  }

  async #lead(
    page: KeyPage,
    message: string,
    signal: AbortSignal,
    extra: Extra,
  ): Promise<Led<never>> {
    while (!signal.aborted) {
      const asked = this.#questions.find(({ pageId }) => pageId === page.id);
      const question = asked ?? this.#ask(page, message, signal, extra);
      const answer = await question.answer;
      if (answer === 'silent' && asked === undefined) {
        this.#quietUntil = performance.now() + QUIET_MS;
      }
      if (answer !== 'gone') return answer;
    }
    return 'silent';
  }

  #ask(page: KeyPage, message: string, signal: AbortSignal, extra: Extra): Question {
    const elicitationId = randomUUID();
    const params = { mode: 'url' as const, message, url: page.url, elicitationId };
    const answer = extra
      .sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema, {
        signal,
        timeout: LONGEST_MS,
      })
      .then(
        ({ action }): Answer => (action === 'accept' ? 'opened' : 'refused'),
        (error: unknown): Answer => {
          if (extra.signal.aborted) return 'gone';
          if (signal.aborted) return 'silent';
          this.#logger.debug('the client refused a question', { error });
          return 'refused';
        },
      );
    const question: Question = { pageId: page.id, elicitationId, answer, isOver: false };
    this.#questions = [...this.#questions, question];
    // Where the person is already, no further call asks; where not, the next one may.
    void answer.then((given) => {
      if (given !== 'opened') this.#questions = this.#questions.filter((each) => each !== question);
    });
    return question;
  }

  #finish(page: KeyPage, extra: Extra): void {
    const question = this.#questions.find(({ pageId }) => pageId === page.id);
    if (question === undefined || question.isOver) return;
    question.isOver = true;
    this.#questions = this.#questions.filter((each) => each !== question);
    const { elicitationId } = question;
    const method = 'notifications/elicitation/complete';
    // Past the SDK's own method, which wants to have heard `initialize` itself: on stdio that is
    // answered before the SDK is loaded.
    this.#server.transport
      ?.send(
        { jsonrpc: '2.0', method, params: { elicitationId } },
        { relatedRequestId: extra.requestId },
      )
      .catch((error: unknown) => this.#logger.debug('a notification was not sent', { error }));
  }
}
