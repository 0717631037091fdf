/** What may be spent: an amount, a period, and for whom. Pure. */

import { dayOf, dayStart, monthStart } from '../days.ts';

export const BUDGET_PERIODS = ['day', 'month', 'session'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

export interface Budget {
  readonly usd: number;
  readonly per: BudgetPeriod;
  /** At most one of the two; neither: everything that is spent. */
  readonly account: string | null;
  readonly client: string | null;
}

/** The largest sum that makes sense as a cap of API calls. */
const MOST_USD = 1_000_000;
const WRITTEN = /^\$?(\d{1,9}(?:\.\d{1,6})?)\s*\/\s*([a-z]+)$/i;

/** `5/day` → what it says, or one sentence about why it is none. */
export function parseBudget(text: string): { usd: number; per: BudgetPeriod } | string {
  const found = WRITTEN.exec(text.trim());
  if (found === null) {
    return /^\$?-/.test(text.trim())
      ? 'a budget cannot be below nothing'
      : 'a budget is dollars and a period';
  }
  const per = BUDGET_PERIODS.find((each) => each === found[2]?.toLowerCase());
  const usd = Number(found[1]);
  if (per === undefined) return `a budget is for a ${BUDGET_PERIODS.join(', a ')}`;
  if (usd === 0) return 'a budget of nothing would refuse every call';
  return usd > MOST_USD ? 'a budget of that size caps nothing' : { usd, per };
}

/** `5/day`, `5/day account main`. */
export function budgetName({ usd, per, account, client }: Budget): string {
  if (account !== null) return `${usd}/${per} account ${account}`;
  return client === null ? `${usd}/${per}` : `${usd}/${per} client ${client}`;
}

/** Two budgets for the same: the later one replaces the earlier. */
export function isSameScope(a: Omit<Budget, 'usd'>, b: Omit<Budget, 'usd'>): boolean {
  return a.per === b.per && a.account === b.account && a.client === b.client;
}

/** The command that raises it. */
export function raiseCommand({ usd, per, account, client }: Budget): string {
  const whom =
    account !== null ? ` --account ${account}` : client !== null ? ` --client ${client}` : '';
  return `keypool-mcp budget set ${usd * 2}/${per}${whom}`;
}

/** When its spending began to count, and when it begins anew; null: with the session. */
export function budgetSpan(
  per: BudgetPeriod,
  now: number,
): { since: number; until: number } | null {
  if (per === 'session') return null;
  return per === 'day'
    ? { since: dayStart(now), until: dayStart(now, 1) }
    : { since: monthStart(now), until: monthStart(now, 1) };
}

/** What a budget counts, without its amount: the same text for the same spending in every home. */
export function budgetScope({ per, account, client }: Omit<Budget, 'usd'>): string {
  return JSON.stringify([per, account, client]);
}

/** The period that lasts at the moment, as this machine's zone has it: `2026-11-27`, `2026-11`. */
export function budgetLabel(per: BudgetPeriod, now: number): string {
  const day = dayOf(now);
  return per === 'month' ? day.slice(0, 'YYYY-MM'.length) : day;
}
