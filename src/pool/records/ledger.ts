/**
 * What an attempt's course writes into the plain records. Pure transitions on the records passed
 * in; `now` is an argument; nothing here starts, stops or wakes anything.
 */

import { afterAccepted, afterPause, afterRefused } from '../rules/limit.ts';
import { addEvidence, addOutcome } from '../rules/outage.ts';
import { learnSlowness, learnSpeed, learnSuccess, predictMs } from '../rules/score.ts';
import {
  doubled,
  jittered,
  paceAfterFirstByte,
  paceAfterService,
  RETRY_AFTER_MAX_MS,
  type Timing,
} from '../rules/timing.ts';
import { type Lane, mostAtOnce, type Stay, shutAfter } from './lane.ts';
import type { AccountRecord, Disabled, KeyRecord, ProviderRecord } from './state.ts';
import { earnBudget } from './state.ts';

/** The records one attempt touches, with its facts. */
export interface Entry {
  readonly provider: ProviderRecord;
  readonly account: AccountRecord;
  readonly key: KeyRecord;
  readonly lane: Lane;
  readonly stay: Stay;
  readonly call: number;
  readonly speedClass: string;
  readonly sentAt: number;
  readonly now: number;
}

/** The upstream took the request. */
export function noteAccepted(entry: Entry): void {
  const { account } = entry;
  account.coolings = Math.max(0, account.coolings - 1);
  noteSurvived(entry);
}

/** The request was not refused in time: room for more, but no proof against a pause. */
export function noteSurvived(entry: Entry): void {
  const { key, lane } = entry;
  key.proven = true;
  lane.limit = afterAccepted(lane.limit, lane.accepted, entry.sentAt);
}

/** The first content byte: the key and the provider work. */
export function noteFirstByte(entry: Entry): void {
  const { provider, key, now, sentAt } = entry;
  const firstByteMs = now - sentAt;
  provider.pace = paceAfterFirstByte(provider.pace, firstByteMs);
  provider.answeredSentAt = Math.max(provider.answeredSentAt, sentAt);
  key.suspicions = 0;
  key.suspectUntil = now;
  key.firstByteMs = key.firstByteMs === null ? firstByteMs : mixed(key.firstByteMs, firstByteMs);
  addEvidence(provider, {
    at: now,
    sentAt,
    key: key.name,
    call: entry.call,
    ok: true,
    outageKind: false,
  });
}

function mixed(old: number, seen: number): number {
  return old + 0.2 * (seen - old);
}

/** A call was served in full. */
export function noteServed(
  entry: Entry,
  tokens: { readonly prompt: number; readonly completion: number },
): void {
  const { provider, key, now } = entry;
  const ms = now - entry.sentAt;
  const known = provider.speed.get(entry.speedClass);
  const predicted = predictMs(known, tokens.completion);
  const ratio = predicted === null ? 1 : ms / Math.max(1, predicted);
  key.slowness = learnSlowness(key.slowness, ratio, now);
  // The model learns what a usual key needs: a slow key's time counts by its own measure.
  const usual = ms / Math.max(1, key.slowness.ratio);
  provider.speed.set(entry.speedClass, learnSpeed(known, tokens.completion, usual));
  provider.pace = paceAfterService(provider.pace, ms);
  provider.served = true;
  key.endedLately = 1 + endedLately(key, now, provider.pace.serviceMs ?? ms);
  key.endedAt = now;
  earnBudget(provider);
  addOutcome(key, true, now);
  key.success = learnSuccess(key.success, true, now);
  key.successes += 1;
  key.latencyMs = key.latencyMs === null ? ms : mixed(key.latencyMs, ms);
  key.promptTokens += tokens.prompt;
  key.completionTokens += tokens.completion;
}

/** Calls that a key served lately: over about two services. */
export function endedLately(key: KeyRecord, now: number, serviceMs: number): number {
  return key.endedLately * Math.exp(-(now - key.endedAt) / (2 * Math.max(1, serviceMs)));
}

/** Our own deadline ended it: no failure, but at least so slow (a censored observation). */
export function noteCensored(entry: Entry): void {
  const { provider, key, now } = entry;
  const predicted = predictMs(provider.speed.get(entry.speedClass));
  if (predicted === null) return;
  const ratio = (now - entry.sentAt) / Math.max(1, predicted);
  if (ratio > (key.slowness?.ratio ?? 1)) key.slowness = learnSlowness(key.slowness, ratio, now);
}

/** A bad end that is the key's or the provider's; which one is decided later. */
export function noteBad(entry: Entry, outageKind: boolean): void {
  const { provider, key, now, sentAt } = entry;
  provider.badMs = Math.max(now - sentAt, 0.8 * provider.badMs);
  addEvidence(provider, {
    at: now,
    sentAt,
    key: key.name,
    call: entry.call,
    ok: false,
    outageKind,
  });
}

/** Nobody knows yet whose fault it was: the key waits a little, so that a key which fails faster
 * than others answer does not draw all calls. */
export function noteSuspicion(entry: Entry, timing: Timing): void {
  const { key, now } = entry;
  const pause = doubled(timing.retryMs, key.suspicions, 4 * timing.openMs);
  key.suspicions += 1;
  key.suspectUntil = now + pause;
}

/** The other keys were fine: it was the key. */
export function noteKeyFault(entry: Entry): void {
  addOutcome(entry.key, false, entry.now);
  entry.key.success = learnSuccess(entry.key.success, false, entry.now);
  entry.key.failures += 1;
}

/** The account's numbers, where a refusal names them. */
export interface NamedNumbers {
  readonly inFlight: number | null;
  readonly limit: number | null;
}

/** What the account's own numbers leave for us, who had `seen` calls there. */
function roomBy(lane: Lane, named: NamedNumbers, seen: number): number | null {
  const { inFlight, limit } = named;
  if (limit === null) return null;
  lane.named = limit;
  // The refused call is one of those named, or it is not: two wordings that look alike.
  lane.elsewhere = inFlight === null ? null : Math.max(0, inFlight - 1 - seen);
  return Math.max(Math.min(1, seen), limit - (lane.elsewhere ?? 0));
}

/** A try costs its caller the time of the refusal, which may be longer than a service. */
function tryCost({ pace }: ProviderRecord, refusalMs: number): number {
  return Math.max(1, refusalMs / (pace.serviceMs ?? refusalMs));
}

/**
 * Refused for too many in flight; the attempt is released already. True: none of ours was there, so
 * that only a pause helps.
 */
export function noteRefused(
  entry: Entry,
  named: NamedNumbers,
  retryAfterMs: number | null,
  timing: Timing,
): boolean {
  const { provider, lane, now, sentAt, stay } = entry;
  const seen = mostAtOnce(lane.stays, sentAt);
  const room = roomBy(lane, named, seen);
  if (stay.isTry) provider.tries -= tryCost(provider, now - sentAt);
  lane.limit = afterRefused(lane.limit, { seen, room, now, retryAfterMs }, timing);
  shutAfter(lane, sentAt, lane.limit.probeAt, now);
  return seen === 0;
}

export interface Cooling {
  readonly retryAfterMs: number | null;
  readonly reason: string;
  readonly random: number;
  /** The refusal named calls that are not ours. */
  readonly isElsewhere: boolean;
}

/** The account rests. A deadline only ever moves later. */
export function noteCooling(entry: Entry, cooling: Cooling, timing: Timing): void {
  const { account, now } = entry;
  const most = cooling.isElsewhere ? timing.elsewhereMaxMs : timing.coolMaxMs;
  const ownMs = jittered(doubled(timing.coolMs, account.coolings, most), 0.25, cooling.random);
  // A pause of nothing, or one that has passed by our clock, is no leave to go on at once.
  const ms = Math.max(ownMs, Math.min(RETRY_AFTER_MAX_MS, cooling.retryAfterMs ?? 0));
  // Refusals of the same burst do not add up.
  if (entry.sentAt >= account.coolUntil || account.coolUntil <= now) account.coolings += 1;
  account.coolUntil = Math.max(account.coolUntil, now + ms);
  account.coolReason = cooling.reason;
  for (const lane of account.lanes.values()) {
    lane.limit = afterPause(lane.limit, account.coolUntil);
  }
  entry.lane.shut = { sentAt: entry.sentAt, until: account.coolUntil };
}

/** Out until a check says otherwise; every check in vain doubles the time to the next. */
export function disabledNow(
  before: Disabled | null,
  reason: string,
  now: number,
  timing: Timing,
): Disabled {
  const checks = before === null ? 0 : before.checks + 1;
  const pause = doubled(timing.checkMs, checks, timing.checkMaxMs);
  return { reason, since: before?.since ?? now, checks, nextCheckAt: now + pause };
}
