/**
 * The last minutes of the pool, for the page's charts: a page that is opened when something is
 * wrong has to show how it came to that.
 */

import type { PoolSnapshot } from '../../pool/snapshot.ts';
import type { HistoryView, Sample } from './history-view.ts';

export const SAMPLE_MS = 2_000;
const SAMPLES = 150;

function sampleOf(snapshot: PoolSnapshot, at: number): Sample {
  const { providers } = snapshot;
  const keys = providers.flatMap((provider) => provider.keys);
  return {
    at,
    queue: Object.fromEntries(providers.map((each) => [each.provider, each.queueDepth])),
    keys: Object.fromEntries(
      keys.map(({ name, successes, failures, score, inFlight, latencyMs }) => [
        name,
        { successes, failures, score, inFlight, latencyMs },
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

  /** @param since the page's newest sample, in milliseconds since the epoch */
  view(since = 0): HistoryView {
    return { sampleMs: SAMPLE_MS, samples: this.#samples.filter(({ at }) => at > since) };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
