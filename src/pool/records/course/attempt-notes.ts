/**
 * What an attempt's course writes into the plain records. Pure transitions on the records passed
 * in; `now` is an argument; nothing here starts, stops or wakes anything.
 */

import type { Failure } from '../../../base/errors.ts';
import { learnSlowness, learnSpeed, learnSuccess, predictMs } from '../../rules/score.ts';
import {
  doubled,
  jittered,
  paceAfterFirstByte,
  paceAfterService,
  RETRY_AFTER_MAX_MS,
} from '../../rules/timing.ts';
import type { Scene } from '../effect.ts';
import { pause, refused, shutUntil, taken } from '../lane-writer.ts';
import type { KeyRecord } from '../state.ts';
import { earnTry } from '../state.ts';

/** Evidence and outcomes beyond these say nothing new. */
const EVIDENCE_KEPT = 256;
const OUTCOMES_KEPT = 64;

function addEvidence({ provider, key, attempt, now }: Scene, ok: boolean, outageKind: boolean) {
  const { sentAt, call, speedClass } = attempt;
  provider.evidence.push({ at: now, sentAt, key: key.name, call, speedClass, ok, outageKind });
  if (provider.evidence.length > EVIDENCE_KEPT) provider.evidence.shift();
}

function addOutcome(key: KeyRecord, ok: boolean, now: number): void {
  key.outcomes.push({ at: now, ok });
  if (key.outcomes.length > OUTCOMES_KEPT) key.outcomes.shift();
  key.faultsInRow = ok ? 0 : key.faultsInRow + 1;
}

/** The upstream took the request. */
export function noteAccepted(scene: Scene): void {
  const { account, attempt } = scene;
  account.coolings = Math.max(0, account.coolings - 1);
  if (attempt.sentAt >= account.coolUntil) account.coolSince = null;
  noteSurvived(scene);
}

/** The request was not refused in time: room for more, but no proof against a pause. */
export function noteSurvived(scene: Scene): void {
  const { key, lane, attempt, timing } = scene;
  key.proven = true;
  taken(lane, attempt.stay, timing.wayMs);
}

/** The first content byte: the key and the provider work. */
export function noteFirstByte(scene: Scene): void {
  const { provider, key, now } = scene;
  const { sentAt } = scene.attempt;
  const firstByteMs = now - sentAt;
  provider.pace = paceAfterFirstByte(provider.pace, firstByteMs);
  provider.answeredSentAt = Math.max(provider.answeredSentAt, sentAt);
  key.suspicions = 0;
  key.suspectUntil = now;
  key.firstByteMs = key.firstByteMs === null ? firstByteMs : mixed(key.firstByteMs, firstByteMs);
  addEvidence(scene, true, false);
}

function mixed(old: number, seen: number): number {
  return old + 0.2 * (seen - old);
}

/** A call was served in full. */
export function noteServed(
  scene: Scene,
  tokens: { readonly promptTokens: number; readonly completionTokens: number },
): void {
  const { provider, key, now } = scene;
  const ms = now - scene.attempt.sentAt;
  const known = provider.speed.get(scene.attempt.speedClass);
  const predicted = predictMs(known, tokens.completionTokens);
  const ratio = predicted === null ? 1 : ms / Math.max(1, predicted);
  key.slowness = learnSlowness(key.slowness, ratio, now);
  // The model learns what a usual key needs: a slow key's time counts by its own measure.
  const usual = ms / Math.max(1, key.slowness.ratio);
  provider.speed.set(scene.attempt.speedClass, learnSpeed(known, tokens.completionTokens, usual));
  provider.pace = paceAfterService(provider.pace, ms);
  provider.served = true;
  key.endedLately = 1 + endedLately(key, now, provider.pace.serviceMs ?? ms);
  key.endedAt = now;
  earnTry(provider);
  addOutcome(key, true, now);
  key.success = learnSuccess(key.success, true, now);
  key.successes += 1;
  key.latencyMs = key.latencyMs === null ? ms : mixed(key.latencyMs, ms);
  key.promptTokens += tokens.promptTokens;
  key.completionTokens += tokens.completionTokens;
}

/** Calls that a key served lately: over about two services. */
export function endedLately(key: KeyRecord, now: number, serviceMs: number): number {
  return key.endedLately * Math.exp(-(now - key.endedAt) / (2 * Math.max(1, serviceMs)));
}

/** Our own deadline ended it: no failure, but at least so slow (a censored observation). */
export function noteCensored(scene: Scene): void {
  const { provider, key, now } = scene;
  const predicted = predictMs(provider.speed.get(scene.attempt.speedClass));
  if (predicted === null) return;
  const ratio = (now - scene.attempt.sentAt) / Math.max(1, predicted);
  if (ratio > (key.slowness?.ratio ?? 1)) key.slowness = learnSlowness(key.slowness, ratio, now);
}

/** A bad end that is the key's or the provider's; which one is decided later. */
export function noteBad(scene: Scene, outageKind: boolean): void {
  const { provider, attempt, now } = scene;
  provider.badMs = Math.max(now - attempt.sentAt, 0.8 * provider.badMs);
  addEvidence(scene, false, outageKind);
}

/** A lone call has its own, longer pauses. */
const SUSPICION_MAX_MS = 1_000;

/** Nobody knows yet whose fault it was: the key waits a little, so that a key which fails faster
 * than others answer does not draw all calls. */
export function noteSuspicion({ key, now, timing }: Scene): void {
  const most = Math.min(SUSPICION_MAX_MS, 4 * timing.openMs);
  const pause = doubled(timing.retryMs, key.suspicions, most);
  key.suspicions += 1;
  key.suspectUntil = now + pause;
}

/** The other keys were fine: it was the key. */
export function noteKeyFault(scene: Scene): void {
  addOutcome(scene.key, false, scene.now);
  scene.key.success = learnSuccess(scene.key.success, false, scene.now);
  scene.key.failures += 1;
}

/**
 * Refused for too many in flight; the attempt is released already. True: none of ours was there, so
 * that only a pause helps.
 */
export function noteRefused(
  { provider, lane, attempt, now, timing }: Scene,
  failure: Pick<Failure, 'namedInFlight' | 'namedLimit' | 'retryAfterMs'>,
): boolean {
  const { sentAt, stay } = attempt;
  if (stay.isTry) provider.tries -= 1;
  return refused(lane, { ...failure, sentAt, now }, timing) === 0;
}

/** The account rests. A deadline only ever moves later. */
export function noteCooling(
  { provider, account, lane, attempt, now, timing, chance }: Scene,
  reason: string,
  retryAfterMs: number | null,
): void {
  const { sentAt } = attempt;
  // Somebody whom we cannot ask may have had a call there: that is over soon.
  const mostMs = provider.isCutOff
    ? Math.min(timing.limitProbeMaxMs, timing.coolMaxMs)
    : timing.coolMaxMs;
  const stepMs = doubled(timing.coolMs, account.coolings, mostMs);
  const ownMs = jittered(stepMs, 0.25, chance);
  // A pause of nothing, or one that has passed by our clock, is no leave to go on at once.
  const ms = Math.max(ownMs, Math.min(RETRY_AFTER_MAX_MS, retryAfterMs ?? 0));
  // Where nobody called for long, nobody was kept waiting either.
  const isAnew = account.coolSince === null || now - account.coolUntil > timing.coolMaxMs;
  if (isAnew) account.coolSince = now;
  // Refusals of the same burst do not add up, nor does what makes no pause longer.
  const isAnother = sentAt >= account.coolUntil || account.coolUntil <= now;
  if (isAnother && stepMs < mostMs) account.coolings += 1;
  account.coolUntil = Math.max(account.coolUntil, now + ms);
  account.coolReason = reason;
  for (const each of account.lanes.values()) pause(each, account.coolUntil);
  shutUntil(lane, sentAt, account.coolUntil);
}
