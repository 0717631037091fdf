/**
 * The one writer of lanes: whatever changes a limit, a rate, a share, what is shut or which calls are
 * there stands here, each with its reason, and nowhere else (a `Lane` is read-only for everybody
 * else). How far a limit or a rate moves is said by `rules/`.
 */

import {
  afterAccepted,
  afterNeighbour,
  afterPause,
  afterRefused,
  atLeast,
  dividedLimit,
  grown,
  joinedLimit,
  partedLimit,
  withoutTry,
} from '../rules/limit.ts';
import { afterSent, countedFrom, dividedRate, type RateState } from '../rules/rate.ts';
import { afterRateRefused, type RateRefusal } from '../rules/rate-refused.ts';
import { afterRateTold, type ToldRate } from '../rules/rate-told.ts';
import { LINGER_MS, type Timing } from '../rules/timing.ts';
import { rateFrom } from '../rules/told/known-rate.ts';
import { limitFrom } from '../rules/told/told-limit.ts';
import type { LaneGrant } from '../sharing.ts';
import {
  createLane,
  isTry,
  type Lane,
  type Leaving,
  mostAtOnce,
  type Stay,
  takenWith,
} from './lane.ts';
import { atMost, joinedShare, NO_SHARE, turnIn, withoutTurn } from './lane-share.ts';

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

/** Ended stays are of use while a refusal of their time may still come. */
const ENDED_KEPT = 128;
const ENDED_KEPT_MS = 30_000;

/** A call is sent. */
export function enter(lane: Writable<Lane>, key: string, now: number, units = 1): Stay {
  lane.sent += 1;
  const stay: Stay = {
    key,
    sentAt: now,
    number: lane.sent,
    units,
    isTry: isTry(lane),
    isAccepted: false,
    seenAt: Number.POSITIVE_INFINITY,
    endAt: Number.POSITIVE_INFINITY,
    left: null,
  };
  lane.stays = [...lane.stays, stay];
  lane.inFlight += 1;
  lane.rate = afterSent(lane.rate, units, now, lane.sentAt);
  lane.sentAt = now;
  if (lane.share !== null) lane.share = withoutTurn(lane.share);
  if (lane.stays.length > lane.inFlight + 2 * ENDED_KEPT) lane.stays = pruned(lane, now);
  return stay;
}

function pruned(lane: Lane, now: number): Stay[] {
  const recent = lane.stays.filter((each) => each.endAt > now - ENDED_KEPT_MS);
  let spare = recent.length - lane.inFlight - ENDED_KEPT;
  return recent.filter((each) => {
    if (each.endAt === Number.POSITIVE_INFINITY || spare <= 0) return true;
    spare -= 1;
    return false;
  });
}

/** A call is there no more. */
export function leave(lane: Writable<Lane>, stay: Writable<Stay>, now: number, how: Leaving): void {
  lane.inFlight -= 1;
  stay.left = how;
  stay.endAt = how === 'aborted' ? now + LINGER_MS : now;
  if (how === 'refused') lane.stays = lane.stays.filter((each) => each !== stay);
  if (how === 'ended') {
    lane.endedAt = now;
    lane.ended += 1;
  }
  // Others wait: who has more than a fair part gives way here, and asks before the next one.
  if (lane.share?.isContended) lane.share = atMost(lane.share, lane.inFlight);
  // Gone only then, as far as a refusal has to do with it.
  if (how === 'aborted' && lane.shut !== null) {
    lane.shut = { ...lane.shut, until: Math.min(lane.shut.until, stay.endAt) };
  }
}

/** It counts as taken. True the first time. */
export function accept(stay: Writable<Stay>): boolean {
  if (stay.isAccepted) return false;
  stay.isAccepted = true;
  return true;
}

/** The upstream says itself that it has the call. True the first time. */
export function sign(stay: Writable<Stay>, now: number): boolean {
  if (stay.seenAt !== Number.POSITIVE_INFINITY) return false;
  stay.seenAt = now;
  return true;
}

/** The upstream took a call: there is room for more. */
export function taken(lane: Writable<Lane>, stay: Stay, wayMs: number): void {
  lane.limit = afterAccepted(lane.limit, takenWith(lane, stay, wayMs), stay.sentAt);
}

/** A call was refused for too many in flight. */
export interface LaneRefusal {
  readonly sentAt: number;
  readonly now: number;
  readonly retryAfterMs: number | null;
  /** The account's numbers, where the refusal names them. */
  readonly namedInFlight: number | null;
  readonly namedLimit: number | null;
}

/** The refused call has left already. @returns the most calls that were there during its flight */
export function refused(lane: Writable<Lane>, refusal: LaneRefusal, timing: Timing): number {
  const { sentAt, now, retryAfterMs } = refusal;
  const seen = mostAtOnce(lane.stays, sentAt) + (lane.share?.elsewhere ?? 0);
  const room = roomBy(lane, refusal, seen);
  lane.limit = afterRefused(lane.limit, { seen, room, now, retryAfterMs }, timing);
  shutAfter(lane, sentAt, lane.limit.probeAt, now);
  return seen;
}

/** What the account's own numbers leave for us, who had `seen` calls there. */
function roomBy(
  lane: Writable<Lane>,
  { namedInFlight, namedLimit }: LaneRefusal,
  seen: number,
): number | null {
  if (namedLimit === null) return null;
  lane.named = namedLimit;
  // The refused call is one of those named, or it is not: two wordings that look alike.
  lane.elsewhere = namedInFlight === null ? null : Math.max(0, namedInFlight - 1 - seen);
  return Math.max(Math.min(1, seen), namedLimit - (lane.elsewhere ?? 0));
}

/** No repeated question is sooner than this, whatever speaks for it. */
const LEAST_PAUSE_MS = 40;

/**
 * Nothing is sent after a refusal before something has changed: a call of ours ended since the
 * refused one was sent, or a pause has passed, as it has when the limit is to grow.
 */
function shutAfter(lane: Writable<Lane>, sentAt: number, until: number, now: number): void {
  // Cancelled calls that may still be there.
  const gone = lane.stays.map((each) => each.endAt).filter((at) => at > now);
  const earliest = Math.min(until, ...gone);
  const next = { sentAt, until: Math.max(now + LEAST_PAUSE_MS, earliest) };
  if (lane.shut === null || sentAt >= lane.shut.sentAt) lane.shut = next;
}

/** Its account rests; afterwards one call asks. */
export function pause(lane: Writable<Lane>, until: number): void {
  lane.limit = afterPause(lane.limit, until);
}

/** A refused call that only a pause can help. */
export function shutUntil(lane: Writable<Lane>, sentAt: number, until: number): void {
  lane.shut = { sentAt, until };
}

/** A key that may be of the same account was refused. */
export function neighbourRefused(lane: Writable<Lane>): void {
  lane.limit = afterNeighbour(lane.limit, lane.inFlight);
}

/** Time for a try above the capacity, by at most so many calls. */
export function grow(lane: Writable<Lane>, most: number): void {
  lane.limit = grown(lane.limit, most);
}

/** A slot that came free is kept free, while another full lane is tried above its capacity. */
export function lend(from: Writable<Lane>, to: Writable<Lane>): void {
  from.held = 1;
  to.limit = grown(withoutTry(to.limit), 1);
}

/** What was kept is free again. */
export function endLoan(lane: Writable<Lane>): void {
  lane.held = 0;
}

/** The try was not sent. */
export function callOffTry(lane: Writable<Lane>): void {
  lane.limit = withoutTry(lane.limit);
}

/** So many were there at once, as the calls of all keys of the account show together. */
export function proven(lane: Writable<Lane>, most: number): void {
  lane.limit = atLeast(lane.limit, Math.min(most, lane.named ?? most));
}

export function rateRefused(lane: Writable<Lane>, refusal: RateRefusal): void {
  lane.rate = afterRateRefused(lane.rate, refusal, lane.stays);
}

export function rateTold(lane: Writable<Lane>, told: ToldRate, sentAt: number): void {
  lane.rate = afterRateTold(lane.rate, told, sentAt, lane.stays);
}

/** Others may be there, and we were not told yet. */
export function awaitGrant(lane: Writable<Lane>): void {
  lane.share ??= NO_SHARE;
}

/** Nothing was granted. */
export function withdraw(lane: Writable<Lane>): void {
  lane.share = NO_SHARE;
}

/**
 * Before the others are told of the lane: what we found out while nobody else was there is news to
 * them, and slots that nobody here needs go back, so that none is used twice.
 */
export function prepareToTell(lane: Writable<Lane>, isActive: boolean): void {
  const { limit, rate, share, shared, inFlight } = lane;
  if (shared === null) lane.shared = { limit, rate, generation: 0 };
  else if (share?.isAlone && (shared.limit !== limit || shared.rate !== rate)) {
    lane.shared = { limit, rate, generation: shared.generation + 1 };
  }
  if (share === null) return;
  const kept = share.isContended ? inFlight : limit.limit;
  lane.share = isActive ? atMost(share, kept) : NO_SHARE;
}

/** Who was never refused knows less than we do; and what we sent meanwhile takes from the room. */
function rateWith({ rate, stays }: Lane, told: RateState): RateState {
  if (told.refusedRate === null) return rate;
  const sent = stays.filter(({ sentAt }) => sentAt > told.roomAt);
  return sent.reduce((state, { units, sentAt }) => {
    return afterSent(state, units, sentAt, state.roomAt);
  }, told);
}

/** @param isOutdated a refusal of ours was not known yet: no more starts on the word of this grant */
export function takeGrant(
  lane: Writable<Lane>,
  grant: LaneGrant,
  isOutdated: boolean,
  now: number,
): void {
  const before = lane.share;
  const known = lane.shared?.generation ?? -1;
  const { limit, share, tries, isAlone, isContended, reserve, elsewhere, paced } = grant;
  const isNewer = limit.generation > known;
  if (!isAlone || isNewer || !before?.isAlone) {
    // Otherwise, alone as before, what was found meanwhile stays.
    lane.limit = limitFrom(limit, lane.limit.ceiling, now);
    const rate = paced === null ? lane.rate : rateFrom(paced.rate, now);
    // Of what went before, the others sent a part that we do not have.
    const told = isAlone ? countedFrom(rate, now) : rate;
    // What differs from what they know is told next.
    lane.shared = { limit: lane.limit, rate: told, generation: limit.generation };
    const isOurs = isOutdated || (isAlone && before?.isAlone === true);
    if (!isOurs) lane.rate = rateWith(lane, told);
  }
  if (paced !== null) lane.sentHeard = paced.sent;
  const slots = isOutdated ? Math.min(share, lane.inFlight) : share;
  const turn = isOutdated ? null : turnIn(grant, lane.sent, now);
  lane.share = { slots, tries, isAlone, isContended, reserve, elsewhere, turn };
  if (isOutdated) return;
  const isMore = share > (before?.slots ?? 0) || isNewer;
  if (!isAlone && isMore && share > lane.inFlight) lane.shut = null;
}

/** Nobody can be asked: limit and rate are divided by as many as there were, and each finds its own. */
export function goAlone(lane: Writable<Lane>, processes: number): void {
  if (lane.share === null) return;
  lane.limit = dividedLimit(lane.limit, processes);
  lane.rate = dividedRate(lane.rate, processes);
  lane.share = null;
}

/** Two accounts were found to be one. */
export function joinedLane(one: Lane, other: Lane): Lane {
  const isOneNewer = (one.shared?.generation ?? 0) >= (other.shared?.generation ?? 0);
  const isOneLater = (one.shut?.sentAt ?? 0) >= (other.shut?.sentAt ?? 0);
  return {
    ...createLane(one.model, joinedLimit(one, other)),
    inFlight: one.inFlight + other.inFlight,
    stays: [...one.stays, ...other.stays].sort((a, b) => a.sentAt - b.sentAt),
    named: one.named ?? other.named,
    endedAt: Math.max(one.endedAt, other.endedAt),
    ended: one.ended + other.ended,
    sent: one.sent + other.sent,
    share: joinedShare(one.share, other.share),
    shared: isOneNewer ? one.shared : other.shared,
    shut: isOneLater ? (one.shut ?? other.shut) : other.shut,
  };
}

/** What is left of a lane to some of its keys, which are an account of their own after all. */
export function partedLane(lane: Lane, keys: ReadonlySet<string>, now: number): Lane {
  const stays = lane.stays.filter((each) => keys.has(each.key));
  const inFlight = stays.filter((each) => each.endAt === Number.POSITIVE_INFINITY).length;
  return {
    ...createLane(lane.model, partedLimit(lane.limit, inFlight, now)),
    inFlight,
    stays,
    // Its next call has a number that none of them has.
    sent: lane.sent,
    endedAt: lane.endedAt,
    shut: lane.shut,
    share: lane.share === null ? null : { ...NO_SHARE, slots: inFlight },
  };
}
