/**
 * Goes on from an answer's beginning at the beta address, so that nothing of it is paid for twice
 * and a long answer that breaks late still comes in time. Whatever comes of it there is no verdict
 * on the key: the plain address, asked from the start, gives that.
 */

import type { FailureKind } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { PatientTimer } from '../../base/system/patient-timer.ts';
import type { Lease } from '../../pool/lease.ts';
import { AttemptFailure } from '../run-attempt.ts';
import type { Watch } from '../watch.ts';
import { type Answer, TransportError } from '../wire/body.ts';
import type { Fetch } from '../wire/http.ts';
import type { GenerateRequest } from './chat.ts';
import { readChatAnswer } from './chat-answer.ts';
import { betaUrl, chatBody } from './chat-body.ts';
import { goesOn, TELLING_CHARS } from './continuation.ts';
import type { Beginning, Draft } from './draft.ts';
import { failureOfEnding } from './ending.ts';
import type { ModelChoice } from './models.ts';
import { postChat } from './post-chat.ts';

export interface ResumptionOptions {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** Without a content byte, in milliseconds; at the beta address it is half of it. */
  readonly idleTimeoutMs: number;
  readonly fetch: Fetch;
  readonly logger: Logger;
  readonly request: GenerateRequest;
  readonly choice: ModelChoice;
  readonly draft: Draft;
}

/** Requests at the beta address within one call; each but the last has brought something. */
const MAX_REQUESTS = 8;
const MAX_SILENCE_MS = 15_000;

/** Endings that further requests of the same kind would only repeat. */
const FINAL: ReadonlySet<FailureKind> = new Set(['moderation', 'no_answer', 'empty']);

/** Not what was asked for: an error, or an answer that begins anew. */
class NotContinued extends Error {
  override readonly name = 'NotContinued';
}

function isOfUpstream(error: unknown): boolean {
  return (
    error instanceof NotContinued ||
    error instanceof AttemptFailure ||
    error instanceof TransportError
  );
}

/** For one call: once the address has failed, it is not asked again. */
export class Resumption {
  readonly #options: ResumptionOptions;
  #left = MAX_REQUESTS;

  constructor(options: ResumptionOptions) {
    this.#options = options;
  }

  /**
   * @param onContent hears of text that goes on from what there was
   * @returns the answer that completed the draft; null when it has to be asked for from the start
   * @throws what is not the upstream's doing: an abort, a bug
   */
  async run(lease: Lease, watch: Watch, onContent: () => void): Promise<Answer | null> {
    const { draft, logger } = this.#options;
    for (;;) {
      const { beginning } = draft;
      if (beginning === null || this.#left === 0) return null;
      this.#left -= 1;
      draft.goOn();
      try {
        const answer = await this.#ask(lease, watch, beginning, onContent);
        const failed = failureOfEnding(draft, {});
        if (failed === null) return answer;
        if (FINAL.has(failed.failure.kind)) this.#left = 0;
      } catch (error) {
        if (lease.signal.aborted || !isOfUpstream(error)) throw error;
        if (error instanceof NotContinued) this.#left = 0;
        // It went on, and broke off almost at once: asked from the start, the answer would be paid
        // for a third time.
        else if (draft.addition !== '' && draft.addition.length < TELLING_CHARS) throw error;
      }
      // Broken off again, but further on: so it goes on from there.
      if (draft.addition.length < TELLING_CHARS) this.#left = 0;
      if (this.#left === 0) logger.debug('starting over', { key: lease.keyName });
    }
  }

  async #ask(
    lease: Lease,
    watch: Watch,
    beginning: Beginning,
    onContent: () => void,
  ): Promise<Answer> {
    const { baseUrl, idleTimeoutMs, fetch, request, choice, draft } = this.#options;
    // Its silence ends before the attempt's own watch would take it for the key's.
    const silence = new AbortController();
    const giveUp = (): void => silence.abort(new NotContinued());
    const timer = new PatientTimer(Math.min(MAX_SILENCE_MS, idleTimeoutMs / 2), giveUp);
    const stillAlive = (): void => {
      timer.refresh();
      watch.restart();
    };
    let isTold = false;
    try {
      const answer = await postChat({
        secret: lease.secret,
        baseUrl: betaUrl(baseUrl),
        body: chatBody(request, choice, beginning),
        signal: AbortSignal.any([lease.signal, silence.signal]),
        fetch,
      });
      if (!answer.ok) {
        answer.body.destroy();
        throw new NotContinued();
      }
      await readChatAnswer(answer, draft, {
        onText: stillAlive,
        onContent: () => {
          stillAlive();
          if (!isTold && !goesOn(beginning.content, draft.addition)) {
            draft.dropAddition();
            throw new NotContinued();
          }
          isTold ||= draft.addition.length >= TELLING_CHARS;
          if (isTold) onContent();
        },
      });
      return answer;
    } finally {
      timer.clear();
    }
  }
}
