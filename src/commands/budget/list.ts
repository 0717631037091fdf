import { loadConfig } from '../../config.ts';
import {
  type Budget,
  budgetLabel,
  budgetName,
  budgetScope,
  budgetSpan,
} from '../../usage/budgets/budget.ts';
import { readBudgets } from '../../usage/budgets/budget-file.ts';
import { SpentBook } from '../../usage/budgets/spent-book.ts';
import { TeamMemory } from '../../usage/budgets/team/team-memory.ts';
import { dayOf } from '../../usage/days.ts';
import { usageFolder } from '../../usage/ledger/ledger.ts';
import { type Command, type CommandInput, print } from '../command.ts';
import { table } from '../terminal/table.ts';

interface Row {
  readonly budget: Budget;
  /** null for a session: each has its own. */
  readonly spent: number | null;
  /** By other machines on the same Redis, as this one last heard. */
  readonly elsewhere: number;
  readonly resets: string | null;
}

function rowsOf(home: string, now: number): Row[] {
  const budgets = readBudgets(home);
  // No entry is this process's own.
  const book = new SpentBook(usageFolder(home), 'none');
  const others = new TeamMemory(usageFolder(home)).recall()?.spentElsewhere ?? [];
  if (budgets.length > 0) book.refresh(now);
  try {
    return budgets.map((budget) => {
      const span = budgetSpan(budget.per, now);
      const [scope, label] = [budgetScope(budget), budgetLabel(budget.per, now)];
      return {
        budget,
        spent: span === null ? null : book.spent(budget, now),
        elsewhere: others.find((sum) => sum.scope === scope && sum.label === label)?.usd ?? 0,
        resets: span === null ? null : dayOf(span.until),
      };
    });
  } finally {
    book.close();
  }
}

function ratioOf({ budget, spent, elsewhere }: Row): number | null {
  return spent === null ? null : (spent + elsewhere) / budget.usd;
}

function shown(row: Row, hasOthers: boolean): string[] {
  const { budget, spent, elsewhere, resets } = row;
  const ratio = ratioOf(row);
  const whom = budget.account ?? budget.client ?? 'everything';
  const kind = budget.account !== null ? 'account ' : budget.client !== null ? 'client ' : '';
  return [
    `$${budget.usd}/${budget.per}`,
    `${kind}${whom}`,
    spent === null ? '' : `$${spent.toFixed(4)}`,
    ...(hasOthers ? [spent === null ? '' : `$${elsewhere.toFixed(4)}`] : []),
    ratio === null ? '' : `${Math.round(ratio * 100)} %`,
    resets ?? 'with the session',
  ];
}

async function run({ flags, env, values }: CommandInput): Promise<number> {
  const { home } = loadConfig(flags, env);
  const rows = rowsOf(home, Date.now());
  if (values.json === true) {
    const list = rows.map((row) => ({
      budget: budgetName(row.budget),
      ...row.budget,
      spent_usd: row.spent,
      spent_elsewhere_usd: row.elsewhere,
      spent_ratio: ratioOf(row),
      resets: row.resets,
    }));
    print(JSON.stringify(list, null, 2));
  } else if (rows.length === 0) print('no budget is set: nothing caps what may be spent');
  else {
    const hasOthers = rows.some(({ elsewhere }) => elsewhere > 0);
    const columns = hasOthers ? ['spent here', 'elsewhere'] : ['spent'];
    const lines = rows.map((row) => shown(row, hasOthers));
    print(table(['budget', 'for', ...columns, '', 'resets'], lines));
  }
  return 0;
}

export const command: Command = {
  help: `Lists the caps on spending, what is spent of each by estimate, and when it begins anew.`,
  options: { json: { type: 'boolean', about: 'for programs' } },
  arguments: [],
  run,
};
