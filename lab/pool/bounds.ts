/**
 * What the pool must reach in every scenario of the virtual clock. The suite holds a few seeds to
 * them one by one, the benchmark its medians.
 */

import type { RunResult } from './simulation/simulate.ts';

type Measured = Pick<
  RunResult,
  'success' | 'score' | 'sends' | 'refusals' | 'slowest' | 'slowestOverMedian' | 'mistakenMs'
> & { readonly counts: { readonly faults: number } };

interface Bounds {
  readonly success: number;
  readonly score: number;
  /** Sends and refusals per call. */
  readonly sends: number;
  readonly refusals: number;
  /** Sends that met a faulty key, an outage or a lost request. */
  readonly faults: number;
  /** The slowest call over the optimum's slowest: nobody starves. */
  readonly slowest: number;
  /** Where everybody asks for the same all the time: the slowest call over the median. */
  readonly slowestOverMedian: number;
  /** How long keys of several accounts may be taken for one, in milliseconds. */
  readonly mistakenMs: number;
}

/** One refusal for every two calls, wherever a limit has to be found. */
const USUAL: Bounds = {
  success: 1,
  score: 0.97,
  sends: 1.35,
  refusals: 0.5,
  faults: 0,
  slowest: 1.25,
  slowestOverMedian: Number.POSITIVE_INFINITY,
  mistakenMs: 0,
};

/** Closed loops: the makespan is within 1.15 of the optimum, and nobody waits three times as long
 * as the others. */
const LOOP: Bounds = { ...USUAL, score: 0.9, sends: 1.5, slowest: 2.7, slowestOverMedian: 2.7 };

const OF_ITS_OWN: Readonly<Record<string, Partial<Bounds>>> = {
  // The first calls of a slow key have to end somewhere before anybody knows that it is slow.
  S2: { slowest: 1.6 },
  S2b: { score: 0.97 },
  S3: { faults: 14 },
  S3b: { faults: 14 },
  // A dead key costs one call, not one for each caller.
  S4: { faults: 1 },
  S4b: { faults: 2 },
  S4c: { faults: 8, score: 0.98 },
  S4d: { faults: 18 },
  S4e: { faults: 20 },
  S4f: { faults: 8 },
  // A request may be lost twice.
  S4g: { faults: 16, success: 0.99 },
  S5: { faults: 30 },
  S5b: { faults: 36, score: 0.96 },
  S5c: { faults: 150, sends: 1.5, score: 0.96, slowest: 1.4 },
  S5d: { faults: 240, sends: 1.75, score: 0.95, slowest: 1.8, success: 0.99 },
  S6: { faults: 30, score: 0.94, slowest: 1.35 },
  S9b: { score: 0.96 },
  U1: { sends: 1.5 },
  U1b: { sends: 1.5 },
  U1c: { sends: 1.5 },
  U5: { sends: 1.5 },
  U6: { sends: 1.5, score: 0.88 },
  U6b: { sends: 1.5, score: 0.92 },
  U7: { sends: 1.5, score: 0.7, slowest: 1.45 },
  U7b: { sends: 1.5, score: 0.8, slowest: 1.3 },
  // Nobody tells us when a stranger's calls end: it can only be tried.
  U6c: { sends: 2.4, refusals: 1.35, score: 0.75, slowest: 1.5 },
};

/** Every bound that a run breaks, in words. */
export function brokenBounds(name: string, run: Measured): string[] {
  const bounds = name.includes('/') ? LOOP : { ...USUAL, ...OF_ITS_OWN[name] };
  const seen = {
    success: run.success,
    score: run.score,
    sends: run.sends,
    refusals: run.refusals,
    faults: run.counts.faults,
    slowest: run.slowest,
    slowestOverMedian: run.slowestOverMedian,
    mistakenMs: run.mistakenMs,
  };
  const atLeast = ['success', 'score'] as const;
  const atMost = [
    'sends',
    'refusals',
    'faults',
    'slowest',
    'slowestOverMedian',
    'mistakenMs',
  ] as const;
  const low = atLeast.filter((each) => seen[each] < bounds[each]);
  const high = atMost.filter((each) => seen[each] > bounds[each]);
  return [
    ...low.map((each) => `${name}: ${each} ${seen[each].toFixed(3)}, at least ${bounds[each]}`),
    ...high.map((each) => `${name}: ${each} ${seen[each].toFixed(3)}, at most ${bounds[each]}`),
  ];
}

/** Rules that make a small difference everywhere: each has the runs that show it most. */
export interface Floor {
  readonly rule: string;
  /** The beginning of the scenarios' names. */
  readonly scenarios: string;
  readonly measure: (run: RunResult) => number;
  /** The mean over all runs is at most this. */
  readonly atMost: number;
}

export const FLOORS: readonly Floor[] = [
  {
    rule: 'a key that says nothing while others answer costs more',
    scenarios: 'S4f',
    measure: (run) => run.counts.faults,
    atMost: 5,
  },
  {
    rule: 'a refused neighbour makes a key careful',
    scenarios: 'one5/500/',
    measure: (run) => run.refusals,
    atMost: 0.28,
  },
  {
    rule: 'a plain try waits for a swap',
    scenarios: 'one8/500/0/',
    measure: (run) => run.makespanMs / run.optimumMs,
    atMost: 1.01,
  },
  {
    rule: 'a refused call waits until its burst is known',
    scenarios: 'two5/500/200/',
    measure: (run) => run.refusals,
    atMost: 0.235,
  },
];
