/** A usage report for programs: JSON and CSV. */

import type { Reconciliation } from '../../usage/report/reconcile.ts';
import type { Tally } from '../../usage/report/tally.ts';
import type { UsageReport } from '../../usage/report/usage-report.ts';

/** Sums of floats, without the digits that are none of theirs. */
function amount(value: number): number {
  return Number(value.toFixed(8));
}

function fieldsOf(tally: Tally) {
  return {
    attempts: tally.attempts,
    served: tally.served,
    prompt_tokens: tally.promptTokens,
    cached_tokens: tally.cachedTokens,
    completion_tokens: tally.completionTokens,
    cost_usd: amount(tally.usd),
    least_usd: amount(tally.leastUsd),
    most_usd: amount(tally.mostUsd),
    perhaps_usd: amount(tally.perhapsUsd),
    peak_usd: amount(tally.peakUsd),
    off_peak_usd: amount(tally.offPeakUsd),
    cost_cny: amount(tally.cny),
    unpriced_attempts: tally.unpriced,
  };
}

function balanceFields(balance: Reconciliation) {
  const { account, currency, firstAt, lastAt, first, last } = balance;
  return {
    account,
    currency,
    first_at: new Date(firstAt).toISOString(),
    last_at: new Date(lastAt).toISOString(),
    first,
    last,
    spent: amount(balance.spent),
    paid_in: amount(balance.paidIn),
    estimate: amount(balance.estimate),
  };
}

export function reportJson(report: UsageReport): string {
  const { span, by, groups } = report;
  const document = {
    estimated: true,
    since: new Date(span.since).toISOString(),
    until: new Date(span.until).toISOString(),
    by,
    prices: report.pricesRead,
    groups: groups.map(({ name, tally }) => ({ [by]: name, ...fieldsOf(tally) })),
    total: fieldsOf(report.total),
    unpriced_models: report.unpricedModels,
    unreadable_lines: report.unreadableLines,
    balances: report.balances.map(balanceFields),
  };
  return JSON.stringify(document, null, 2);
}

/** RFC 4180. A spreadsheet takes what begins with these for a formula, and runs it. */
function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvText(report: UsageReport): string {
  const header = [report.by, ...Object.keys(fieldsOf(report.total))];
  const rows = report.groups.map(({ name, tally }) => [name, ...Object.values(fieldsOf(tally))]);
  return [header, ...rows].map((row) => row.map(cell).join(',')).join('\r\n');
}
