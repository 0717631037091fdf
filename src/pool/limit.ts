/**
 * How many calls an account takes at once, found from its refusals. Pure.
 *
 * A concurrency 429 is exact: at that moment as many calls as we still have in flight were
 * accepted. So there is no multiplicative cut; rejections of one burst drain until the accepted
 * calls are left, and the limit equals the capacity. The way up: doubling while no refusal was
 * ever seen, afterwards one more now and then, ever more rarely where it is refused.
 */

import { doubled, type Timing } from './timing.ts';

export interface LimitState {
  /** The working limit, ≥ 1. */
  readonly limit: number;
  /** What a refusal showed to be the capacity; null while nothing was refused. */
  readonly capacity: number | null;
  /** The user's ceiling; never the estimate. */
  readonly ceiling: number;
  /** Not above the proven capacity before this instant. */
  readonly probeAt: number;
  /** Tries above the capacity that were refused, in a row. */
  readonly refusedProbes: number;
  /** How far above the capacity to try; doubles while it works, to follow a raised limit. */
  readonly step: number;
}

/** A second call waits for the first sign; then eight at once, and doubling. */
const SECOND_LIMIT = 8;

export function freshLimit(ceiling: number): LimitState {
  return { limit: 1, capacity: null, ceiling, probeAt: 0, refusedProbes: 0, step: 1 };
}

function raised(state: LimitState, limit: number): LimitState {
  return { ...state, limit: Math.min(state.ceiling, Math.max(state.limit, limit)) };
}

/** The upstream took a call; `accepted` of ours that it took, this one included, are there. */
export function afterAccepted(state: LimitState, accepted: number): LimitState {
  const { limit, capacity } = state;
  if (capacity === null) return raised(state, Math.max(SECOND_LIMIT, 2 * accepted));
  if (accepted > capacity) {
    const proven = raised({ ...state, capacity: accepted }, accepted);
    return { ...proven, refusedProbes: 0, step: Math.min(2 * state.step, accepted), probeAt: 0 };
  }
  return limit < capacity ? raised(state, limit + 1) : state;
}

/**
 * The upstream refused a call for too many in flight.
 *
 * @param inFlight ours that are still there, the refused one not among them
 * @param freed ours that ended since the refused one was sent: they were there when it was refused
 */
export function afterRefused(
  state: LimitState,
  inFlight: number,
  freed: number,
  now: number,
  timing: Timing,
): LimitState {
  const limit = Math.max(1, Math.min(state.limit, inFlight));
  const seen = inFlight + freed;
  const wasProbe = state.capacity !== null && state.limit > state.capacity;
  const believed = state.capacity ?? Number.POSITIVE_INFINITY;
  // Some of the freed ones had left before the refused call arrived: a capacity that is refused
  // again without being a probe was counted too high.
  const capacity = Math.max(limit, Math.min(seen, wasProbe ? believed : believed - 1));
  const refusedProbes = wasProbe && capacity >= believed ? state.refusedProbes + 1 : 0;
  const pause = doubled(timing.limitProbeMs, refusedProbes, timing.limitProbeMaxMs);
  return { ...state, limit, capacity, refusedProbes, step: 1, probeAt: now + pause };
}

/** The refusal named the limit: exact, up or down. */
export function afterNamed(state: LimitState, named: number, now: number, timing: Timing) {
  const limit = Math.max(1, Math.min(named, state.ceiling));
  return { ...state, limit, capacity: limit, step: 1, probeAt: now + timing.limitProbeMs };
}

/** After a pause of the whole account: one call, and up in steps that double while they are taken.
 * Eight at once would be refused by a limit of calls per time again and again. */
export function afterPause(state: LimitState): LimitState {
  return { ...freshLimit(state.ceiling), capacity: 1 };
}

/** Waiting calls at a full account: time for a try above the capacity. */
export function grown(state: LimitState, inFlight: number, now: number): LimitState {
  if (inFlight < state.limit || now < growsAt(state)) return state;
  return raised(state, (state.capacity ?? state.limit) + state.step);
}

/** When `grown` would next raise a full account's limit; Infinity for never. */
export function growsAt(state: LimitState): number {
  const { limit, capacity } = state;
  if (limit >= state.ceiling || capacity === null || limit > capacity) {
    return Number.POSITIVE_INFINITY;
  }
  return state.probeAt;
}
