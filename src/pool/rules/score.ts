/**
 * How good a key is. Pure.
 *
 * Raw latency punishes a key for long answers, so a key's slowness is observed time over the time
 * that its class of calls needs for so many tokens, and only the relation to the pool's median
 * counts: a wrong prediction or a slow day of the provider moves nobody.
 */

import { clamp } from './timing.ts';

/** Exponentially forgotten regression `ms = a + b * tokens` of one class of calls. */
export interface SpeedModel {
  readonly weight: number;
  readonly tokens: number;
  readonly ms: number;
  readonly tokensSquared: number;
  readonly tokensMs: number;
}

const FORGET = 0.98;
/** Weight of the first guess: a fifth of the first call's time is there before any token. */
const PRIOR_WEIGHT = 3;
const PRIOR_FIXED_SHARE = 0.2;

function observed(model: SpeedModel, tokens: number, ms: number, weight: number): SpeedModel {
  return {
    weight: model.weight + weight,
    tokens: model.tokens + weight * tokens,
    ms: model.ms + weight * ms,
    tokensSquared: model.tokensSquared + weight * tokens * tokens,
    tokensMs: model.tokensMs + weight * tokens * ms,
  };
}

/** The model after one served call; seeded by pseudo-observations on the first. */
export function learnSpeed(model: SpeedModel | undefined, tokens: number, ms: number): SpeedModel {
  if (model === undefined) {
    const nothing = { weight: 0, tokens: 0, ms: 0, tokensSquared: 0, tokensMs: 0 };
    const fixed = tokens === 0 ? ms : ms * PRIOR_FIXED_SHARE;
    const seeded = observed(nothing, 0, fixed, PRIOR_WEIGHT);
    return observed(seeded, tokens, ms, PRIOR_WEIGHT);
  }
  const faded = {
    weight: model.weight * FORGET,
    tokens: model.tokens * FORGET,
    ms: model.ms * FORGET,
    tokensSquared: model.tokensSquared * FORGET,
    tokensMs: model.tokensMs * FORGET,
  };
  return observed(faded, tokens, ms, 1);
}

/** Expected milliseconds for an answer of `tokens`; without a number, for the average answer. */
export function predictMs(model: SpeedModel | undefined, tokens?: number): number | null {
  if (model === undefined) return null;
  const mean = model.ms / model.weight;
  if (tokens === undefined) return mean;
  const meanTokens = model.tokens / model.weight;
  const variance = model.tokensSquared / model.weight - meanTokens * meanTokens;
  if (variance < 1e-6) return mean;
  const slope = (model.tokensMs / model.weight - meanTokens * mean) / variance;
  return Math.max(mean * 0.05, mean + Math.max(0, slope) * (tokens - meanTokens));
}

/** A key's slowness with the instant it was last observed; 1 is as predicted. */
export interface Slowness {
  readonly ratio: number;
  readonly at: number;
  /** Observations behind it. */
  readonly seen: number;
  /** Others say so, and nothing was seen here yet. */
  readonly isHeard: boolean;
}

const FIRST = 0.6;
const RISE = 0.3;
const FALL = 0.15;

/** Rises fast, falls slowly; one absurd observation moves it by a bounded amount. */
export function learnSlowness(slowness: Slowness | null, ratio: number, now: number): Slowness {
  const seen = clamp(ratio, 0.1, 30);
  if (slowness === null) {
    return { ratio: 1 + FIRST * (seen - 1), at: now, seen: 1, isHeard: false };
  }
  const old = slowness.ratio;
  const next = old + (seen > old ? RISE : FALL) * (seen - old);
  return { ratio: next, at: now, seen: slowness.seen + 1, isHeard: false };
}

/** Pseudo-calls of ordinary speed that stand against what is under way. */
const EXPOSURE_PRIOR = 2;

/**
 * Slowness as the calls under way show it: their ages in usual services of their class, over the
 * calls that ended lately. A key five times slower shows it long before its first call ends.
 */
export function exposedRatio(services: number, endedLately: number): number {
  return (EXPOSURE_PRIOR + services) / (EXPOSURE_PRIOR + endedLately);
}

/**
 * What it counts for now: an idle key fades to the median and gets tried again, and a single
 * observation counts half, or the first call's cold connection would decide who is used.
 */
export function fadedRatio(slowness: Slowness | null, now: number, fadeMs: number): number | null {
  if (slowness === null) return null;
  const trust = slowness.seen / (slowness.seen + 1);
  return 1 + (slowness.ratio - 1) * trust * Math.exp(-(now - slowness.at) / fadeMs);
}

/** 1 for a key that serves all it is given. */
export interface Success {
  readonly rate: number;
  readonly at: number;
}

const STAIN = 0.2;

export function learnSuccess(success: Success, ok: boolean, now: number): Success {
  return { rate: success.rate + STAIN * ((ok ? 1 : 0) - success.rate), at: now };
}

export function fadedSuccess(success: Success, now: number, fadeMs: number): number {
  return 1 - (1 - success.rate) * Math.exp(-(now - success.at) / fadeMs);
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return 1;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 1;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** Relative cost of giving a key the next call; 1 for a key as good as the median. */
export function costOf(relativeSlowness: number, success: number): number {
  return relativeSlowness / Math.max(0.05, success);
}

/** The health shown to people, 0–100. */
export function healthScore(ratio: number | null, medianRatio: number, success: number): number {
  const relative = ratio === null ? 1 : ratio / medianRatio;
  return Math.round((100 * success) / Math.max(1, relative));
}
