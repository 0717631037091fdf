/** What was and may be spent, as the page gets it. Plain data; money in US dollars by estimate. */

export const MONEY_FACETS = ['model', 'client', 'account', 'key'] as const;
export type MoneyFacet = (typeof MONEY_FACETS)[number];

export const MONEY_SPANS = ['today', 'week', 'month'] as const;
export type MoneySpan = (typeof MONEY_SPANS)[number];

export interface Spent {
  readonly attempts: number;
  readonly tokens: number;
  readonly usd: number;
  /** The part of `usd` at peak prices. */
  readonly peakUsd: number;
  /** What `usd` would have been off-peak. */
  readonly offPeakUsd: number;
  /** Attempts of which no price is known: in none of the sums. */
  readonly unpriced: number;
}

export interface SpentBy extends Spent {
  readonly name: string;
}

export interface SpanSpent {
  readonly total: Spent;
  /** The dearest first; what is too much to send is left out, and counted. */
  readonly by: Readonly<
    Record<MoneyFacet, { readonly list: readonly SpentBy[]; readonly more: number }>
  >;
}

export interface BudgetView {
  /** `5/day account main`. */
  readonly name: string;
  readonly usd: number;
  readonly per: 'day' | 'month' | 'session';
  readonly account: string | null;
  readonly client: string | null;
  /** null for a session: each has its own. */
  readonly spentUsd: number | null;
  /** `2026-11-28`, a day of the server's zone. */
  readonly resets: string | null;
}

export interface BalanceView {
  readonly account: string;
  readonly currency: string;
  readonly amount: number;
  /** ISO 8601: when the provider said so. */
  readonly readAt: string;
  /** At the rate of the last week; null where nothing was spent. */
  readonly lastsDays: number | null;
}

export interface HoursView {
  readonly model: string;
  /** How many times the off-peak price the peak price is; null where it is not known. */
  readonly factor: number | null;
  /** From now on, for a day. ISO 8601. */
  readonly spans: ReadonlyArray<{
    readonly from: string;
    readonly until: string;
    readonly period: 'peak' | 'off_peak' | 'perhaps';
  }>;
}

export interface MoneyView {
  /** The server's time zone: days and hours are of it. */
  readonly zone: string;
  readonly isLedgerOn: boolean;
  /** About a ledger that cannot be read, or a price table that is not used; null when all is well. */
  readonly problem: string | null;
  readonly unreadableLines: number;
  /** Days of the price tables in force. */
  readonly pricesRead: string;
  readonly spans: Readonly<Record<MoneySpan, SpanSpent>>;
  /** The last thirty, the oldest first. */
  readonly days: ReadonlyArray<Spent & { readonly day: string }>;
  /** Of today, 0 to 23. */
  readonly hours: readonly Spent[];
  readonly budgets: readonly BudgetView[];
  readonly budgetProblem: string | null;
  readonly balances: readonly BalanceView[];
  /** null where the prices of the model are not known. */
  readonly peak: HoursView | null;
}
