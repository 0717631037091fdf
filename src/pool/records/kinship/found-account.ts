/**
 * Accounts that were found to be one become one record, and come apart again when evidence speaks
 * against it. Pure transitions on plain records; who moves the keys is the roster's business.
 */

import { freshLimit, type LimitState } from '../../rules/limit.ts';
import { createLane, type Lane, type LaneShare, NO_SHARE } from '../lane.ts';
import type { AccountRecord } from '../state.ts';

function mergedLimit(one: Lane, other: Lane, ceiling: number): LimitState {
  const [known, loose] = one.limit.capacity === null ? [other, one] : [one, other];
  const { capacity } = known.limit;
  if (capacity === null) {
    const limit = Math.max(known.limit.limit, loose.limit.limit);
    return { ...known.limit, limit };
  }
  // Each has found its part of the whole.
  const sum = Math.min(ceiling, capacity + (loose.limit.capacity ?? loose.inFlight));
  const probeAt = Math.max(known.limit.probeAt, loose.limit.probeAt);
  const refusedAt = Math.max(known.limit.refusedAt, loose.limit.refusedAt);
  return { ...known.limit, limit: sum, capacity: sum, step: 1, probeAt, refusedAt };
}

/** What we may have of each, we may have of both together. */
function mergedShare(one: Lane, other: Lane): LaneShare | null {
  if (one.share === null || other.share === null) return one.share ?? other.share;
  return {
    slots: one.share.slots + other.share.slots,
    tries: 0,
    isAlone: one.share.isAlone && other.share.isAlone,
    isContended: one.share.isContended || other.share.isContended,
    reserve: Math.max(one.share.reserve, other.share.reserve),
    elsewhere: one.share.elsewhere + other.share.elsewhere,
    turn: null,
  };
}

function mergeLane(into: AccountRecord, lane: Lane, ceiling: number): void {
  const own = into.lanes.get(lane.model) ?? createLane(lane.model, freshLimit(ceiling));
  const limit = mergedLimit(own, lane, ceiling);
  const merged = createLane(lane.model, limit);
  merged.inFlight = own.inFlight + lane.inFlight;
  merged.stays = [...own.stays, ...lane.stays].sort((a, b) => a.sentAt - b.sentAt);
  merged.named = own.named ?? lane.named;
  merged.endedAt = Math.max(own.endedAt, lane.endedAt);
  merged.ended = own.ended + lane.ended;
  merged.sent = own.sent + lane.sent;
  merged.share = into.lanes.has(lane.model) ? mergedShare(own, lane) : lane.share;
  const isNewer = (own.shared?.generation ?? 0) >= (lane.shared?.generation ?? 0);
  merged.shared = isNewer ? own.shared : lane.shared;
  const isOwnLater = (own.shut?.sentAt ?? 0) >= (lane.shut?.sentAt ?? 0);
  merged.shut = isOwnLater ? (own.shut ?? lane.shut) : lane.shut;
  into.lanes.set(lane.model, merged);
}

/** Makes `from` part of `into`; its keys have to follow. */
export function mergeAccount(into: AccountRecord, from: AccountRecord, ceiling: number): void {
  for (const lane of from.lanes.values()) mergeLane(into, lane, ceiling);
  into.members = [...into.members, ...from.members];
  // One of them works: what the other was refused for was the first one's calls.
  into.coolUntil = Math.min(into.coolUntil, from.coolUntil);
  into.coolings = Math.min(into.coolings, from.coolings);
  if (from.coolSince === null) into.coolSince = null;
}

/** The lanes of one former account, with the calls of these keys alone. */
export function lanesOfKeys(
  account: AccountRecord,
  keys: ReadonlySet<string>,
  now: number,
): Map<string, Lane> {
  const lanes = new Map<string, Lane>();
  for (const lane of account.lanes.values()) {
    const stays = lane.stays.filter((each) => keys.has(each.key));
    const there = stays.filter((each) => each.endAt === Number.POSITIVE_INFINITY);
    const capacity = Math.max(1, there.length);
    const { ceiling } = lane.limit;
    const limit = { ...freshLimit(ceiling), limit: capacity, capacity, eager: false, probeAt: now };
    const own = createLane(lane.model, limit);
    own.stays = stays;
    own.endedAt = lane.endedAt;
    own.shut = lane.shut;
    own.inFlight = there.length;
    own.share = lane.share === null ? null : { ...NO_SHARE, slots: there.length };
    lanes.set(lane.model, own);
  }
  return lanes;
}
