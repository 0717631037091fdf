/** What the budgets of accounts let a call do. The pool asks; it counts no money. */

import type { AccountFunds, FundsState } from '../../../base/spending.ts';
import type { KeySlot } from '../keys/key-slot.ts';
import type { PendingCall } from './pending-call.ts';
import { isOut } from './selector.ts';

/** What others spend is seen this soon. */
export const MONEY_LOOK_MS = 25;

/** Some budget is an account's. */
export function isCapped({ request: { funds } }: PendingCall): boolean {
  return funds !== null && funds !== undefined;
}

/** The accounts that could serve one day, each once. */
function accountsOf(slots: readonly KeySlot[]): string[] {
  const usable = slots.filter((slot) => !slot.record.draining && !isOut(slot));
  return [...new Set(usable.map(({ record }) => record.account))];
}

function refusalIf(
  { request: { funds } }: PendingCall,
  slots: readonly KeySlot[],
  isRefused: (states: readonly FundsState[]) => boolean,
): Error | null {
  if (funds === null || funds === undefined) return null;
  const accounts = accountsOf(slots);
  const states = accounts.map((account) => funds.state(account));
  return accounts.length > 0 && isRefused(states) ? funds.refusal(accounts) : null;
}

/** No account will have money for the call before its budget begins anew. */
export function isBroke(call: PendingCall, slots: readonly KeySlot[]): Error | null {
  return refusalIf(call, slots, (states) => states.every((state) => state === 'spent'));
}

/** It is money that the call waited for in vain. */
export function waitedForMoney(call: PendingCall, slots: readonly KeySlot[]): Error | null {
  return refusalIf(call, slots, (states) => states.every((state) => state !== 'free'));
}

/** Books the account; true where nothing caps it. */
export function book(funds: AccountFunds | null | undefined, account: string): boolean {
  return funds === null || funds === undefined || funds.book(account);
}
