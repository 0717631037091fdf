/**
 * The lanes of all processes together: what each has there, what the limit is, and how it is
 * divided. The limit is moved here and nowhere else while more than one process is there.
 */

import {
  afterAccepted,
  afterRefused,
  grown,
  growsAt,
  isTrying,
  type LimitState,
} from '../../pool/rules/limit.ts';
import { knownRate } from '../../pool/rules/told/known-rate.ts';
import { limitFrom, toldLimit } from '../../pool/rules/told/told-limit.ts';
import type { LaneGrant, LaneRow, PacedGrant, Report } from '../../pool/sharing.ts';
import { allot, type Claim } from './allotment.ts';
import { mergedStake } from './joined-accounts.ts';
import { inLine, pacedStakeOf, paceFrom } from './shared-rates.ts';
import {
  accountIn,
  keyOf,
  othersOn,
  type SharedLane,
  type Stake,
  type StateDraft,
} from './shared-state.ts';

/** As in the pool: one call in five may be refused for our curiosity. */
const TRIES_MAX = 8;
const TRIES_GAIN = 0.2;
/** More are not kept: the ones that were used longest ago are forgotten. */
const MOST_LANES = 1_024;

/** Of what a process was told and what is known here, the newer one counts. */
export function takeLane(draft: StateDraft, row: LaneRow, now: number): void {
  const key = keyOf(draft, row);
  const known = draft.lanes.get(key);
  const { probeMs, probeMaxMs } = row;
  const used = { probeMs, probeMaxMs, usedAt: now };
  // Each keeps to its own ceiling; the highest one bounds them all together.
  const ceiling = Math.max(row.ceiling, known?.limit.ceiling ?? 0);
  draft.lanes.delete(key);
  if (known !== undefined && known.generation >= row.limit.generation) {
    draft.lanes.set(key, { ...known, ...used, limit: { ...known.limit, ceiling } });
    return;
  }
  const account = accountIn(draft, row.account);
  const { generation } = row.limit;
  const limit = limitFrom(row.limit, ceiling, now);
  const tries = known?.tries ?? TRIES_MAX;
  const paced = paceFrom(row, known?.paced ?? null, now);
  draft.lanes.set(key, { account, model: row.model, generation, limit, tries, paced, ...used });
  for (const oldest of draft.lanes.keys()) {
    if (draft.lanes.size <= MOST_LANES) return;
    draft.lanes.delete(oldest);
  }
}

/** What a process says of a lane, with what it holds since before. */
function stakeOf(row: LaneRow, before: Stake | undefined, now: number): Stake {
  const { account, model, inFlight, accepted, acceptedSentAgoMs, ceiling, ended } = row;
  return {
    account,
    model,
    names: [{ account, inFlight }],
    inFlight,
    accepted,
    acceptedSentAt: acceptedSentAgoMs === null ? Number.NEGATIVE_INFINITY : now - acceptedSentAgoMs,
    interactive: inFlight + row.waitingInteractive,
    batch: row.waitingBatch,
    isInteractive: row.isInteractive,
    ceiling,
    ended,
    // It may start calls within it while this exchange is under way.
    held: Math.max(inFlight, before === undefined ? row.share : Math.min(row.share, before.held)),
    tries: 0,
    isAlone: before?.isAlone ?? false,
    isContended: false,
    reserve: 0,
    turn: before?.turn ?? 0,
    paced: pacedStakeOf(row, before, now),
  };
}

/** Every lane where a process has or wants something, or holds what it has not given back. */
export function stakesOf(
  draft: StateDraft,
  rows: readonly LaneRow[],
  before: ReadonlyMap<string, Stake>,
  now: number,
): Map<string, Stake> {
  const stakes = new Map<string, Stake>();
  for (const row of rows) {
    const key = keyOf(draft, row);
    const stake = stakeOf(row, before.get(key), now);
    const known = stakes.get(key);
    stakes.set(key, known === undefined ? stake : mergedStake(known, stake));
  }
  return stakes;
}

function sumOf(stakes: readonly Stake[], pick: (stake: Stake) => number): number {
  return stakes.reduce((sum, stake) => sum + pick(stake), 0);
}

function isSame(one: LimitState, other: LimitState): boolean {
  return (
    one.limit === other.limit &&
    one.capacity === other.capacity &&
    one.eager === other.eager &&
    one.refusedAt === other.refusedAt &&
    one.probeAt === other.probeAt &&
    one.refusedProbes === other.refusedProbes &&
    one.step === other.step
  );
}

function moved(draft: StateDraft, key: string, lane: SharedLane, limit: LimitState): SharedLane {
  if (isSame(limit, lane.limit)) return lane;
  const next = { ...lane, limit, generation: lane.generation + 1 };
  draft.lanes.set(key, next);
  return next;
}

/** An account took no more: at that time all of us had so many calls there. */
export function noteLaneRefused(
  draft: StateDraft,
  member: string,
  report: Extract<Report, { readonly kind: 'refused' }>,
  now: number,
): void {
  const key = keyOf(draft, report);
  const lane = draft.lanes.get(key);
  if (lane === undefined) return;
  const { namedInFlight, namedLimit, retryAfterMs } = report;
  const seen = report.seen + sumOf(othersOn(draft, member, key), (stake) => stake.inFlight);
  const strangers = namedInFlight === null ? 0 : Math.max(0, namedInFlight - 1 - seen);
  const room = namedLimit === null ? null : Math.max(Math.min(1, seen), namedLimit - strangers);
  const times = { limitProbeMs: lane.probeMs, limitProbeMaxMs: lane.probeMaxMs };
  const limit = afterRefused(lane.limit, { seen, room, now, retryAfterMs }, times);
  const tries = report.isTry ? Math.max(0, lane.tries - 1) : lane.tries;
  moved(draft, key, { ...lane, tries }, limit);
}

/** The calls that all processes together were seen to have taken raise the limit. */
function noteTaken(draft: StateDraft, key: string, lane: SharedLane, stakes: readonly Stake[]) {
  const accepted = sumOf(stakes, (stake) => stake.accepted);
  if (accepted === 0) return lane;
  const sentAt = Math.max(...stakes.map((stake) => stake.acceptedSentAt));
  return moved(draft, key, lane, afterAccepted(lane.limit, accepted, sentAt));
}

/** A full lane for which calls wait is tried above its capacity now and then. */
function tried(draft: StateDraft, key: string, lane: SharedLane, floor: number, now: number) {
  const { limit, tries } = lane;
  const isDue = floor >= limit.limit && growsAt(limit) <= now;
  // After a pause one call goes, whatever it costs; else nothing would ever go again.
  if (!isDue || (limit.capacity !== 0 && tries < 1)) return lane;
  return moved(draft, key, lane, grown(limit, Math.max(1, Math.floor(tries))));
}

function claimOf(stake: Stake, floor: number): Claim {
  const { interactive, batch, ceiling, turn } = stake;
  return { floor, interactive, batch, ceiling, turn };
}

/** Divides one lane anew as far as the process that asks is concerned. */
export function grantLane(
  draft: StateDraft,
  member: string,
  key: string,
  now: number,
): Stake | null {
  const own = draft.members.get(member)?.stakes.get(key);
  const known = draft.lanes.get(key);
  if (own === undefined || known === undefined) return null;
  const others = othersOn(draft, member, key);
  if (now < draft.settlesUntil) return settled(own);
  if (others.length === 0 && !isAskedFor(draft, known)) return alone(draft, known, own);
  const lane = noteTaken(draft, key, known, [own, ...others]);
  const held = sumOf(others, (stake) => stake.held);
  const isWanted = [own, ...others].some((each) => each.interactive + each.batch > each.inFlight);
  const grownLane = isWanted ? tried(draft, key, lane, held + own.held, now) : lane;
  const stake = divided(draft, grownLane, own, others);
  const rate = grownLane.paced?.rate;
  return rate === undefined ? stake : { ...stake, paced: inLine(draft, rate, own, others, now) };
}

/** After a pause one call goes, and nobody says that it waits for one while there is a pause: who
 * has company asks for it. */
function isAskedFor({ members }: StateDraft, { limit }: SharedLane): boolean {
  return limit.limit === 0 && members.size > 1;
}

/** A coordinator that is new here: nobody has more than the last one gave, until all were heard. */
function settled(own: Stake): Stake {
  return { ...own, tries: 0, isAlone: false, isContended: true, reserve: 0 };
}

function alone(draft: StateDraft, { limit }: SharedLane, own: Stake): Stake {
  const hasCompany = draft.members.size > 1;
  const waits = own.interactive + own.batch > own.inFlight;
  const reserve = hasCompany && !waits && limit.limit > 1 && limit.limit > own.inFlight ? 1 : 0;
  const held = Math.max(own.inFlight, limit.limit - reserve);
  return { ...own, held, tries: 0, isAlone: true, isContended: false, reserve };
}

function divided(draft: StateDraft, lane: SharedLane, own: Stake, others: readonly Stake[]): Stake {
  const { limit, capacity } = lane.limit;
  const claims = [
    claimOf(own, own.held),
    ...others.map((stake) => claimOf(stake, Math.max(stake.held, stake.inFlight))),
  ];
  const leavesOne = [own, ...others].some((stake) => stake.isInteractive);
  const { shares, isContended } = allot(limit, claims, leavesOne);
  const held = shares[0] ?? own.held;
  if (held > own.held) draft.turn += 1;
  const turn = held > own.held ? draft.turn : own.turn;
  const all = held + sumOf(others, (stake) => stake.held);
  // A slot above what is proven is somebody's, and nobody else's. After a pause nothing is proven,
  // and one call has to go.
  const known = (capacity ?? all) + sumOf(others, (stake) => stake.tries);
  const above = isTrying(lane.limit) && capacity !== 0 ? all - known : 0;
  const tries = Math.max(0, Math.min(above, held - own.inFlight));
  return { ...own, held, tries, isAlone: false, isContended, reserve: 0, turn };
}

/** Calls that ended pay for tries. */
export function earnTries(
  draft: StateDraft,
  stakes: ReadonlyMap<string, Stake>,
  before: ReadonlyMap<string, Stake>,
): void {
  for (const [key, { ended }] of stakes) {
    const lane = draft.lanes.get(key);
    const last = before.get(key)?.ended ?? ended;
    if (lane === undefined || ended <= last) continue;
    const tries = Math.min(TRIES_MAX, lane.tries + TRIES_GAIN * (ended - last));
    draft.lanes.set(key, { ...lane, tries });
  }
}

/** What a process is told of a lane, under each of its own names for it. */
export function grantsOf(
  draft: Pick<StateDraft, 'members' | 'lanes'>,
  member: string,
  key: string,
  now: number,
): LaneGrant[] {
  const own = draft.members.get(member)?.stakes.get(key);
  const lane = draft.lanes.get(key);
  if (own === undefined || lane === undefined) return [];
  let elsewhere = 0;
  for (const [id, each] of draft.members) {
    if (id !== member) elsewhere += each.stakes.get(key)?.inFlight ?? 0;
  }
  const { model } = lane;
  const { tries, isAlone, isContended, reserve } = own;
  const limit = toldLimit(lane.limit, lane.generation, now);
  const spare = own.held - own.inFlight;
  // By several names it is one lane all the same: what it may start more, it starts by the first.
  return own.names.map(({ account, inFlight }, index) => ({
    account,
    model,
    share: inFlight + (index === 0 ? spare : 0),
    tries: index === 0 ? tries : 0,
    isAlone: isAlone && own.names.length === 1,
    isContended,
    reserve,
    elsewhere: elsewhere + own.inFlight - inFlight,
    limit,
    paced: index === 0 ? pacedGrantOf(lane, own, now) : null,
  }));
}

function pacedGrantOf({ paced }: SharedLane, own: Stake, now: number): PacedGrant | null {
  if (paced === null || own.paced === null) return null;
  const { sent, wants, place, goesAt } = own.paced;
  const turn = place === 0 ? null : { inMs: Math.max(0, goesAt - now), units: wants };
  return { rate: knownRate(paced.rate, now), sent, turn };
}
