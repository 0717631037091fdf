/** A rate as processes tell it to each other: without a clock. Pure. */

import type { KnownRate } from '../../sharing.ts';
import type { RateState } from '../rate.ts';

export function knownRate(state: RateState, now: number): KnownRate {
  const { roomAt, restedAt, refusal, fullAt, closed, pausedUntil, burst, ...rest } = state;
  // JSON knows no infinity.
  const ago = (at: number): number | null => (Number.isFinite(at) ? now - at : null);
  return {
    ...rest,
    burstUnits: burst.units,
    burstMs: burst.ms,
    roomAgoMs: now - roomAt,
    restedAgoMs: ago(restedAt),
    refusalSentAgoMs: ago(refusal.sentAt),
    refusedAgoMs: ago(refusal.at),
    fullAgoMs: ago(fullAt),
    closedAgoMs: ago(closed.at),
    closedMs: closed.ms,
    pausedForMs: Math.max(0, pausedUntil - now),
  };
}

export function rateFrom(known: KnownRate, now: number): RateState {
  const {
    burstUnits,
    burstMs,
    roomAgoMs,
    restedAgoMs,
    refusalSentAgoMs,
    refusedAgoMs,
    fullAgoMs,
    closedAgoMs,
    closedMs,
    pausedForMs,
    ...rest
  } = known;
  const at = (agoMs: number | null): number =>
    agoMs === null ? Number.NEGATIVE_INFINITY : now - agoMs;
  return {
    ...rest,
    roomAt: now - roomAgoMs,
    burst: { units: burstUnits, ms: burstMs },
    restedAt: at(restedAgoMs),
    refusal: { sentAt: at(refusalSentAgoMs), at: at(refusedAgoMs) },
    // A rate that was found was found by something: without it a bound would divide by for ever.
    fullAt: at(fullAgoMs ?? (known.refusedRate === null ? null : 0)),
    closed: { at: at(closedAgoMs), ms: closedMs },
    pausedUntil: pausedForMs > 0 ? now + pausedForMs : Number.NEGATIVE_INFINITY,
  };
}
