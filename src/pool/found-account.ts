/**
 * Accounts that were found to be one become one record, and come apart again when evidence speaks
 * against it. Pure transitions on plain records; who moves the keys is the roster's business.
 */

import { createLane, type Lane, leastAtOnce, mostAtOnce, type Sighting, type Stay } from './lane.ts';
import { freshLimit, type LimitState } from './limit.ts';
import type { AccountRecord } from './state.ts';

const SIGHTINGS_KEPT = 64;

function addSighting(lane: Lane, sighting: Sighting): void {
  lane.sightings.push(sighting);
  if (lane.sightings.length > SIGHTINGS_KEPT) lane.sightings.shift();
}

/** Refused with so many more taken at another time. */
const PLAINLY = 2;
const ENOUGH = 3;

/**
 * True when the calls speak against one account and for several: it was refused again and again
 * with fewer there than it took at other times, while for each former account alone no more were
 * ever taken than it was refused at.
 */
export function speakAgainst(sightings: readonly Sighting[]): boolean {
  const refused = sightings.filter((each) => each.refused);
  const taken = sightings.filter((each) => !each.refused);
  const mostTaken = Math.max(0, ...taken.map((each) => each.all));
  const odd = refused.filter((each) => mostTaken >= each.all + PLAINLY).length;
  if (odd < ENOUGH) return false;
  return [...new Set(sightings.map((each) => each.label))].every((label) => {
    const of = (list: readonly Sighting[]): number[] =>
      list.filter((each) => each.label === label).map((each) => each.own);
    return Math.max(0, ...of(taken)) <= Math.min(Number.POSITIVE_INFINITY, ...of(refused));
  });
}

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

function mergeLane(into: AccountRecord, lane: Lane, ceiling: number): void {
  const own = into.lanes.get(lane.model) ?? createLane(lane.model, freshLimit(ceiling));
  const limit = mergedLimit(own, lane, ceiling);
  const merged = createLane(lane.model, limit);
  merged.inFlight = own.inFlight + lane.inFlight;
  merged.accepted = own.accepted + lane.accepted;
  merged.stays = [...own.stays, ...lane.stays].sort((a, b) => a.sentAt - b.sentAt);
  merged.named = own.named ?? lane.named;
  into.lanes.set(lane.model, merged);
}

/** Makes `from` part of `into`; its keys have to follow. */
export function mergeAccount(into: AccountRecord, from: AccountRecord, ceiling: number): void {
  for (const lane of from.lanes.values()) mergeLane(into, lane, ceiling);
  into.members = [...into.members, ...from.members];
  // One of them works: what the other was refused for was the first one's calls.
  into.coolUntil = Math.min(into.coolUntil, from.coolUntil);
  into.coolings = Math.min(into.coolings, from.coolings);
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
    own.inFlight = there.length;
    own.accepted = there.filter((each) => each.isAccepted).length;
    lanes.set(lane.model, own);
  }
  return lanes;
}

/** Of a former account's keys, the most calls at once since `from`. */
function mostOf(stays: readonly Stay[], keys: ReadonlySet<string>, from: number): number {
  return mostAtOnce(
    stays.filter((each) => keys.has(each.key)),
    from,
  );
}

const MISNAMED = 2;

/** A call was taken. */
export function sawTaken(lane: Lane, label: string, keys: ReadonlySet<string>): void {
  const isOwn = (each: Stay): boolean =>
    each.isAccepted && each.endAt === Number.POSITIVE_INFINITY && keys.has(each.key);
  const own = lane.stays.filter(isOwn).length;
  addSighting(lane, { label, refused: false, own, all: lane.accepted });
}

/** A refusal in an account that was found. */
export interface SeenRefusal {
  readonly label: string;
  /** Names of the keys of the former account. */
  readonly keys: ReadonlySet<string>;
  readonly sentAt: number;
  /** Calls in flight that the refusal named. */
  readonly named: number | null;
}

/** True when the accounts are not one after all. */
export function sawRefused(lane: Lane, refusal: SeenRefusal): boolean {
  const { label, keys, sentAt, named } = refusal;
  const own = mostOf(lane.stays, keys, sentAt);
  addSighting(lane, { label, refused: true, own, all: mostAtOnce(lane.stays, sentAt) });
  const isMisnamed = named !== null && leastAtOnce(lane.stays, sentAt) > named;
  lane.misnamed = isMisnamed ? lane.misnamed + 1 : 0;
  return lane.misnamed >= MISNAMED || speakAgainst(lane.sightings);
}
