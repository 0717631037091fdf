/** A lane as other processes hear of it. Pure. */

import type { Timing } from '../rules/timing.ts';
import { knownRate } from '../rules/told/known-rate.ts';
import { toldLimit } from '../rules/told/told-limit.ts';
import type { LaneRow, PacedRow } from '../sharing.ts';
import type { Lane } from './lane.ts';

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

/** What we have there, and want, when all is prepared; null when that is nothing. */
export function rowOf(lane: Lane, standing: Standing): LaneRow | null {
  const { now, timing, waitingInteractive, waitingBatch, units } = standing;
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
