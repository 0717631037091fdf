/**
 * Batches of JSON-RPC, which a server has to take under revision 2025-03-26 and which the next one
 * took away again. Their answers go back as one list.
 */

const LAST_VERSION = '2025-03-26';

/** @param version as negotiated; null before `initialize`, which no batch may hold */
export function servesBatches(version: string | null): boolean {
  return version !== null && version <= LAST_VERSION;
}

/** The answers to one batch; sent when the last request is settled, unless there are none. */
export class MessageBatch {
  readonly #send: (replies: readonly object[]) => void;
  readonly #replies: object[] = [];
  #open = 0;
  #isRead = false;

  constructor(send: (replies: readonly object[]) => void) {
    this.#send = send;
  }

  /** Opens a place for one answer; null is none, for a request that was cancelled. */
  expect(): (reply: object | null) => void {
    this.#open++;
    return (reply) => {
      this.#open--;
      if (reply !== null) this.#replies.push(reply);
      this.#sendWhenWhole();
    };
  }

  /** Every message of the batch has been looked at. */
  end(): void {
    this.#isRead = true;
    this.#sendWhenWhole();
  }

  #sendWhenWhole(): void {
    if (this.#isRead && this.#open === 0 && this.#replies.length > 0) this.#send(this.#replies);
  }
}
