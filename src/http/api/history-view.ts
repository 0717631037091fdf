/** The history as the page gets it. Plain data. */

/** Column per key: counters since the key came into the pool. */
export interface KeySample {
  readonly successes: number;
  readonly failures: number;
  readonly score: number;
  readonly inFlight: number;
  readonly latencyMs: number | null;
}

export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly queue: Readonly<Record<string, number>>;
  readonly keys: Readonly<Record<string, KeySample>>;
}

export interface HistoryView {
  readonly sampleMs: number;
  readonly samples: readonly Sample[];
}
