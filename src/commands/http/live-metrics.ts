/** The metrics with what is asked when somebody looks: budgets, and who else uses the accounts. */

import type { Metrics } from '../../http/metrics.ts';
import type { ServedEnvironment } from '../composition/served-environment.ts';
import { budgetSamples } from './money.ts';

export function liveMetrics(metrics: Metrics, served: ServedEnvironment): Metrics {
  return {
    ...metrics,
    render: async (snapshot) => {
      const runtime = await served.runtime();
      metrics.money.showBudgets(budgetSamples(runtime));
      metrics.sharing.show(await runtime.sharing());
      return metrics.render(snapshot);
    },
  };
}
