/** Money: what was spent, what may be, what is left, and when it is cheap. */

import type { MoneyView, Spent } from '../../api/money-view.ts';
import { find, setAttribute, setText } from '../drawing/elements.ts';
import { Tile } from '../drawing/tile.ts';
import { ask, RequestRefused } from '../session.ts';
import { BalanceTable } from './balance-table.ts';
import { BudgetList } from './budget-list.ts';
import {
  attemptsText,
  budgetAlert,
  budgetTone,
  costText,
  percent,
  unpricedText,
} from './money-format.ts';
import { PeakStrip } from './peak-strip.ts';
import { SpentBars } from './spent-bars.ts';
import { SpentTable } from './spent-table.ts';

const NO_TOKEN = 401;

function noteOf(spent: Spent): string {
  if (spent.attempts === 0) return 'no attempt';
  return unpricedText(spent) || attemptsText(spent.attempts);
}

/** What is wrong with the figures themselves. */
function doubtsOf({ isLedgerOn, problem, unreadableLines }: MoneyView): string {
  const off = 'The ledger is off (KEYPOOL_LEDGER): what is spent now is not among these sums.';
  const lines = `${unreadableLines} line${unreadableLines === 1 ? '' : 's'} of the ledger could not be read and ${unreadableLines === 1 ? 'is' : 'are'} left out.`;
  return [isLedgerOn ? '' : off, problem ?? '', unreadableLines === 0 ? '' : lines]
    .filter((text) => text !== '')
    .join(' ');
}

export class MoneySection {
  readonly #tiles = {
    today: new Tile('Today'),
    week: new Tile('Last 7 days'),
    month: new Tile('This month'),
    peak: new Tile('At peak prices'),
  };
  readonly #hours = new SpentBars('Today by hour');
  readonly #days = new SpentBars('Last 30 days');
  readonly #spent = new SpentTable();
  readonly #budgets = new BudgetList();
  readonly #balances = new BalanceTable();
  readonly #peaks = new PeakStrip();
  readonly #about = find('money-about', HTMLElement);
  readonly #problem = find('money-problem', HTMLElement);
  readonly #alert = find('money-alert', HTMLElement);

  constructor() {
    const { today, week, month, peak } = this.#tiles;
    const tiles = [today, week, month, peak].map(({ root }) => root);
    find('money-tiles', HTMLElement).append(...tiles);
    find('money-charts', HTMLElement).append(this.#hours.root, this.#days.root);
    find('money-left', HTMLElement).append(this.#spent.root, this.#peaks.root);
    find('money-right', HTMLElement).append(this.#budgets.root, this.#balances.root);
  }

  /** @throws RequestRefused without a valid token, Unreachable */
  async refresh(): Promise<void> {
    try {
      this.#show(await ask<MoneyView>('GET', '/api/money'), Date.now());
    } catch (error) {
      if (!(error instanceof RequestRefused) || error.status === NO_TOKEN) throw error;
      this.#say(error.message);
    }
  }

  #say(problem: string): void {
    setText(this.#problem, problem);
    setAttribute(this.#problem, 'hidden', problem === '');
  }

  #show(view: MoneyView, now: number): void {
    setAttribute(find('money-body', HTMLElement), 'hidden', null);
    this.#say(doubtsOf(view));
    setText(
      this.#about,
      `Estimated, by the prices of ${view.pricesRead}. Days and hours are those of ${view.zone}.`,
    );
    this.#showAlert(view);
    this.#showTiles(view);
    const hours = view.hours.map((spent, hour) => ({ name: `${hour}:00`, spent }));
    this.#hours.show(hours, ['0:00', '6:00', '12:00', '18:00', '24:00'], 'Nothing spent today');
    const days = view.days.map((spent) => ({ name: spent.day, spent }));
    const ends = [days[0]?.name ?? '', 'today'];
    this.#days.show(days, ends, 'Nothing spent in the last 30 days');
    this.#spent.show(view);
    this.#budgets.show(view.budgets, view.budgetProblem);
    this.#balances.show(view.balances, now);
    this.#peaks.show(view, now);
  }

  #showTiles({ spans }: MoneyView): void {
    const { today, week, month, peak } = this.#tiles;
    today.show(costText(spans.today.total), noteOf(spans.today.total));
    week.show(costText(spans.week.total), noteOf(spans.week.total));
    const { total } = spans.month;
    month.show(costText(total), noteOf(total));
    const note = total.peakUsd === 0 ? 'this month' : 'of this month';
    peak.show(total.usd === 0 ? '–' : percent(total.peakUsd, total.usd), note);
  }

  /** Above everything: who opened the page because calls are refused shall see why. */
  #showAlert({ budgets }: MoneyView): void {
    const said = budgets.flatMap((budget) => budgetAlert(budget) ?? []);
    setText(this.#alert, said.join(' '));
    setAttribute(this.#alert, 'hidden', said.length === 0);
    const isBad = budgets.some((budget) => budgetTone(budget) === 'bad');
    setAttribute(this.#alert, 'data-tone', isBad ? 'bad' : 'warn');
  }
}
