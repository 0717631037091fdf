/** What was spent, what is left and what may be spent, as Prometheus reads it. */

import { Counter, Gauge, type Registry } from 'prom-client';
import type { Provider } from '../base/errors.ts';

/** What one attempt cost, estimated. */
export interface CostSample {
  readonly provider: Provider;
  readonly keyId: string;
  readonly model: string;
  /** null where the price does not depend on the hour. */
  readonly period: string | null;
  readonly usd: number;
}

/** What an account had when its provider was last asked. */
export interface BalanceSample {
  readonly account: string;
  readonly currency: string;
  readonly amount: number;
}

export interface BudgetSample {
  /** As `budget list` writes it. */
  readonly budget: string;
  /** Spent over cap; may be above 1. */
  readonly ratio: number;
}

export interface MoneyMetrics {
  spent(sample: CostSample): void;
  balanceRead(sample: BalanceSample): void;
  /** All budgets that there are. */
  showBudgets(samples: readonly BudgetSample[]): void;
}

export function createMoneyMetrics(registry: Registry): MoneyMetrics {
  const registers = [registry];
  const deepseek = new Counter({
    name: 'deepseek_cost_usd_total',
    help: 'Estimated cost in US dollars, by key, model and price period.',
    labelNames: ['key_id', 'model', 'period'],
    registers,
  });
  const perplexity = new Counter({
    name: 'perplexity_cost_usd_total',
    help: 'Estimated cost in US dollars, by key.',
    labelNames: ['key_id'],
    registers,
  });
  const balance = new Gauge({
    name: 'deepseek_account_balance',
    help: 'Money in an account when DeepSeek was last asked.',
    labelNames: ['account', 'currency'],
    registers,
  });
  const budgets = new Gauge({
    name: 'keypool_budget_spent_ratio',
    help: 'Spent part of a budget, 1 when it is used up.',
    labelNames: ['budget'],
    registers,
  });
  return {
    spent: ({ provider, keyId, model, period, usd }) => {
      if (provider === 'perplexity') perplexity.inc({ key_id: keyId }, usd);
      else deepseek.inc({ key_id: keyId, model, period: period ?? 'none' }, usd);
    },
    balanceRead: ({ account, currency, amount }) => balance.set({ account, currency }, amount),
    showBudgets: (samples) => {
      budgets.reset();
      for (const { budget, ratio } of samples) budgets.set({ budget }, ratio);
    },
  };
}
