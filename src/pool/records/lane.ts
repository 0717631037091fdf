/**
 * One account and model: what the provider limits, and which calls of ours are there. Plain data and
 * questions about it; `lane-writer.ts` alone changes it. Every instant is monotonic milliseconds that
 * the caller passes in.
 */

import type { LimitState } from '../rules/limit.ts';
import { FRESH_RATE, type RateState, rateOf, turnAt } from '../rules/rate.ts';
import type { LaneShare } from './lane-share.ts';

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
  readonly isAccepted: boolean;
  /** When the upstream said so itself, for silence for long enough is not that sure; Infinity. */
  readonly seenAt: number;
  /** Infinity while it is there. */
  readonly endAt: number;
  /** How it left; null while it is there. */
  readonly left: Leaving | null;
}

/** A refusal that nothing has answered yet. */
export interface Shut {
  /** When the refused call was sent. */
  readonly sentAt: number;
  /** Time itself is a change by then: a pause passed, or a call that was cancelled is gone. */
  readonly until: number;
}

export interface Lane {
  readonly model: string;
  readonly limit: LimitState;
  readonly rate: RateState;
  readonly inFlight: number;
  /** Slots kept free for a moment, to see who else takes them. */
  readonly held: number;
  /** In flight or lately ended, in the order of sending; what was refused was never there. */
  readonly stays: readonly Stay[];
  /** What the last refusal with numbers named as the account's limit. */
  readonly named: number | null;
  /** Calls there that are not ours, by the last refusal with numbers; null when none had any. */
  readonly elsewhere: number | null;
  /** When a call of ours was last sent there. */
  readonly sentAt: number;
  /** When a call of ours there last ended. */
  readonly endedAt: number;
  /** The latest-sent refusal. */
  readonly shut: Shut | null;
  /** Calls that ended there. */
  readonly ended: number;
  /** Calls that were sent there; and how many of them the other processes know of. */
  readonly sent: number;
  readonly sentHeard: number;
  /** Null: no other process is known of. */
  readonly share: LaneShare | null;
  /** Limit and rate as the processes know them, and how new that is. */
  readonly shared: Shared | null;
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
