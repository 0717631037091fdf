/** What the budgets of single accounts leave for one call, as the pool asks for it. */

import type { AccountFunds, FundsState } from '../../base/spending.ts';
import type { Budget } from './budget.ts';
import { allSpentError } from './budget-words.ts';

/** Why an account may not serve a call. */
export interface AccountBar {
  readonly state: 'held' | 'spent';
  /** null where another sentence than that it is spent has to be said. */
  readonly budget: Budget | null;
  readonly error: Error;
}

/** Who counts the money. */
export interface AccountTeller {
  readonly now: () => number;
  /** null: it may. */
  readonly barOf: (account: string) => AccountBar | null;
  /** The call stands in the account's line from here on. */
  readonly assign: (account: string) => void;
  /** It stands in none. */
  readonly unassign: () => void;
}

export class HeldFunds implements AccountFunds {
  readonly #teller: AccountTeller;

  constructor(teller: AccountTeller) {
    this.#teller = teller;
  }

  state(account: string): FundsState {
    return this.#teller.barOf(account)?.state ?? 'free';
  }

  book(account: string): boolean {
    this.#teller.assign(account);
    if (this.#teller.barOf(account) === null) return true;
    // Who waits must hold nothing: whoever it waits for may be waiting for it.
    this.#teller.unassign();
    return false;
  }

  refusal(accounts: readonly string[]): Error {
    const bars = accounts.flatMap((account) => this.#teller.barOf(account) ?? []);
    const held = bars.find(({ state }) => state === 'held');
    const budgets = bars.flatMap(({ budget }) => budget ?? []);
    if (held === undefined && budgets.length > 1) return allSpentError(budgets, this.#teller.now());
    const { error } = held ?? bars[0] ?? { error: new TypeError('no account is barred') };
    return error;
  }
}
