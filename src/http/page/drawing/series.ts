/** Samples of the history → columns that a chart draws. Pure. */

import type { Sample } from '../../api/history-view.ts';

export interface Flow {
  /** Seconds since the epoch, one for each pair of samples. */
  readonly at: number[];
  readonly served: number[];
  readonly failed: number[];
}

/** Growth of a counter; a key that was replaced starts at zero again. */
function growth(before: number | undefined, after: number): number {
  return before === undefined || after < before ? 0 : after - before;
}

/** Attempts per second of the named keys, split by how they ended. */
export function flowOf(samples: readonly Sample[], isMine: (name: string) => boolean): Flow {
  const flow: Flow = { at: [], served: [], failed: [] };
  for (let each = 1; each < samples.length; each++) {
    const [before, after] = [samples[each - 1], samples[each]];
    if (before === undefined || after === undefined) continue;
    const seconds = Math.max(0.001, (after.at - before.at) / 1_000);
    let [served, failed] = [0, 0];
    for (const [name, key] of Object.entries(after.keys)) {
      if (!isMine(name)) continue;
      served += growth(before.keys[name]?.successes, key.successes);
      failed += growth(before.keys[name]?.failures, key.failures);
    }
    flow.at.push(after.at / 1_000);
    flow.served.push(served / seconds);
    flow.failed.push(failed / seconds);
  }
  return flow;
}

export function waitingOf(samples: readonly Sample[]): number[] {
  return samples.slice(1).map(({ queue }) => Object.values(queue).reduce((a, b) => a + b, 0));
}

/** Mean over the last `seconds`. */
export function recent(flow: Flow, seconds: number): { served: number; failed: number } {
  const from = (flow.at.at(-1) ?? 0) - seconds;
  const first = flow.at.findIndex((at) => at > from);
  const mean = (column: number[]): number => {
    const part = column.slice(Math.max(0, first));
    return part.length === 0 ? 0 : part.reduce((a, b) => a + b, 0) / part.length;
  };
  return { served: mean(flow.served), failed: mean(flow.failed) };
}

/** Adds what is new and forgets what is older than the window. */
export function merge(old: readonly Sample[], fresh: readonly Sample[], most: number): Sample[] {
  const last = old.at(-1)?.at ?? 0;
  return [...old, ...fresh.filter(({ at }) => at > last)].slice(-most);
}

/** A curve of fewer points is a dash of a few pixels, which looks like a fault. */
const LEAST_POINTS = 3;

/**
 * What is drawn of a column; null where nothing is. A line along the bottom says nothing, and
 * neither does a single dash: a stretch of zeros and a run that is too short are left out.
 */
export function curveOf(column: readonly number[]): Array<number | null> {
  const isRest = (at: number): boolean =>
    [at - 1, at, at + 1].every((each) => (column[each] ?? 0) === 0);
  const curve = column.map((value, at) => (isRest(at) ? null : value));
  const lengthAt = (at: number): number => {
    const end = curve.indexOf(null, at);
    return (end < 0 ? curve.length : end) - (curve.lastIndexOf(null, at) + 1);
  };
  return curve.map((value, at) => (lengthAt(at) < LEAST_POINTS ? null : value));
}
