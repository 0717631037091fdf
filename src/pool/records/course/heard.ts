/** What other processes found out, on our records: later never becomes sooner by their word. */

import type { Fact } from '../../sharing.ts';
import type { AccountRecord, Disabled, KeyRecord, ProviderRecord } from '../state.ts';

/** A check that others made puts the next one off. */
function disabledElsewhere(
  before: Disabled | null,
  reason: string,
  { checks, checkInMs }: Fact,
  now: number,
): Disabled {
  return {
    reason,
    since: before?.since ?? now,
    checks: Math.max(before?.checks ?? 0, checks),
    nextCheckAt: Math.max(before?.nextCheckAt ?? 0, now + checkInMs),
  };
}

export function heardKeyOut(key: KeyRecord, reason: string, fact: Fact, now: number): void {
  key.disabled = disabledElsewhere(key.disabled, reason, fact, now);
  key.tripReason = reason;
}

/** The upstream takes it; true when it was out here. */
export function heardKeyWorks(key: KeyRecord): boolean {
  const wasOut = key.disabled !== null;
  key.proven = true;
  key.disabled = null;
  return wasOut;
}

export function heardForbidden(key: KeyRecord, model: string, until: number): void {
  key.forbiddenUntil.set(model, Math.max(key.forbiddenUntil.get(model) ?? 0, until));
}

export function heardAccountOut(
  account: AccountRecord,
  reason: string,
  fact: Fact,
  now: number,
): void {
  account.disabled = disabledElsewhere(account.disabled, reason, fact, now);
}

/** It has money; true when it was out here. */
export function heardAccountWorks(account: AccountRecord): boolean {
  const wasOut = account.disabled !== null;
  account.disabled = null;
  return wasOut;
}

export function heardRest(account: AccountRecord, until: number, reason: string): void {
  account.coolUntil = Math.max(account.coolUntil, until);
  account.coolReason ??= reason;
}

/** @param isNew nobody here knew of it */
export function heardOutage(provider: ProviderRecord, now: number, isNew: boolean): void {
  if (isNew) provider.outageSince = now;
  provider.ramp = null;
}
