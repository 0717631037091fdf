import { loadConfig } from '../../config.ts';
import { type Budget, budgetName, budgetSpan } from '../../usage/budgets/budget.ts';
import { readBudgets } from '../../usage/budgets/budget-file.ts';
import { SpentBook } from '../../usage/budgets/spent-book.ts';
import { dayOf } from '../../usage/days.ts';
import { usageFolder } from '../../usage/ledger/ledger.ts';
import { type Command, type CommandInput, print } from '../command.ts';
import { table } from '../terminal/table.ts';

interface Row {
  readonly budget: Budget;
  /** null for a session: each has its own. */
  readonly spent: number | null;
  readonly resets: string | null;
}

function rowsOf(home: string, now: number): Row[] {
  const budgets = readBudgets(home);
  // No entry is this process's own.
  const book = new SpentBook(usageFolder(home), 'none');
  if (budgets.length > 0) book.refresh(now);
  try {
    return budgets.map((budget) => {
      const span = budgetSpan(budget.per, now);
      return {
        budget,
        spent: span === null ? null : book.spent(budget, now),
        resets: span === null ? null : dayOf(span.until),
      };
    });
  } finally {
    book.close();
  }
}

function shown({ budget, spent, resets }: Row): string[] {
  const whom = budget.account ?? budget.client ?? 'everything';
  const kind = budget.account !== null ? 'account ' : budget.client !== null ? 'client ' : '';
  return [
    `$${budget.usd}/${budget.per}`,
    `${kind}${whom}`,
    spent === null ? '' : `$${spent.toFixed(4)}`,
    spent === null ? '' : `${Math.round((spent / budget.usd) * 100)} %`,
    resets ?? 'with the session',
  ];
}

async function run({ flags, env, values }: CommandInput): Promise<number> {
  const { home } = loadConfig(flags, env);
  const rows = rowsOf(home, Date.now());
  if (values.json === true) {
    const list = rows.map(({ budget, spent, resets }) => ({
      budget: budgetName(budget),
      ...budget,
      spent_usd: spent,
      spent_ratio: spent === null ? null : spent / budget.usd,
      resets,
    }));
    print(JSON.stringify(list, null, 2));
  } else if (rows.length === 0) print('no budget is set: nothing caps what may be spent');
  else print(table(['budget', 'for', 'spent', '', 'resets'], rows.map(shown)));
  return 0;
}

export const command: Command = {
  help: `Lists the caps on spending, what is spent of each by estimate, and when it begins anew.`,
  options: { json: { type: 'boolean', about: 'for programs' } },
  arguments: [],
  run,
};
