/**
 * Requests per time of all processes together: what each has sent, what the rate is, and whose turn
 * is next. While more than one process is there, the rate is moved here and nowhere else. Who waits
 * stands in a line: one call of each process, and who has sent one goes to its end.
 */

import { afterSent, type RateState, turnBehind } from '../../pool/rules/rate.ts';
import { afterRateRefused } from '../../pool/rules/rate-refused.ts';
import { afterRateTold } from '../../pool/rules/rate-told.ts';
import { rateFrom } from '../../pool/rules/told/known-rate.ts';
import type { LaneRow, Report } from '../../pool/sharing.ts';
import {
  keyOf,
  othersOn,
  type PacedStake,
  type SharedLane,
  type SharedPace,
  type SharedSend,
  type Stake,
  type StateDraft,
} from './shared-state.ts';

/** As in the pool: older ones say nothing any more. */
const TAKEN_KEPT = 128;
const TAKEN_KEPT_MS = 30_000;
/** A call that does not go when its turn has come keeps nobody else waiting for longer. */
const UNUSED_MS = 500;

function latest(taken: readonly SharedSend[], now: number): SharedSend[] {
  const kept = taken.filter(({ sentAt }) => sentAt > now - TAKEN_KEPT_MS);
  return kept.sort((a, b) => a.sentAt - b.sentAt).slice(-TAKEN_KEPT);
}

function put(draft: StateDraft, key: string, lane: SharedLane, paced: SharedPace): void {
  const isMoved = lane.paced?.rate !== paced.rate;
  draft.lanes.set(key, { ...lane, paced, generation: lane.generation + (isMoved ? 1 : 0) });
}

/** What a process says it sent; what is known already changes nothing. */
export function takeSends(draft: StateDraft, member: string, row: LaneRow, now: number): void {
  const key = keyOf(draft, row);
  const lane = draft.lanes.get(key);
  const paced = lane?.paced ?? null;
  if (row.paced === null || lane === undefined || paced === null) return;
  const own = paced.taken.filter((each) => each.member === member);
  const known = new Set(own.map(({ number }) => number));
  const fresh: SharedSend[] = row.paced.sends
    .filter(({ number }) => !known.has(number))
    .map(({ number, agoMs, units }) => ({ member, number, units, sentAt: now - agoMs }));
  if (fresh.length === 0) return;
  const taken = latest([...paced.taken, ...fresh], now);
  // Alone, what it sends is in the rate that it tells.
  const isAlone = othersOn(draft, member, key).length === 0;
  const before = draft.members.get(member)?.stakes.get(key)?.paced ?? null;
  let { rate } = paced;
  let sentAt = paced.taken.at(-1)?.sentAt ?? Number.NEGATIVE_INFINITY;
  for (const send of isAlone ? [] : fresh) {
    // Who comes from another coordinator tells of calls that are in the rate already.
    const isNew = before === null ? send.sentAt > paced.rate.roomAt : send.number > before.sent;
    if (!isNew) continue;
    rate = afterSent(rate, send.units, send.sentAt, sentAt);
    sentAt = Math.max(sentAt, send.sentAt);
  }
  put(draft, key, lane, { rate, taken });
}

type RateReport = Extract<Report, { readonly kind: 'rate-refused' | 'rate-told' }>;

/** A refusal, or what an answer said: the rate of all moves. */
export function noteRate(draft: StateDraft, member: string, report: RateReport, now: number): void {
  const key = keyOf(draft, report);
  const lane = draft.lanes.get(key);
  const paced = lane?.paced ?? null;
  if (lane === undefined || paced === null) return;
  const isIt = (each: SharedSend): boolean =>
    each.member === member && each.number === report.number;
  const sent = paced.taken.find(isIt);
  const sentAt = sent?.sentAt ?? now - report.sentAgoMs;
  if (report.kind === 'rate-told') {
    put(draft, key, lane, {
      ...paced,
      rate: afterRateTold(paced.rate, report, sentAt, paced.taken),
    });
    return;
  }
  const { retryAfterMs, chance } = report;
  const taken = paced.taken.filter((each) => !isIt(each));
  // Of one that nobody told of, nothing was counted.
  const units = sent?.units ?? 0;
  const rate = afterRateRefused(paced.rate, { sentAt, units, now, retryAfterMs, chance }, taken);
  put(draft, key, lane, { rate, taken });
}

/** Of the rate that a process tells, and what of it is known here. */
export function paceFrom({ paced }: LaneRow, known: SharedPace | null, now: number) {
  return paced === null ? null : { rate: rateFrom(paced.rate, now), taken: known?.taken ?? [] };
}

/** What it says now; it keeps its place in the line while its call has not gone. */
export function pacedStakeOf(
  { paced }: LaneRow,
  before: Stake | undefined,
  now: number,
): PacedStake | null {
  if (paced === null) return null;
  const { sent, wants } = paced;
  const last = before?.paced ?? null;
  const isSame = last !== null && last.sent === sent && !isUnused(last, now);
  const { place, goesAt } = isSame && wants > 0 ? last : { place: 0, goesAt: 0 };
  return { sent, wants, place, goesAt };
}

function isUnused({ place, goesAt }: PacedStake, now: number): boolean {
  return place > 0 && now > goesAt + UNUSED_MS;
}

/** Its place in the line, the last one where it has none yet, and when its turn comes. */
export function inLine(
  draft: StateDraft,
  rate: RateState,
  own: Stake,
  others: readonly Stake[],
  now: number,
): PacedStake | null {
  if (own.paced === null || own.paced.wants === 0) return own.paced;
  const isNew = own.paced.place === 0;
  if (isNew) draft.turn += 1;
  const place = isNew ? draft.turn : own.paced.place;
  const ahead = others.flatMap(({ paced }) => {
    return paced === null || paced.place === 0 || isUnused(paced, now) ? [] : [paced];
  });
  const before = ahead
    .filter((each) => each.place < place)
    .reduce((sum, each) => sum + each.wants, 0);
  const isBatch = own.interactive === own.inFlight;
  const leavesOne = isBatch && [own, ...others].some((stake) => stake.isInteractive);
  const dueAt = turnBehind(rate, before, own.paced.wants, leavesOne ? 1 : 0, now);
  // Once its turn has come, it is that old.
  const sinceAt = isNew ? now : Math.min(now, own.paced.goesAt);
  return { ...own.paced, place, goesAt: dueAt > now ? dueAt : sinceAt };
}
