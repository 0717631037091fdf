/** The page's money view, out of ledger, budgets and prices as they are when somebody looks. */

import { ConfigError } from '../../base/errors.ts';
import { systemCode } from '../../base/system/system-error.ts';
import type {
  BalanceView,
  BudgetView,
  HoursView,
  MoneyView,
  SpanSpent,
  Spent,
  SpentBy,
} from '../../http/api/money-view.ts';
import { budgetName } from '../../usage/budgets/budget.ts';
import type { BudgetState } from '../../usage/budgets/budget-keeper.ts';
import { dayOf, dayStart, monthStart, zoneName } from '../../usage/days.ts';
import type { BalanceReading } from '../../usage/ledger/balance-reading.ts';
import { usageFolder } from '../../usage/ledger/ledger.ts';
import { periodsBetween } from '../../usage/prices/calendar.ts';
import { type PriceTable, priceAt } from '../../usage/prices/price-table.ts';
import { MoneyBook, type SpanTally } from '../../usage/report/money-book.ts';
import type { Tally } from '../../usage/report/tally.ts';
import type { Group } from '../../usage/report/usage-report.ts';
import type { Runtime } from '../composition/runtime.ts';
import type { ServedEnvironment } from '../composition/served-environment.ts';

/** More rows than anybody reads. */
const MOST_ROWS = 100;
const WEEK_DAYS = 7;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

function spentOf(tally: Tally): Spent {
  const { attempts, promptTokens, completionTokens, usd, peakUsd, offPeakUsd, unpriced } = tally;
  return { attempts, tokens: promptTokens + completionTokens, usd, peakUsd, offPeakUsd, unpriced };
}

function listOf(groups: readonly Group[]): { list: SpentBy[]; more: number } {
  const shown = groups.slice(0, MOST_ROWS);
  const list = shown.map(({ name, tally }) => ({ name, ...spentOf(tally) }));
  return { list, more: groups.length - shown.length };
}

function spanOf({ total, by }: SpanTally): SpanSpent {
  return {
    total: spentOf(total),
    by: {
      model: listOf(by.model),
      client: listOf(by.client),
      account: listOf(by.account),
      key: listOf(by.key),
    },
  };
}

function budgetView({ budget, spentUsd, resetsAt }: BudgetState): BudgetView {
  const resets = resetsAt === null ? null : dayOf(resetsAt);
  return { name: budgetName(budget), ...budget, spentUsd, resets };
}

function budgetsOf(runtime: Runtime): Pick<MoneyView, 'budgets' | 'budgetProblem'> {
  try {
    return { budgets: runtime.budgets().map(budgetView), budgetProblem: null };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { budgets: [], budgetProblem: `${error.message}: ${error.hint}` };
  }
}

function factorOf(table: PriceTable, model: string, now: number): number | null {
  const list = priceAt(table, 'deepseek', model, now)?.lists.usd ?? null;
  if (list === null || list.offPeak.output === 0) return null;
  return list.peak.output / list.offPeak.output;
}

function hoursOf(table: PriceTable, model: string, now: number): HoursView | null {
  const price = priceAt(table, 'deepseek', model, now);
  if (price === null) return null;
  const spans = periodsBetween(price.calendar, now, now + DAY_MS).map((span) => ({
    from: new Date(span.from).toISOString(),
    until: new Date(span.until).toISOString(),
    period: span.period,
  }));
  return { model, factor: factorOf(table, model, now), spans };
}

/** How long the money lasts, by what the account spent in the last week. */
function balanceView(reading: BalanceReading, week: SpanTally, days: number): BalanceView {
  const { account, currency, amount, at } = reading;
  const tally = week.by.account.find(({ name }) => name === account)?.tally;
  const spent = (currency === 'CNY' ? tally?.cny : tally?.usd) ?? 0;
  const lastsDays = spent > 0 ? (amount * days) / spent : null;
  return { account, currency, amount, readAt: new Date(at).toISOString(), lastsDays };
}

interface KnownHours {
  readonly table: PriceTable;
  readonly model: string;
  readonly minute: number;
  readonly view: HoursView | null;
}

export class MoneyDesk {
  readonly #served: ServedEnvironment;
  readonly #book: MoneyBook;
  /** Looking for borders by the minute takes longer than all else: done anew every minute. */
  #hours: KnownHours | null = null;

  constructor(served: ServedEnvironment) {
    this.#served = served;
    this.#book = new MoneyBook(usageFolder(served.config.home));
  }

  async view(now = Date.now()): Promise<MoneyView> {
    const { config } = this.#served;
    const runtime = await this.#served.runtime();
    const { table, problem: priceProblem } = await runtime.prices();
    const book = this.#book;
    const problems = [await this.#refresh(now), priceProblem].filter((each) => each !== null);
    const week = book.span(dayStart(now, 1 - WEEK_DAYS), now);
    const days = book.activeDays(now, WEEK_DAYS);
    return {
      zone: zoneName(),
      isLedgerOn: config.ledger,
      problem: problems.map((each) => `${each}.`).join(' ') || null,
      unreadableLines: book.unreadableLines,
      pricesRead: table.read,
      spans: {
        today: spanOf(book.span(now, now)),
        week: spanOf(week),
        month: spanOf(book.span(monthStart(now), now)),
      },
      days: book.days(now).map(({ day, tally }) => ({ day, ...spentOf(tally) })),
      hours: book.hours(now).map(spentOf),
      ...budgetsOf(runtime),
      balances: book.balances().map((reading) => balanceView(reading, week, days)),
      peak: this.#hoursFrom(table, config.deepseekModel, now),
    };
  }

  /** @returns why there is nothing new; null when there is */
  async #refresh(now: number): Promise<string | null> {
    try {
      await this.#book.refresh(now);
      return null;
    } catch (error) {
      return `The ledger cannot be read (${systemCode(error)}): what is shown may be old`;
    }
  }

  #hoursFrom(table: PriceTable, model: string, now: number): HoursView | null {
    const minute = Math.floor(now / MINUTE_MS);
    const known = this.#hours;
    const isNew = known?.minute !== minute || known.table !== table || known.model !== model;
    if (isNew) this.#hours = { table, model, minute, view: hoursOf(table, model, now) };
    return this.#hours?.view ?? null;
  }
}
