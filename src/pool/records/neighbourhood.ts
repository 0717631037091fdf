/** A lane as other processes hear of it, and what they leave us of it. Pure transitions on records. */

import { knownRate, rateFrom } from '../rules/known-rate.ts';
import { partOf } from '../rules/rate.ts';
import type { Timing } from '../rules/timing.ts';
import { limitFrom, toldLimit } from '../rules/told-limit.ts';
import type { LaneGrant, LaneRow, PacedRow } from '../sharing.ts';
import { type Lane, type LaneShare, NO_SHARE } from './lane.ts';

/** Who calls, and from where. */
export interface Standing {
  readonly account: string;
  readonly model: string;
  readonly waitingInteractive: number;
  readonly waitingBatch: number;
  /** Units of the call that is to go next; null where requests per time are not limited. */
  readonly units: number | null;
  readonly isInteractive: boolean;
  /** Calls are under way, or wait, somewhere: the next one may go anywhere. */
  readonly isActive: boolean;
  readonly ceiling: number;
  readonly now: number;
  readonly timing: Timing;
}

/** Slots that nobody here needs go back, before the others are told so: none is used twice. */
function giveBack(lane: Lane, isActive: boolean): void {
  const { share, inFlight, limit } = lane;
  if (share === null) return;
  if (!isActive) lane.share = NO_SHARE;
  else if (share.isContended) lane.share = { ...share, slots: Math.min(share.slots, inFlight) };
  else lane.share = { ...share, slots: Math.min(share.slots, limit.limit) };
}

/** What we found out while nobody else was there is news to the others. */
function noteFound(lane: Lane): void {
  const { limit, rate, share, shared } = lane;
  if (shared === null) lane.shared = { limit, rate, generation: 0 };
  else if (share?.isAlone && (shared.limit !== limit || shared.rate !== rate)) {
    lane.shared = { limit, rate, generation: shared.generation + 1 };
  }
}

/** Who sends more between two exchanges knows its own limit well enough. */
const SENDS_TOLD = 64;
const SENDS_TOLD_MS = 30_000;

function pacedRow(lane: Lane, wants: number, now: number): PacedRow {
  const lately = lane.stays.filter((each) => each.sentAt > now - SENDS_TOLD_MS);
  return {
    rate: knownRate(lane.shared?.rate ?? lane.rate, now),
    sent: lane.sent,
    sends: lately.slice(-SENDS_TOLD).map(({ number, sentAt, units }) => {
      return { number, agoMs: now - sentAt, units };
    }),
    wants,
  };
}

/** What we have there, and want; null when that is nothing. */
export function rowOf(lane: Lane, standing: Standing): LaneRow | null {
  const { now, timing, waitingInteractive, waitingBatch, units } = standing;
  noteFound(lane);
  giveBack(lane, standing.isActive);
  const { inFlight, share, shared, ended } = lane;
  // What was sent counts against the others' turns.
  const isNews = units !== null && lane.sent > lane.sentHeard;
  if (!standing.isActive && !isNews) return null;
  const { limit, generation } = shared ?? { limit: lane.limit, generation: 0 };
  const taken = lane.stays.filter(({ isAccepted, endAt }) => isAccepted && endAt > now);
  const sentAt = taken.at(-1)?.sentAt;
  const kept = share?.isAlone ? lane.limit.limit - share.reserve : (share?.slots ?? 0);
  return {
    account: standing.account,
    model: standing.model,
    inFlight,
    accepted: taken.filter(({ endAt }) => endAt === Number.POSITIVE_INFINITY).length,
    acceptedSentAgoMs: sentAt === undefined ? null : Math.max(0, now - sentAt),
    waitingInteractive,
    waitingBatch,
    isInteractive: standing.isInteractive,
    ended,
    ceiling: standing.ceiling,
    share: Math.max(inFlight, kept),
    limit: toldLimit(limit, generation, now),
    probeMs: timing.limitProbeMs,
    probeMaxMs: timing.limitProbeMaxMs,
    paced: units === null ? null : pacedRow(lane, units, now),
  };
}

function turnIn({ paced }: LaneGrant, lane: Lane, now: number): LaneShare['turn'] {
  // It was for a call that has gone.
  if (paced === null || paced.turn === null || paced.sent !== lane.sent) return null;
  return { at: now + paced.turn.inMs, units: paced.turn.units };
}

/** @param isOutdated a refusal of ours was not known yet: no more starts on the word of this grant */
export function takeGrant(lane: Lane, grant: LaneGrant, isOutdated: boolean, now: number): void {
  const before = lane.share;
  const known = lane.shared?.generation ?? -1;
  const { limit, share, tries, isAlone, isContended, reserve, elsewhere, paced } = grant;
  const isNewer = limit.generation > known;
  if (!isAlone || isNewer || !before?.isAlone) {
    // Otherwise, alone as before, what was found meanwhile stays.
    lane.limit = limitFrom(limit, lane.limit.ceiling, now);
    if (paced !== null) lane.rate = rateFrom(paced.rate, now);
    lane.shared = { limit: lane.limit, rate: lane.rate, generation: limit.generation };
  }
  if (paced !== null) lane.sentHeard = paced.sent;
  const slots = isOutdated ? Math.min(share, lane.inFlight) : share;
  const turn = isOutdated ? null : turnIn(grant, lane, now);
  lane.share = { slots, tries, isAlone, isContended, reserve, elsewhere, turn };
  if (isOutdated) return;
  const isMore = share > (before?.slots ?? 0) || isNewer;
  if (!isAlone && isMore && share > lane.inFlight) lane.shut = null;
}

/** Nobody can be asked: limit and rate are divided by as many as there were, and each finds its own. */
export function goAlone(lane: Lane, processes: number): void {
  if (lane.share === null) return;
  const { limit, capacity } = lane.limit;
  const part = (slots: number): number => Math.max(1, Math.floor(slots / processes));
  // A pause is the same for everybody.
  if (limit > 0) {
    const proven = capacity === null ? null : part(capacity);
    lane.limit = { ...lane.limit, limit: part(limit), capacity: proven };
  }
  lane.rate = partOf(lane.rate, processes);
  lane.share = null;
}
