/**
 * What an account has tells accounts apart: two balances of one instant that no calls in between can
 * explain are of two accounts. That they are equal tells nothing, for accounts that are topped up
 * alike and used in turns have the same for hours (docs/decisions/balances-tell-accounts-apart.md).
 * Pure.
 */

/** One reading of what an account has. */
export interface BalanceRead {
  /** Any one clock, milliseconds. */
  readonly at: number;
  /** Label of the account that the key has, or is said to have. */
  readonly account: string;
  /** Three capital letters. */
  readonly currency: string;
  /** Of the currency's whole unit. */
  readonly amount: number;
}

/** The newest reading of each currency. */
export type Balances = ReadonlyMap<string, BalanceRead>;

export function withBalance(known: Balances | undefined, read: BalanceRead): Balances {
  return new Map([...(known ?? []), [read.currency, read]]);
}

/** Read at one time, as far as that can be said of two requests. */
const AT_ONCE_MS = 10_000;
/** More than the calls of that time cost, in any currency: whole units, and a share of what is there. */
const LEAST_GAP = 5;
const GAP_SHARE = 0.05;

/** True when they surely are of two accounts. */
export function areApart(one: Balances | undefined, other: Balances | undefined): boolean {
  for (const [currency, mine] of one ?? []) {
    const theirs = other?.get(currency);
    if (theirs === undefined || Math.abs(mine.at - theirs.at) > AT_ONCE_MS) continue;
    const gap = Math.abs(mine.amount - theirs.amount);
    const most = Math.max(mine.amount, theirs.amount);
    if (gap > Math.max(LEAST_GAP, GAP_SHARE * most)) return true;
  }
  return false;
}
