/** A limit as processes tell it to each other: without a clock. Pure. */

import type { ToldLimit } from '../../sharing.ts';
import type { LimitState } from '../limit.ts';

export function toldLimit(state: LimitState, generation: number, now: number): ToldLimit {
  const { limit, capacity, eager, refusedAt, probeAt, refusedProbes, step } = state;
  return {
    generation,
    limit,
    capacity,
    isEager: eager,
    refusedAgoMs: refusedAt === Number.NEGATIVE_INFINITY ? null : Math.max(0, now - refusedAt),
    probeInMs: Math.max(0, probeAt - now),
    refusedProbes,
    step,
  };
}

/** @param ceiling the user's own, which nobody else's limit exceeds */
export function limitFrom(told: ToldLimit, ceiling: number, now: number): LimitState {
  const { capacity, isEager, refusedAgoMs, probeInMs, refusedProbes, step } = told;
  return {
    limit: Math.min(told.limit, ceiling),
    capacity: capacity === null ? null : Math.min(capacity, ceiling),
    ceiling,
    eager: isEager,
    refusedAt: refusedAgoMs === null ? Number.NEGATIVE_INFINITY : now - refusedAgoMs,
    probeAt: now + probeInMs,
    refusedProbes,
    step,
  };
}
