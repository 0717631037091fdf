/** Carries what was spent, what is left and what may be spent into the metrics. */

import { ConfigError, PROVIDERS } from '../../base/errors.ts';
import type { Metrics } from '../../http/metrics.ts';
import type { BudgetSample, CostSample } from '../../http/money-metrics.ts';
import { budgetName } from '../../usage/budgets/budget.ts';
import type { LedgerEntry } from '../../usage/ledger/entry.ts';
import type { Runtime, RuntimeOptions } from '../composition/runtime.ts';

/** null where no price is known: a model that nobody knows may bear any name. */
function costOf({ provider, keyId, model, period, usd }: LedgerEntry): CostSample | null {
  const known = PROVIDERS.find((each) => each === provider);
  if (known === undefined || usd === null) return null;
  return { provider: known, keyId, model, period, usd: usd.estimate };
}

export function moneyListeners({
  money,
}: Metrics): Required<Pick<RuntimeOptions, 'onSpent' | 'onBalance'>> {
  return {
    onSpent: (entry) => {
      const cost = costOf(entry);
      if (cost !== null) money.spent(cost);
    },
    onBalance: (reading) => money.balanceRead(reading),
  };
}

/** Budgets of days and months; none where they cannot be read, which every refused call says. */
export function budgetSamples(runtime: Runtime): BudgetSample[] {
  try {
    return runtime.budgets().flatMap(({ budget, spentUsd }) => {
      if (spentUsd === null) return [];
      return [{ budget: budgetName(budget), ratio: spentUsd / budget.usd }];
    });
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}
