/**
 * The last minutes of the pool, for the page's charts: a page that is opened when something is
 * wrong has to show how it came to that.
 */

import type { PoolSnapshot } from '../../pool/snapshot.ts';

export const SAMPLE_MS = 2_000;
const SAMPLES = 150;

/** Column per key: counters since the key came into the pool. */
export interface KeySample {
  readonly attempts: number;
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

function sampleOf(snapshot: PoolSnapshot, at: number): Sample {
  const { providers } = snapshot;
  const keys = providers.flatMap((provider) => provider.keys);
  return {
    at,
    queue: Object.fromEntries(providers.map((each) => [each.provider, each.queueDepth])),
    keys: Object.fromEntries(
      keys.map(({ name, attempts, failures, score, inFlight, latencyMs }) => [
        name,
        { attempts, failures, score, inFlight, latencyMs },
      ]),
    ),
  };
}

export class History {
  readonly #samples: Sample[] = [];
  readonly #take: () => Promise<PoolSnapshot | null>;
  readonly #timer: NodeJS.Timeout;

  constructor(take: () => Promise<PoolSnapshot | null>) {
    this.#take = take;
    this.#timer = setInterval(() => void this.sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  /** Never throws: a store that cannot be opened has no history, and says so elsewhere. */
  async sample(): Promise<void> {
    const snapshot = await this.#take().catch(() => null);
    if (snapshot === null) return;
    this.#samples.push(sampleOf(snapshot, Date.now()));
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  view(): { readonly sampleMs: number; readonly samples: readonly Sample[] } {
    return { sampleMs: SAMPLE_MS, samples: this.#samples };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
