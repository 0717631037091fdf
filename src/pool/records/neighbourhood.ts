/** A lane as other processes hear of it. Pure. */

import type { Timing } from '../rules/timing.ts';
import { toldLimit } from '../rules/told-limit.ts';
import type { LaneRow } from '../sharing.ts';
import type { Lane } from './lane.ts';

/** Who calls, and from where. */
export interface Standing {
  readonly account: string;
  readonly model: string;
  readonly waitingInteractive: number;
  readonly waitingBatch: number;
  readonly isInteractive: boolean;
  /** Calls are under way, or wait, somewhere: the next one may go anywhere. */
  readonly isActive: boolean;
  readonly ceiling: number;
  readonly now: number;
  readonly timing: Timing;
}

/** What we have there, and want, when all is prepared; null when that is nothing. */
export function rowOf(lane: Lane, standing: Standing): LaneRow | null {
  const { now, timing, waitingInteractive, waitingBatch } = standing;
  const { inFlight, share, shared, ended } = lane;
  if (!standing.isActive) return null;
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
  };
}
