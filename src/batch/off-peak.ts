/** Holds tasks back while prices are high, or until a time that somebody named. */

import { type Calendar, offPeakFrom, periodAt } from '../usage/prices/calendar.ts';

/** An attempt would have been sent at peak prices: the task is to be done again, later. */
export class PeakHours extends Error {
  override readonly name = 'PeakHours';
}

export interface GateOptions {
  /** null: any hour will do. */
  readonly calendar: Calendar | null;
  /** Epoch milliseconds; 0: at once. */
  readonly notBefore: number;
  readonly now: () => number;
  /** Hears once for each wait until when it is. */
  readonly onWait: (until: number, isPeak: boolean) => void;
}

/** A clock that is set, or a machine that slept, is noticed this soon. */
const LOOK_AGAIN_MS = 30_000;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
    if (signal.aborted) over();
  });
}

export class Gate {
  readonly #options: GateOptions;
  #saidUntil = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** To be called when an attempt is about to be sent. @throws PeakHours */
  check(): void {
    const { calendar, now } = this.#options;
    // A day of which nobody is sure is not counted on.
    if (calendar !== null && periodAt(calendar, now()) !== 'off_peak') throw new PeakHours();
  }

  /** Resolves when tasks may begin. @throws the signal's reason */
  async open(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { now } = this.#options;
      const until = this.#opensAt(now());
      const left = until - now();
      if (left <= 0) return;
      this.#say(until);
      await pause(Math.min(left, LOOK_AGAIN_MS), signal);
    }
  }

  #opensAt(at: number): number {
    const { calendar, notBefore } = this.#options;
    const from = Math.max(at, notBefore);
    if (calendar === null) return from;
    return offPeakFrom(calendar, from) ?? Number.POSITIVE_INFINITY;
  }

  #say(until: number): void {
    if (until === this.#saidUntil) return;
    this.#saidUntil = until;
    this.#options.onWait(until, until > this.#options.notBefore);
  }
}
