/**
 * How fast keys are, as processes tell it to each other. Each measures against what it took for
 * usual itself, so it is told against the fastest key: that is the same for all. Pure.
 */

import type { KnownSpeed } from '../../sharing.ts';
import { costOf, type Slowness, type SpeedModel, type Success } from '../score.ts';

type KeySpeed = Extract<KnownSpeed, { readonly kind: 'key' }>;
type CallsSpeed = Extract<KnownSpeed, { readonly kind: 'calls' }>;

/** What was heard of a class of calls counts as much as the first call of one's own. */
const HEARD_WEIGHT = 6;

/** What a key's calls cost, as far as it was seen here: a call that came to nothing took time, too. */
export interface SeenCost {
  readonly ratio: number;
  /** The infinite past: nothing was seen here. */
  readonly at: number;
}

export function seenCost(slowness: Slowness | null, success: Success): SeenCost {
  const measuredAt = slowness === null || slowness.isHeard ? null : slowness.at;
  const stainedAt = success.rate < 1 ? success.at : null;
  const never = Number.NEGATIVE_INFINITY;
  const at = Math.max(measuredAt ?? never, stainedAt ?? never);
  return { ratio: costOf(slowness?.ratio ?? 1, success.rate), at };
}

/** @param fastest the least ratio of all keys */
export function knownKey(id: string, { ratio, at }: SeenCost, fastest: number, now: number) {
  return { kind: 'key', id, agoMs: Math.max(0, now - at), ratio: ratio / fastest } as const;
}

/** What calls of a class take with the fastest key. */
export function knownCalls(id: string, model: SpeedModel, fastest: number, agoMs: number) {
  const { ms, tokensMs } = model;
  const told = { ...model, ms: ms * fastest, tokensMs: tokensMs * fastest };
  return { kind: 'calls', id, agoMs, ...told } as const;
}

/** Enough to go behind the others, not enough to be left alone while calls wait for those. */
const HEARD_MOST = 2;

/** What others measured counts as one observation, and it may have changed since. */
export function slownessFrom({ ratio }: KeySpeed, now: number): Slowness {
  return { ratio: Math.min(ratio, HEARD_MOST), at: now, seen: 1, isHeard: true };
}

export function speedFrom({ weight, tokens, ms, tokensSquared, tokensMs }: CallsSpeed): SpeedModel {
  const scale = HEARD_WEIGHT / weight;
  return {
    weight: HEARD_WEIGHT,
    tokens: tokens * scale,
    ms: ms * scale,
    tokensSquared: tokensSquared * scale,
    tokensMs: tokensMs * scale,
  };
}
