/** Says that a budget is nearly or wholly spent: once for each period, in one process. */

import { type Budget, budgetName, budgetSpan } from './budget.ts';

export interface BudgetAlert {
  readonly budget: string;
  readonly state: 'near' | 'spent';
  readonly message: string;
}

export interface BudgetAlertsOptions {
  readonly now: () => number;
  /** True for the one process that is to say it. */
  readonly claim: (what: string) => boolean;
  readonly onAlert: (alert: BudgetAlert) => void;
}

export class BudgetAlerts {
  readonly #options: BudgetAlertsOptions;
  readonly #said = new Set<string>();

  constructor(options: BudgetAlertsOptions) {
    this.#options = options;
  }

  /**
   * Once for a budget and its period, in whichever process it is seen first.
   *
   * @returns whether this is the one to say it
   */
  once(budget: Budget, session: string, state: BudgetAlert['state'], message: string): boolean {
    const { now, claim, onAlert } = this.#options;
    const name = budgetName(budget);
    const since = budgetSpan(budget.per, now())?.since ?? session;
    const key = JSON.stringify([name, budget.usd, state, since]);
    if (this.#said.has(key)) return false;
    this.#said.add(key);
    // A session is one process's own.
    if (budget.per !== 'session' && !claim(key)) return false;
    onAlert({ budget: name, state, message });
    return true;
  }
}
