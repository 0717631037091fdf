/**
 * Progress of one call. Clients that reset their timer on progress never give up while something
 * is said at least every five seconds; what is said twice a second at most is still readable. By a
 * clock that nobody sets: one that was set back would be silence.
 */

/** Below the five seconds that are promised, with room for a late timer. */
const BEAT_MS = 4_000;
const QUIET_MS = 500;

export interface ProgressReport {
  /** Strictly increasing within a call. */
  readonly progress: number;
  readonly message: string;
}

export class Heartbeat {
  readonly #send: (report: ProgressReport) => void;
  readonly #startedAt = performance.now();
  #message = 'started';
  #count = 0;
  #saidAt = Number.NEGATIVE_INFINITY;
  #isNew = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (report: ProgressReport) => void) {
    this.#send = send;
    this.#wait(BEAT_MS);
  }

  update(message: string): void {
    if (this.#isStopped || message === this.#message) return;
    this.#message = message;
    this.#isNew = true;
    const quietLeft = this.#saidAt + QUIET_MS - performance.now();
    if (quietLeft <= 0) this.#say();
    else this.#wait(quietLeft);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#say(), ms);
    this.#timer.unref();
  }

  #say(): void {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    const message = this.#isNew ? this.#message : `${this.#message} (${seconds} s)`;
    this.#count++;
    this.#isNew = false;
    this.#saidAt = performance.now();
    this.#wait(BEAT_MS);
    this.#send({ progress: this.#count, message });
  }
}
