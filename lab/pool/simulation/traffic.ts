/** What calls come when, and how accounts and keys are written down in a scenario. */

import { exponential } from './exponential.ts';
import {
  type AccountSpec,
  drawTokens,
  type KeySpec,
  type RefusalSpec,
  type UpstreamSpec,
  type Work,
} from './virtual-upstream.ts';

export interface Arrival {
  readonly at: number;
  readonly work: Work;
  readonly timeoutMs: number;
  /** The caller cancels so long after the arrival. */
  readonly cancelAfterMs?: number;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly upstream: UpstreamSpec;
  readonly arrivals: (random: () => number) => Arrival[];
  /** So many loops share the calls, each with its next as soon as its last one ended; without a
   * number every call comes at its own time. */
  readonly callers?: number;
  readonly maxConcurrent: number;
}

/** All durations in milliseconds for answers of eight seconds; `scale` shrinks them. */
export interface Shape {
  readonly accounts: readonly AccountSpec[];
  readonly keys: readonly KeySpec[];
  readonly earlyHeaders?: boolean;
  readonly streams?: boolean;
  readonly lostShare?: number;
  readonly failShare?: number;
  readonly overloadAt?: (now: number) => number;
  readonly refusal?: RefusalSpec;
  readonly isUnlabelled?: boolean;
}

export interface Wire {
  readonly earlyHeaders?: boolean;
  readonly streams?: boolean;
}

export type Make = (
  name: string,
  title: string,
  shape: Shape,
  arrivals: Scenario['arrivals'],
) => Scenario;

export const MEAN_TOKENS = 360;

export const TIMEOUT_MS = 180_000;

export function burst(count: number, tokens = MEAN_TOKENS) {
  return (random: () => number): Arrival[] =>
    Array.from({ length: count }, () => ({
      at: 0,
      work: { tokens: drawTokens(tokens, random) },
      timeoutMs: TIMEOUT_MS,
    }));
}

/** Where even the optimum takes longer than callers usually wait. */
export function patient(count: number) {
  return (random: () => number): Arrival[] =>
    burst(count)(random).map((arrival) => ({ ...arrival, timeoutMs: 600_000 }));
}

/** Poisson arrivals for a share of what `slots` slots can serve. */
export function stream(count: number, slots: number, load: number, scale: number) {
  const serviceMs = (80 + 800 + MEAN_TOKENS * 20) * scale;
  const gap = serviceMs / (slots * load);
  return (random: () => number): Arrival[] => {
    let at = 0;
    return Array.from({ length: count }, () => {
      at += exponential(gap, random);
      return { at, work: { tokens: drawTokens(MEAN_TOKENS, random) }, timeoutMs: TIMEOUT_MS };
    });
  };
}

export const caps = (...capacities: number[]): AccountSpec[] =>
  capacities.map((capacity) => ({ capacity }));

export const plain = (count: number): KeySpec[] =>
  Array.from({ length: count }, (_, account) => ({ account }));
