/**
 * Key or provider? A 5xx alone does not say; what the other keys saw meanwhile does.
 * Pure: reads the provider's evidence, oldest first.
 */

import type { Evidence, KeyRecord, ProviderRecord } from '../records/state.ts';
import type { Timing } from './timing.ts';

const LEAST_BAD = 3;
/** More keys than these need not fail for an outage to be plain. */
const ENOUGH_KEYS = 4;

function keysOf(evidence: readonly Evidence[]): number {
  return new Set(evidence.map((each) => each.key)).size;
}

/**
 * True when the provider fails as a whole: at least three bad ends on most of the usable keys,
 * more bad than good since, from more than one call unless the kind speaks for itself. A prompt
 * that breaks the upstream must not stop everybody else.
 *
 * @param usable keys that could serve just now
 */
export function isOutage(
  provider: ProviderRecord,
  usable: number,
  now: number,
  timing: Timing,
): boolean {
  const since = Math.max(now - timing.outageWindowMs, provider.healedAt);
  const recent = provider.evidence.filter((each) => each.sentAt >= since);
  const bad = recent.filter((each) => !each.ok);
  if (bad.length < LEAST_BAD) return false;
  const firstBad = Math.min(...bad.map((each) => each.sentAt));
  const good = recent.filter((each) => each.ok && each.sentAt >= firstBad);
  if (bad.length <= good.length) return false;
  const calls = new Set(bad.map((each) => each.call)).size;
  if (calls < 2 && !bad.every((each) => each.outageKind)) return false;
  const needed = Math.min(ENOUGH_KEYS, Math.floor(usable / 2) + 1);
  return keysOf(bad) >= Math.max(1, needed);
}

/** True when another key was fine while this one failed: then it is the key. */
export function othersAreFine(
  provider: ProviderRecord,
  key: KeyRecord,
  now: number,
  timing: Timing,
): boolean {
  const since = now - timing.faultWindowMs;
  return provider.evidence.some((each) => each.ok && each.key !== key.name && each.at >= since);
}

/** True when a call other than this one was answered since this instant. */
export function wereServedSince(
  { evidence }: ProviderRecord,
  since: number,
  call: number,
): boolean {
  return evidence.some((each) => each.ok && each.at >= since && each.call !== call);
}

const FAULTS_IN_ROW = 2;
const FAULTS_IN_WINDOW = 3;
const FAULT_SHARE = 0.4;

/** True when a key's own faults open its breaker. */
export function isFailing(key: KeyRecord, now: number, timing: Timing): boolean {
  if (key.faultsInRow >= FAULTS_IN_ROW) return true;
  const recent = key.outcomes.filter((each) => each.at >= now - timing.faultWindowMs);
  const faults = recent.filter((each) => !each.ok).length;
  return faults >= FAULTS_IN_WINDOW && faults > FAULT_SHARE * recent.length;
}

/** The pause before the provider is asked again: a share of the outage so far, so that the
 * return is noticed soon after it, whether the outage lasts a second or an hour. */
export function outagePauseMs(since: number, now: number, timing: Timing): number {
  return Math.min(timing.outageMaxMs, Math.max(timing.outageMs, (now - since) / 6));
}
