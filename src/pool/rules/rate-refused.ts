/** What a refusal teaches about requests per time. Pure; the curve itself is in rate.ts. */

import { depthOf, KEPT, type RateState, rateOf, type Taken } from './rate.ts';
import { fullFrom, guessed, unitsIn } from './rate-guess.ts';
import { doubled, jittered, RETRY_AFTER_MAX_MS } from './timing.ts';

/** With more calls than these in between the bucket may have run dry, and proves no upper bound. */
const DENSE = 20;
/** A rate falls by no more than this share for the time in which nothing was taken. */
const MOST_CLOSED = 0.7;
/** The fewer are taken between two refusals, the further the rate is from what is allowed. */
const HASTE = 0.3;
/** The same where every refusal costs a pause. */
const DEAR_HASTE = 0.5;
/** So many refusals may correct a guess by half. */
const FIRST_CUTS = 4;
const PAUSE_MAX_MS = 10_000;
const LEAST_PAUSE_MS = 40;

export interface RateRefusal {
  readonly sentAt: number;
  readonly units: number;
  readonly now: number;
  /** A pause that the upstream asks for. */
  readonly retryAfterMs: number | null;
  /** In [0, 1): jitter. */
  readonly chance: number;
}

/**
 * The upstream refused a call for too many per time.
 *
 * @param taken what was sent and not refused, this call not among it
 */
export function afterRateRefused(
  state: RateState,
  refusal: RateRefusal,
  taken: readonly Taken[],
): RateState {
  const { sentAt, now } = refusal;
  const asked = refusal.retryAfterMs;
  const retryAfterMs = asked === null ? null : Math.min(RETRY_AFTER_MAX_MS, asked);
  const least = now + Math.max(LEAST_PAUSE_MS, retryAfterMs ?? 0);
  if (sentAt < state.refusal.at) return refusedWith(state, refusal, least, taken);
  // What answers told is no refusal: the first one is the better guess.
  const slower =
    state.refusal.at === Number.NEGATIVE_INFINITY
      ? guessed(state, sentAt, taken)
      : cut(state, sentAt, taken);
  const isAgain = unitsIn(taken, state.refusal.sentAt, sentAt) === 0;
  const next = {
    ...slower,
    wantedMs: 0,
    isSettled: isNear(state.refusedRate, slower.refusedRate),
    refusal: { sentAt, at: now },
    askedMs: Math.max(slower.askedMs, retryAfterMs ?? 0),
    inRow: isAgain ? state.inRow + 1 : 0,
  };
  const pausedUntil = Math.max(least, now + ownPauseMs(next, refusal.chance));
  // What was sent meanwhile takes from the room that has come back since. After pauses of our own
  // one call goes and asks; after those of the upstream there is the room that it gives.
  const since = unitsIn(taken, sentAt, Number.POSITIVE_INFINITY);
  const isAsking = next.inRow > 0 && retryAfterMs === null;
  const room = isAsking ? { room: 1, roomAt: pausedUntil } : { room: -since, roomAt: sentAt };
  return { ...next, ...room, pausedUntil };
}

/** Sent before the last refusal was learnt of: the same one, as far as the rate is concerned. */
function refusedWith(
  state: RateState,
  { sentAt, units }: RateRefusal,
  least: number,
  taken: readonly Taken[],
): RateState {
  // A guess was made with this one among what was taken.
  const { refusal, cuts, room } = state;
  const guess = cuts > 0 ? state : guessed(state, refusal.sentAt, taken);
  // If it was sent since, room is owed for it that it never took.
  const owed = sentAt < refusal.sentAt ? 0 : Math.min(units, Math.max(0, -room));
  return { ...guess, room: room + owed, pausedUntil: Math.max(state.pausedUntil, least) };
}

/** Rates within this share of each other are the same. */
const NEAR = 0.08;

function isNear(one: number | null, other: number | null): boolean {
  return one !== null && other !== null && Math.abs(one - other) <= NEAR * Math.max(one, other);
}

/** While nothing is taken: longer and longer. */
function ownPauseMs(state: RateState, chance: number): number {
  const turnMs = 1 / (rateOf(state) ?? 1);
  if (state.inRow === 0) return 0;
  return jittered(doubled(turnMs, state.inRow, PAUSE_MAX_MS), 0.1, chance);
}

/** It is full: less may go at once than we thought, or it empties more slowly. */
function cut(state: RateState, sentAt: number, taken: readonly Taken[]): RateState {
  const rate = rateOf(state) ?? 0;
  if (unitsIn(taken, state.refusal.sentAt, sentAt) === 0) return shut(state, sentAt, rate);
  const hasRested = state.restedAt > state.refusal.sentAt;
  const burst = { units: unitsIn(taken, state.restedAt, sentAt), ms: sentAt - state.restedAt };
  const depth = burst.units - rate * burst.ms;
  if (hasRested && depth >= 1 && depth < depthOf(state)) {
    return { ...state, ...fullFrom(sentAt, rate), burst };
  }
  const fullAt = hasRested ? sentAt : fullSince(state, sentAt, taken);
  const units = unitsIn(taken, fullAt, sentAt);
  if (units <= DENSE && fullAt < sentAt) {
    return { ...state, ...bounded(state, sentAt, fullAt, taken) };
  }
  // A window that closes: what it takes while it is open has to last for all of it.
  const { at, ms } = state.closed;
  const refusedRate = rate * (1 - Math.min(MOST_CLOSED, ms / (sentAt - at)));
  const found = fullFrom(sentAt, KEPT * refusedRate);
  return { ...state, ...found, refusedRate, cuts: state.cuts + 1, closed: { at: sentAt, ms: 0 } };
}

/** The same full bucket, or closed window: how long it is so is no rate. */
function shut(state: RateState, sentAt: number, refusedRate: number): RateState {
  const at = state.inRow > 0 ? state.closed.at : state.refusal.sentAt;
  const closed = { at, ms: sentAt - at };
  return { ...state, ...fullFrom(sentAt, refusedRate), refusedRate, closed };
}

/**
 * Full then and full now: what was taken between is what had room, give or take one, if we asked for
 * more than that all the while. In a pause that was asked for the bucket may run dry, and there is no
 * such bound.
 */
function bounded(state: RateState, sentAt: number, fullAt: number, taken: readonly Taken[]) {
  const units = unitsIn(taken, fullAt, sentAt);
  const ms = sentAt - fullAt;
  const refusals = state.refusals + 1;
  const least = (units + 1) / ms;
  // A refused call may cost the time of one where no more than one goes at once.
  const isSingle = depthOf({ ...state, refusedRate: least }) < 2;
  const most = isSingle ? (units + refusals) / ms : least;
  const isBound = most < state.leastRate && state.askedMs === 0;
  const refusedRate = isBound ? Math.max((units - 1) / ms, most) : lowered(state, sentAt, taken);
  const leastRate = Math.min(state.leastRate, KEPT * refusedRate);
  return { refusedRate, leastRate, fullAt, refusals, cuts: state.cuts + 1 };
}

/** The fewer were taken since the last refusal, the further down. */
function lowered(state: RateState, sentAt: number, taken: readonly Taken[]): number {
  const rate = rateOf(state) ?? 0;
  const { askedMs, cuts, refusal } = state;
  const units = unitsIn(taken, refusal.sentAt, sentAt);
  // A guess may be far off: the truth lies between what was taken and what was refused.
  if (askedMs > 0 && cuts < FIRST_CUTS) {
    return Math.sqrt(rate * Math.max(rate / 2, units / (sentAt - refusal.sentAt)));
  }
  if (cuts === 0) return rate;
  return rate * (1 - (askedMs > 0 ? DEAR_HASTE : HASTE) / (units + 2));
}

/** The limit may have fallen since: then only the last refusal counts. */
function fullSince(state: RateState, sentAt: number, taken: readonly Taken[]): number {
  const { fullAt, refusal } = state;
  if (refusal.sentAt < fullAt) return fullAt;
  const least = (unitsIn(taken, fullAt, sentAt) - 1) / (sentAt - fullAt);
  const most = (unitsIn(taken, refusal.sentAt, sentAt) + 1) / (sentAt - refusal.sentAt);
  return most < least ? refusal.sentAt : fullAt;
}
