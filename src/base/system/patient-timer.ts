/**
 * A timer that lets the event loop read before it is due.
 *
 * After a sleep of the process or the machine (SIGSTOP, a closed lid) timers fire before any socket
 * is read: an answer that has long been there would be thrown away, asked for once more, and paid
 * twice. So the loop turns a few times in between, and what it reads may refresh or clear the timer.
 */

/** From the bytes that wait in a socket to whoever acts on them. */
const READING_TURNS = 4;

export class PatientTimer {
  readonly #timer: NodeJS.Timeout;
  #turn: NodeJS.Immediate | undefined;

  constructor(ms: number, onDue: () => void) {
    this.#timer = setTimeout(() => this.#read(READING_TURNS, onDue), ms);
  }

  #read(turns: number, onDue: () => void): void {
    this.#turn = setImmediate(() => {
      if (turns > 1) this.#read(turns - 1, onDue);
      else onDue();
    });
  }

  /** Starts the time anew. */
  refresh(): void {
    clearImmediate(this.#turn);
    this.#timer.refresh();
  }

  clear(): void {
    clearImmediate(this.#turn);
    clearTimeout(this.#timer);
  }

  /** The process need not wait for it. */
  unref(): this {
    this.#timer.unref();
    return this;
  }
}
