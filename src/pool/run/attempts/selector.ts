/** Which key may and should take a waiting call: the rules of choose.ts on the live slots. */

import { endedLately } from '../../records/course/attempt-notes.ts';
import { createLane, goesAt, isShut, isTry, type Lane, roomIn } from '../../records/lane.ts';
import type { ProviderRecord } from '../../records/state.ts';
import type { Candidate, Faster } from '../../rules/choose.ts';
import { choose, waitingPays } from '../../rules/choose.ts';
import { freshLimit } from '../../rules/limit.ts';
import {
  costOf,
  exposedRatio,
  fadedRatio,
  fadedSuccess,
  median,
  predictMs,
} from '../../rules/score.ts';
import { clamp, type Timing } from '../../rules/timing.ts';
import type { KeySlot } from '../keys/key-slot.ts';
import type { PendingCall } from './pending-call.ts';

export interface Pick extends Candidate {
  readonly slot: KeySlot;
  readonly lane: Lane;
}

/** One moment of the pool: what all choices of one round share. */
export interface Moment {
  readonly slots: readonly KeySlot[];
  readonly provider: ProviderRecord;
  readonly ceiling: number;
  readonly now: number;
  readonly timing: Timing;
  readonly medianRatio: number;
  /** The best relative slowness that was measured; at most 1. */
  readonly bestMeasured: number;
  readonly medianFirstByteMs: number;
}

/** Interactive calls were seen so recently: batch work leaves them a slot. */
export const INTERACTIVE_MEMORY_MS = 60_000;

export function momentOf(
  slots: readonly KeySlot[],
  provider: ProviderRecord,
  ceiling: number,
  now: number,
  timing: Timing,
): Moment {
  const ratios: number[] = [];
  const firstBytes: number[] = [];
  for (const slot of slots) {
    if (!isInRotation(slot, null, now)) continue;
    const ratio = fadedRatio(slot.record.slowness, now, timing.fadeMs);
    if (ratio !== null) ratios.push(ratio);
    if (slot.record.firstByteMs !== null) firstBytes.push(slot.record.firstByteMs);
  }
  const medianRatio = median(ratios);
  const bestMeasured = Math.min(1, ...ratios.map((ratio) => ratio / medianRatio));
  const medianFirstByteMs = median(firstBytes);
  return { slots, provider, ceiling, now, timing, medianRatio, bestMeasured, medianFirstByteMs };
}

/** Disabled, and not on trial. */
export function isOut(slot: KeySlot): boolean {
  const isDisabled = slot.record.disabled !== null || slot.account.disabled !== null;
  return isDisabled && slot.breaker.state !== 'half-open';
}

/** Not disabled, draining, cooling or behind an open breaker; it may be busy. */
export function isInRotation(slot: KeySlot, model: string | null, now: number): boolean {
  const { record, account } = slot;
  if (record.draining || isOut(slot)) return false;
  if (account.coolUntil > now || !slot.breaker.admits) return false;
  if (model === null) return true;
  if ((account.lanes.get(model)?.rate.pausedUntil ?? now) > now) return false;
  return (record.forbiddenUntil.get(model) ?? 0) <= now;
}

/**
 * How long a key has owed its oldest unanswered call a first byte and given none to any other; 0
 * while nothing is owed, or when calls sent later have theirs: then it is that call's own trouble.
 */
function silenceMs(slot: KeySlot, now: number): number {
  const [oldest] = slot.record.unanswered;
  if (oldest === undefined || slot.record.answeredSentAt >= oldest.sentAt) return 0;
  return now - Math.max(oldest.sentAt, slot.record.lastFirstByteAt);
}

/** A key that says nothing while others answer costs more the longer it is silent. */
function silenceFactor(slot: KeySlot, moment: Moment): number {
  return clamp((2 * silenceMs(slot, moment.now)) / moment.timing.silentMs, 1, 30);
}

/** First bytes do not depend on the answer's length: they tell a slow key from long answers. */
const LATE_FIRST_BYTE = 2;

/**
 * Slowness relative to the median as the calls under way show it; 0 when they tell nothing. Long
 * answers look the same, so it counts only with a second sign that has nothing to do with length.
 */
function exposure(slot: KeySlot, moment: Moment): number {
  const { record } = slot;
  const { serviceMs } = moment.provider.pace;
  if (serviceMs === null || record.inFlight === 0) return 0;
  const first = record.firstByteMs;
  if (first !== null && first < LATE_FIRST_BYTE * moment.medianFirstByteMs) return 0;
  // Each by the measure of its own class: a written answer is not late because a search was quick.
  let services = 0;
  for (const [speedClass, { count, sentAtSum }] of record.underWay) {
    const usualMs = predictMs(moment.provider.speed.get(speedClass));
    if (usualMs !== null) services += (count * moment.now - sentAtSum) / usualMs;
  }
  return exposedRatio(services, endedLately(record, moment.now, serviceMs));
}

function slownessOf(slot: KeySlot, moment: Moment): number {
  const faded = fadedRatio(slot.record.slowness, moment.now, moment.timing.fadeMs);
  // A key that was never measured counts as the best: how else would it be tried?
  const measured = faded === null ? moment.bestMeasured : faded / moment.medianRatio;
  return Math.max(measured, exposure(slot, moment));
}

const MUCH_SLOWER = 3;

export function isMuchSlower(slot: KeySlot, moment: Moment): boolean {
  return slownessOf(slot, moment) >= MUCH_SLOWER;
}

function costFor(slot: KeySlot, moment: Moment): number {
  const { record } = slot;
  const success = fadedSuccess(record.success, moment.now, moment.timing.fadeMs);
  return costOf(slownessOf(slot, moment), success) * silenceFactor(slot, moment);
}

/** What batch work leaves to others. */
function spareFor({ request }: PendingCall, { now, provider }: Moment): 0 | 1 {
  const isShared =
    request.priority === 'batch' && now - provider.interactiveAt < INTERACTIVE_MEMORY_MS;
  return isShared ? 1 : 0;
}

function hasRoom(call: PendingCall, lane: Lane, moment: Moment): boolean {
  const spare = spareFor(call, moment);
  const room = roomIn(lane);
  const isFree = lane.inFlight < (room > 1 ? room - spare : room);
  return isFree && goesAt(lane, call.units, spare) <= moment.now;
}

/** The first call of a key goes alone: a dead key costs one call, not a burst. */
function awaitsFirstSign(slot: KeySlot): boolean {
  return !slot.record.proven && slot.record.inFlight > 0;
}

/** What one process tries for all of them. */
export function awaitsLeave(slot: KeySlot): boolean {
  return !slot.mayTry && (!slot.record.proven || slot.breaker.state === 'half-open');
}

/** Times the slowest first byte of late. */
const OUTPACED = 1.5;

/** Calls sent later were answered elsewhere: the silence of this key is no good sign. */
export function isOutpaced(slot: KeySlot, provider: ProviderRecord, now: number): boolean {
  const [oldest] = slot.record.unanswered;
  if (oldest === undefined || provider.answeredSentAt <= oldest.sentAt) return false;
  return silenceMs(slot, now) > OUTPACED * (provider.pace.slowestFirstByteMs ?? 0);
}

function toPick(slot: KeySlot, lane: Lane, moment: Moment): Pick {
  return {
    slot,
    lane,
    cost: costFor(slot, moment),
    inFlight: slot.record.inFlight,
    laneInFlight: lane.inFlight,
    laneLimit: Math.max(1, roomIn(lane)),
    lastTurn: slot.record.lastTurn,
    trial: slot.breaker.state === 'half-open',
  };
}

interface Scan {
  readonly free: Pick[];
  readonly busy: Pick[];
  /** Only to be risked. */
  readonly risky: Pick[];
}

/**
 * Who was refused is no more used for tries, but waits until a call of ours ends there. Where none
 * is there, as with a slot that the other processes leave us, there is nothing to wait for.
 */
function isRisky({ refusals }: PendingCall, lane: Lane): boolean {
  return refusals > 0 && lane.inFlight === 0 && isTry(lane);
}

function scan(call: PendingCall, moment: Moment, tried: boolean): Scan {
  const { model, funds } = call.request;
  const { now } = moment;
  const free: Pick[] = [];
  const busy: Pick[] = [];
  const risky: Pick[] = [];
  for (const slot of moment.slots) {
    if (call.tried.has(slot.record.name) !== tried || !isInRotation(slot, model, now)) continue;
    const lane = slot.account.lanes.get(model) ?? createLane(model, freshLimit(moment.ceiling));
    const money = funds?.state(slot.record.account) ?? 'free';
    // Other accounts go first; when all of them are spent, the call is refused.
    if (money === 'spent') continue;
    const isFree =
      money === 'free' &&
      hasRoom(call, lane, moment) &&
      !isShut(lane, now) &&
      !awaitsFirstSign(slot) &&
      !awaitsLeave(slot) &&
      slot.record.suspectUntil <= now;
    const list = !isFree ? busy : isRisky(call, lane) ? risky : free;
    list.push(toPick(slot, lane, moment));
  }
  return { free, busy, risky };
}

function fasterThan(pick: Pick, busy: readonly Pick[]): Faster {
  let slots = 0;
  let cost = 0;
  for (const each of busy) {
    if (each.cost >= pick.cost || each.inFlight === 0) continue;
    slots += each.inFlight;
    cost += each.cost * each.inFlight;
  }
  return { slots, cost: slots === 0 ? 0 : cost / slots };
}

/**
 * The key for this call, or null when it has to wait.
 *
 * @param waiting calls of the model that wait, this one among them
 */
export function pickFor(call: PendingCall, moment: Moment, waiting: number): Pick | null {
  const fresh = scan(call, moment, false);
  // Keys that failed this call come again only when there is no other in rotation.
  const noOther = fresh.free.length === 0 && fresh.busy.length === 0;
  const { free, busy, risky } = noOther && call.tried.size > 0 ? scan(call, moment, true) : fresh;
  const best = choose(free) ?? choose(fresh.risky) ?? choose(risky);
  if (best === null || best.trial) return best;
  return waitingPays(best.cost, fasterThan(best, busy), waiting) ? null : best;
}
