/** What `doctor` says of the files by which money is counted; nothing where there are none. */

import { existsSync } from 'node:fs';
import { ConfigError } from '../../base/errors.ts';
import type { Config } from '../../config.ts';
import { readBudgets } from '../../usage/budgets/budget-file.ts';
import { loadPrices, pricesPath } from '../../usage/prices/load-prices.ts';
import { type Finding, ok } from './finding.ts';

async function pricesFinding(home: string): Promise<Finding[]> {
  const path = pricesPath(home);
  if (!existsSync(path)) return [];
  const { table, problem } = await loadPrices(home);
  if (problem === null) return [ok('prices', `${path}, of ${table.read}`)];
  const hint = 'correct the file, or remove it';
  return [{ check: 'prices', status: 'warn', message: problem, hint }];
}

function budgetsFinding({ home, ledger }: Config): Finding[] {
  const check = 'budgets';
  try {
    const count = readBudgets(home).length;
    if (count === 0) return [];
    if (ledger) return [ok(check, `${count} set`)];
    return [
      {
        check,
        status: 'fail',
        message: 'a budget is set, and the ledger that it counts by is off',
        hint: 'take KEYPOOL_LEDGER=off away, or remove the budgets',
      },
    ];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ check, status: 'fail', message: error.message, hint: error.hint }];
  }
}

export async function checkMoney(config: Config): Promise<Finding[]> {
  if (config.isHomeless) return [];
  return [...(await pricesFinding(config.home)), ...budgetsFinding(config)];
}
