/**
 * One exchange about money: what a process has spent and wants to spend goes in, what it may spend
 * comes out. Pure. The rooms of all together and what is spent stay under a cap; where not even the
 * next call's upper estimate fits any more, one call at a time goes, of who has waited longest.
 */

import {
  type SpentSum,
  sumKey,
  type TeamAnswer,
  type TeamHome,
  type TeamMember,
  type TeamRequest,
  type TeamRow,
  type TeamState,
  type TeamSum,
} from './team-state.ts';

/** Who says nothing for so long holds nothing. Who has calls in flight speaks twice a second. */
const SILENCE_MS = 10_000;
/** Who waits asks many times a second: after so long nobody stands behind it. */
const WAITS_MS = 2_000;
/** A day's sum is of use to homes in every zone, a month's to its end. */
const DAY_KEPT_MS = 3 * 24 * 3_600_000;
const MONTH_KEPT_MS = 40 * 24 * 3_600_000;
/** A home counts among those who share what is left for so long after it spoke. */
const HERE_MS = 24 * 3_600_000;
/** More are folded into one: what is gone for good has still spent. */
const MOST_HOMES = 32;
const GONE = 'gone';
/** Sums of floats are right to far more than this. */
const EXACT_USD = 1e-9;

type Homes = Map<string, TeamHome>;
type Members = Map<string, TeamMember>;

const NOBODY = { rooms: new Map<string, number>(), unmet: [], turn: null };

function plus(a: ReadonlyMap<string, SpentSum>, b: ReadonlyMap<string, SpentSum>) {
  const sums = new Map(a);
  for (const [key, sum] of b) sums.set(key, { ...sum, usd: sum.usd + (sums.get(key)?.usd ?? 0) });
  return sums;
}

/** The homes that were heard longest ago become one. */
function fold(homes: Homes): void {
  const [oldest] = [...homes]
    .filter(([id]) => id !== GONE)
    .sort(([, a], [, b]) => a.seenAt - b.seenAt);
  if (homes.size <= MOST_HOMES || oldest === undefined) return;
  const [id, home] = oldest;
  const spent = plus(homes.get(GONE)?.spent ?? new Map(), home.spent);
  homes.delete(id);
  homes.set(GONE, { seenAt: home.seenAt, isHere: false, spent });
  fold(homes);
}

/** Whichever of a home's processes has read furthest is right. */
function heardSpent(known: TeamHome | undefined, spent: readonly TeamSum[], now: number) {
  const sums = new Map<string, SpentSum>();
  for (const [key, sum] of known?.spent ?? []) {
    const keptMs = sum.label.length > 'YYYY-MM'.length ? DAY_KEPT_MS : MONTH_KEPT_MS;
    if (now - sum.toldAt <= keptMs) sums.set(key, sum);
  }
  for (const sum of spent) {
    const usd = Math.max(sum.usd, sums.get(sumKey(sum))?.usd ?? 0);
    sums.set(sumKey(sum), { ...sum, usd, toldAt: now });
  }
  return sums;
}

function spentIn(homes: Homes, key: string): number {
  return [...homes.values()].reduce((sum, { spent }) => sum + (spent.get(key)?.usd ?? 0), 0);
}

function roomsOf(members: Iterable<TeamMember>, scope: string): number {
  return [...members].reduce((sum, { rooms }) => sum + (rooms.get(scope) ?? 0), 0);
}

interface Others {
  readonly spentUsd: number;
  readonly heldUsd: number;
  /** One that has waited longer stands before. */
  readonly isBehind: boolean;
}

/** @returns the room, or null where the next call has to wait */
export function roomFor(row: TeamRow, { spentUsd, heldUsd, isBehind }: Others): number | null {
  const { capUsd, keepUsd, inFlightUsd, nextUsd, wantUsd } = row;
  const free = capUsd - spentUsd - heldUsd;
  const need = inFlightUsd + nextUsd;
  if (nextUsd === 0 || need <= keepUsd) return Math.max(keepUsd, inFlightUsd);
  if (isBehind) return null;
  if (need <= free + EXACT_USD) return Math.max(keepUsd, Math.min(wantUsd, Math.max(free, need)));
  const isOnly = heldUsd === 0 && inFlightUsd === 0;
  return isOnly && spentUsd < capUsd - EXACT_USD ? nextUsd : null;
}

function take(
  members: Members,
  homes: Homes,
  id: string,
  { seq, home, rows }: TeamRequest,
  now: number,
): TeamMember {
  const { turn } = members.get(id) ?? NOBODY;
  const others = [...members].filter(([other]) => other !== id).map(([, member]) => member);
  const rooms = new Map<string, number>();
  const unmet: string[] = [];
  for (const row of rows) {
    const { scope } = row;
    const isBehind = others.some(
      (each) =>
        each.turn !== null &&
        each.turn < (turn ?? Number.POSITIVE_INFINITY) &&
        each.unmet.includes(scope) &&
        now - each.seenAt <= WAITS_MS,
    );
    const heldUsd = roomsOf(others, scope);
    const room = roomFor(row, { spentUsd: spentIn(homes, sumKey(row)), heldUsd, isBehind });
    if (room === null) unmet.push(scope);
    const usd = room ?? Math.max(row.keepUsd, row.inFlightUsd);
    if (usd > 0) rooms.set(scope, usd);
  }
  return { home, seenAt: now, seq, rooms, unmet, turn: unmet.length === 0 ? null : turn };
}

function sumsOf(homes: Iterable<TeamHome>): TeamSum[] {
  const all = [...homes].reduce((sums, { spent }) => plus(sums, spent), new Map());
  return [...all.values()].map(({ scope, label, usd }) => ({ scope, label, usd }));
}

function answerTo(state: TeamState, id: string, home: string, seq: number, now: number) {
  const members = [...state.members];
  const own = state.members.get(id);
  const scopes = new Set(members.flatMap(([, { rooms, unmet }]) => [...rooms.keys(), ...unmet]));
  const all = [...state.members.values()];
  return {
    seq,
    scopes: [...scopes].map((scope) => ({
      scope,
      roomUsd: own?.rooms.get(scope) ?? 0,
      heldHereUsd: roomsOf(
        all.filter((each) => each.home === home),
        scope,
      ),
      heldElsewhereUsd: roomsOf(
        all.filter((each) => each.home !== home),
        scope,
      ),
      isWanted: members.some(([other, { unmet }]) => other !== id && unmet.includes(scope)),
    })),
    spentHere: sumsOf([...state.homes].flatMap(([each, known]) => (each === home ? known : []))),
    spentElsewhere: sumsOf(
      [...state.homes].flatMap(([each, known]) => (each === home ? [] : known)),
    ),
    homes: [...state.homes.values()].filter(
      ({ isHere, seenAt }) => isHere && now - seenAt <= HERE_MS,
    ).length,
  };
}

/**
 * @param member tells the process from every other one, for as long as it runs
 * @param now milliseconds of the keeper's own clock
 */
export function settle(
  state: TeamState,
  member: string,
  request: TeamRequest,
  now: number,
): { readonly state: TeamState; readonly answer: TeamAnswer } {
  const { home, seq } = request;
  const members: Members = new Map(
    [...state.members].filter(([id, { seenAt }]) => id === member || now - seenAt <= SILENCE_MS),
  );
  const homes: Homes = new Map(state.homes);
  let { turn } = state;
  // Older than what was heard changes nothing.
  if (seq > (members.get(member)?.seq ?? Number.NEGATIVE_INFINITY)) {
    const spent = heardSpent(homes.get(home), request.spent, now);
    homes.set(home, { seenAt: now, isHere: true, spent });
    fold(homes);
    const taken = take(members, homes, member, request, now);
    const isNew = taken.unmet.length > 0 && taken.turn === null;
    if (isNew) turn += 1;
    members.set(member, isNew ? { ...taken, turn } : taken);
  }
  const next = { turn, members, homes };
  return { state: next, answer: answerTo(next, member, home, seq, now) };
}

/** The process is gone: it holds nothing, and its home takes part no more unless another one does. */
export function forgetMember(state: TeamState, member: string): TeamState {
  const gone = state.members.get(member);
  if (gone === undefined) return state;
  const members = new Map(state.members);
  members.delete(member);
  const homes = new Map(state.homes);
  const home = homes.get(gone.home);
  const isLast = [...members.values()].every((each) => each.home !== gone.home);
  if (home !== undefined && isLast) homes.set(gone.home, { ...home, isHere: false });
  return { turn: state.turn, members, homes };
}
