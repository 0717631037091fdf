/** Carries what was spent, what is left and what may be spent into the metrics. */

import { PROVIDERS } from '../../base/errors.ts';
import type { Metrics } from '../../http/metrics.ts';
import type { CostSample } from '../../http/money-metrics.ts';
import type { LedgerEntry } from '../../usage/ledger/entry.ts';
import type { RuntimeOptions } from '../composition/compose.ts';
import type { ServedEnvironment } from '../composition/served-environment.ts';

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

/** The metrics with the budgets as they are when somebody looks. */
export function withBudgets(metrics: Metrics, served: ServedEnvironment): Metrics {
  return {
    ...metrics,
    render: async (snapshot) => {
      metrics.money.showBudgets((await served.runtime()).budgets());
      return metrics.render(snapshot);
    },
  };
}
