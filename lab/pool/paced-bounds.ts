/** What the pool must reach where requests per time are limited. */

import type { PacedRun } from './paced.ts';

interface PacedBounds {
  /** Refusals per call: all, and once the rate is found. */
  readonly refusals: number;
  readonly laterRefusals: number;
  /** Of what is allowed or asked for, once the rate is found. */
  readonly share: number;
  /** What a call waits at most, where all that come at once can be served before the next come. */
  readonly slowestMs: number;
}

const USUAL: PacedBounds = {
  refusals: 0.08,
  laterRefusals: 0.06,
  share: 0.95,
  slowestMs: Number.POSITIVE_INFINITY,
};

const OF_ITS_OWN: Readonly<Record<string, Partial<PacedBounds>>> = {
  // Where one goes at a time, a request that overtakes another on the way is refused.
  P1d: { share: 0.92 },
  P1f: { share: 0.78 },
  // A refusal is heard of after six more have gone.
  P1h: { refusals: 0.12 },
  P2: { slowestMs: 6_000 },
  P2c: { refusals: 0.13, laterRefusals: 0.13, slowestMs: 8_000 },
  P2d: { refusals: 0.26, laterRefusals: 0.26, slowestMs: 40_000 },
  P5f: { share: 0.92 },
  P5g: { share: 0.88 },
  P6b: { share: 0.91 },
  // Every key finds its own part of what none has alone.
  P3b: { refusals: 0.18, laterRefusals: 0.16 },
  P3d: { refusals: 0.12, laterRefusals: 0.1 },
  // Few calls in a minute, and each teaches no more than one elsewhere.
  P5: { refusals: 0.12, laterRefusals: 0.09, share: 0.87 },
  P5d: { refusals: 0.13, laterRefusals: 0.1, share: 0.92 },
};

/** Every bound that a run breaks, in words. */
export function brokenPacedBounds(name: string, run: PacedRun): string[] {
  const bounds = { ...USUAL, ...OF_ITS_OWN[name] };
  const high = (['refusals', 'laterRefusals'] as const).filter((each) => run[each] > bounds[each]);
  return [
    ...(run.failed > 0 ? [`${name}: ${run.failed} calls failed`] : []),
    ...(run.share < bounds.share
      ? [`${name}: share ${run.share.toFixed(3)}, at least ${bounds.share}`]
      : []),
    ...(run.slowestMs > bounds.slowestMs
      ? [`${name}: the slowest took ${run.slowestMs.toFixed(0)} ms, at most ${bounds.slowestMs}`]
      : []),
    ...high.map((each) => `${name}: ${each} ${run[each].toFixed(3)}, at most ${bounds[each]}`),
  ];
}
