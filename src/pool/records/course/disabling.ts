/** Out until the upstream's own answer, or an operator, says otherwise. */

import { doubled, type Timing } from '../../rules/timing.ts';
import type { AccountRecord, Disabled, KeyRecord } from '../state.ts';

/** Every check in vain doubles the time to the next. */
function disabledNow(before: Disabled | null, reason: string, now: number, timing: Timing) {
  const checks = before === null ? 0 : before.checks + 1;
  const pause = doubled(timing.checkMs, checks, timing.checkMaxMs);
  return { reason, since: before?.since ?? now, checks, nextCheckAt: now + pause };
}

/** The upstream refuses the key. */
export function disableKey(key: KeyRecord, reason: string, now: number, timing: Timing): void {
  key.disabled = disabledNow(key.disabled, reason, now, timing);
  key.tripReason = reason;
}

/** The account has no money. */
export function disableAccount(
  account: AccountRecord,
  reason: string,
  now: number,
  timing: Timing,
): void {
  account.disabled = disabledNow(account.disabled, reason, now, timing);
}

/** It is the account's money, not the key. */
export function blameAccount(key: KeyRecord): void {
  key.disabled = null;
}

/** The upstream takes the key again; false when it was not out. */
export function readmit(key: KeyRecord, account: AccountRecord): boolean {
  if (key.disabled === null && account.disabled === null) return false;
  key.disabled = null;
  account.disabled = null;
  return true;
}

/** Asked in vain: the same reason, and later again. */
export function checkedInVain(
  key: KeyRecord,
  account: AccountRecord,
  now: number,
  timing: Timing,
): void {
  const { disabled } = key;
  if (disabled !== null) key.disabled = disabledNow(disabled, disabled.reason, now, timing);
  else if (account.disabled !== null) {
    account.disabled = disabledNow(account.disabled, account.disabled.reason, now, timing);
  }
}
