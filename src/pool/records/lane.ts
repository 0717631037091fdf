/**
 * One account and model: what the provider limits, and which calls of ours are there. Plain data;
 * every instant is monotonic milliseconds that the caller passes in.
 */

import { freshLimit, type LimitState } from '../rules/limit.ts';
import { afterSent, FRESH_RATE, type RateState, rateOf, turnAt } from '../rules/rate.ts';
import { LINGER_MS } from '../rules/timing.ts';

/** An aborted call may stay at the upstream for a while; a refused one never was there. */
export type Leaving = 'refused' | 'aborted' | 'ended';

/** One attempt's stay at the upstream, as far as we know. */
export interface Stay {
  /** Name of the key. */
  readonly key: string;
  readonly sentAt: number;
  /** Among all calls that were sent there. */
  readonly number: number;
  /** What it counts for where requests per time are limited. */
  readonly units: number;
  /** Above the proven capacity when it was sent. */
  readonly isTry: boolean;
  isAccepted: boolean;
  /** When the upstream said so itself, for silence for long enough is not that sure; Infinity. */
  seenAt: number;
  /** Infinity while it is there. */
  endAt: number;
  /** How it left; null while it is there. */
  left: Leaving | null;
}

/** A refusal that nothing has answered yet. */
export interface Shut {
  /** When the refused call was sent. */
  readonly sentAt: number;
  /** Time itself is a change by then: a pause passed, or a call that was cancelled is gone. */
  readonly until: number;
}

/** What the other processes leave us of a lane. */
export interface LaneShare {
  /** Calls in flight that we may have. */
  readonly slots: number;
  /** Of these, the ones above what is proven. */
  readonly tries: number;
  /** Nobody else is there: the limit is ours to find, the slots say nothing. */
  readonly isAlone: boolean;
  /** Others wait for slots. */
  readonly isContended: boolean;
  /** Slots that stay free for a newcomer while we are alone. */
  readonly reserve: number;
  /** Calls of the others. */
  readonly elsewhere: number;
  /** When our next call may go, and of so many units, where requests per time are limited; null:
   * not before we have asked. */
  readonly turn: { readonly at: number; readonly units: number } | null;
}

/** Until we were told: nothing, where others may be. */
export const NO_SHARE: LaneShare = {
  slots: 0,
  tries: 0,
  isAlone: false,
  isContended: false,
  reserve: 0,
  elsewhere: 0,
  turn: null,
};

export interface Lane {
  readonly model: string;
  limit: LimitState;
  rate: RateState;
  inFlight: number;
  /** Slots kept free for a moment, to see who else takes them. */
  held: number;
  /** In flight or lately ended, in the order of sending; what was refused was never there. */
  stays: Stay[];
  /** What the last refusal with numbers named as the account's limit. */
  named: number | null;
  /** Calls there that are not ours, by the last refusal with numbers; null when none had any. */
  elsewhere: number | null;
  /** When a call of ours was last sent there. */
  sentAt: number;
  /** When a call of ours there last ended. */
  endedAt: number;
  /** The latest-sent refusal. */
  shut: Shut | null;
  /** Calls that ended there. */
  ended: number;
  /** Calls that were sent there; and of how many the other processes know, as far as we know. */
  sent: number;
  sentHeard: number;
  /** Null: no other process is known of. */
  share: LaneShare | null;
  /** Limit and rate as the processes know them, and how new that is. */
  shared: Shared | null;
}

interface Shared {
  readonly limit: LimitState;
  readonly rate: RateState;
  readonly generation: number;
}

export function createLane(model: string, limit: LimitState): Lane {
  return {
    model,
    limit,
    rate: FRESH_RATE,
    inFlight: 0,
    held: 0,
    stays: [],
    named: null,
    elsewhere: null,
    sentAt: Number.NEGATIVE_INFINITY,
    endedAt: Number.NEGATIVE_INFINITY,
    shut: null,
    ended: 0,
    sent: 0,
    sentHeard: 0,
    share: null,
    shared: null,
  };
}

/** The limit is found by all processes together, not by us. */
export function isDivided({ share }: Lane): boolean {
  return share !== null && !share.isAlone;
}

/** The lane of a model, made on first use. */
export function laneIn(lanes: Map<string, Lane>, model: string, ceiling: number): Lane {
  const known = lanes.get(model);
  if (known !== undefined) return known;
  const lane = createLane(model, freshLimit(ceiling));
  lanes.set(model, lane);
  return lane;
}

/** Calls that may be in flight just now. */
export function roomIn({ limit, share, held }: Lane): number {
  if (share === null) return limit.limit - held;
  const room = share.isAlone ? limit.limit - share.reserve : Math.min(limit.limit, share.slots);
  return room - held;
}

/** When a call of so many units may go, as far as requests per time have to do with it. */
export function goesAt(lane: Lane, units: number, spare: number): number {
  const { share, rate } = lane;
  if (share === null || share.isAlone || rateOf(rate) === null) return turnAt(rate, units, spare);
  const { turn } = share;
  return turn === null || turn.units < units ? Number.POSITIVE_INFINITY : turn.at;
}

/** No repeated question is sooner than this, whatever speaks for it. */
const LEAST_PAUSE_MS = 40;

/**
 * Nothing is sent after a refusal before something has changed: a call of ours ended since the
 * refused one was sent, or a pause has passed, as it has when the limit is to grow.
 *
 * @param until when a pause passes or the limit may grow
 */
export function shutAfter(lane: Lane, sentAt: number, until: number, now: number): void {
  // Cancelled calls that may still be there.
  const gone = lane.stays.map((each) => each.endAt).filter((at) => at > now);
  const earliest = Math.min(until, ...gone);
  const next = { sentAt, until: Math.max(now + LEAST_PAUSE_MS, earliest) };
  if (lane.shut === null || sentAt >= lane.shut.sentAt) lane.shut = next;
}

/** True while a call would only repeat a question that was just answered. */
export function isShut({ shut, endedAt }: Lane, now: number): boolean {
  return shut !== null && endedAt <= shut.sentAt && now < shut.until;
}

export function isFull(lane: Lane): boolean {
  return lane.inFlight >= roomIn(lane);
}

/** One more would be above the proven capacity of an account that takes calls. */
export function isTry(lane: Lane): boolean {
  const { share } = lane;
  if (share !== null && !share.isAlone) return lane.inFlight >= share.slots - share.tries;
  const { capacity } = lane.limit;
  return capacity !== null && capacity > 0 && lane.inFlight >= capacity;
}

/** Ended stays are of use while a refusal of their time may still come. */
const ENDED_KEPT = 128;
const ENDED_KEPT_MS = 30_000;

export function enter(lane: Lane, key: string, now: number, units = 1): Stay {
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
  lane.stays.push(stay);
  lane.inFlight += 1;
  lane.rate = afterSent(lane.rate, units, now, lane.sentAt);
  lane.sentAt = now;
  if (lane.share !== null && lane.share.turn !== null) lane.share = { ...lane.share, turn: null };
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

/** True the first time. */
export function accept(stay: Stay): boolean {
  if (stay.isAccepted) return false;
  stay.isAccepted = true;
  return true;
}

/**
 * Calls that the upstream took and that were there when it took this one, itself among them; where
 * it says so only near their ends, some have left by the time that we know.
 *
 * @param wayMs how long a call may be on its way
 */
export function takenWith({ stays }: Lane, { sentAt }: Stay, wayMs: number): number {
  const isThen = (each: Stay): boolean => each.sentAt <= sentAt && each.endAt > sentAt + wayMs;
  return stays.filter((each) => each.isAccepted && isThen(each)).length;
}

export function leave(lane: Lane, stay: Stay, now: number, how: Leaving): void {
  lane.inFlight -= 1;
  stay.left = how;
  stay.endAt = how === 'aborted' ? now + LINGER_MS : now;
  if (how === 'refused') lane.stays = lane.stays.filter((each) => each !== stay);
  if (how === 'ended') {
    lane.endedAt = now;
    lane.ended += 1;
  }
  // Others wait: who has more than a fair part gives way here, and asks before the next one.
  if (lane.share?.isContended) {
    lane.share = { ...lane.share, slots: Math.min(lane.share.slots, lane.inFlight) };
  }
  // Gone only then, as far as a refusal has to do with it.
  if (how === 'aborted' && lane.shut !== null) {
    lane.shut = { ...lane.shut, until: Math.min(lane.shut.until, stay.endAt) };
  }
}

/** The most calls that were there at one instant since `from`. */
export function mostAtOnce(stays: readonly Stay[], from: number): number {
  const there = stays.filter((each) => each.endAt > from);
  const ends = there.map((each) => each.endAt).sort((a, b) => a - b);
  const starts = there.map((each) => each.sentAt).sort((a, b) => a - b);
  let count = 0;
  let most = 0;
  let ended = 0;
  for (const start of starts) {
    for (; (ends[ended] ?? Number.POSITIVE_INFINITY) <= start; ended++) count -= 1;
    count += 1;
    most = Math.max(most, count);
  }
  return most;
}
