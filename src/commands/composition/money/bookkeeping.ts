/** Prices, ledger, budgets and who hears of both, opened for whoever makes calls. */

import { join } from 'node:path';
import type { Logger } from '../../../base/logger.ts';
import type { CallAsk, CallMeter, Meter } from '../../../base/spending.ts';
import type { Config } from '../../../config.ts';
import { writeFailure } from '../../../disk/failures.ts';
import { watchPath } from '../../../disk/path-watch.ts';
import { claim } from '../../../usage/alerts/claims.ts';
import type { Budget } from '../../../usage/budgets/budget.ts';
import type { BudgetAlert } from '../../../usage/budgets/budget-alerts.ts';
import { BudgetWatch } from '../../../usage/budgets/budget-file.ts';
import { BudgetKeeper, type BudgetState } from '../../../usage/budgets/budget-keeper.ts';
import { ReservationJournal } from '../../../usage/budgets/reservation-journal.ts';
import { SpentBook } from '../../../usage/budgets/spent-book.ts';
import { homeId } from '../../../usage/budgets/team/home-id.ts';
import type { TeamLink } from '../../../usage/budgets/team/team-line.ts';
import { TeamMemory } from '../../../usage/budgets/team/team-memory.ts';
import type { BalanceReading } from '../../../usage/ledger/balance-reading.ts';
import type { LedgerEntry } from '../../../usage/ledger/entry.ts';
import { alertsFolder, Ledger, usageFolder } from '../../../usage/ledger/ledger.ts';
import { type LoadedPrices, loadPrices, pricesPath } from '../../../usage/prices/load-prices.ts';
import { newIdPrefix, UsageMeter } from '../../../usage/usage-meter.ts';

export interface BookkeepingOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly redact: (text: string) => string;
  /** Caps beside those of the home folder. */
  readonly budgets?: readonly Budget[];
  /** Called before anything is sent; what it throws ends the call. */
  readonly beforeSending?: () => void;
  /** Hears of every call, the caller's words redacted. */
  readonly onCall?: (ask: CallAsk) => void;
  /** Hears of every finished attempt. */
  readonly onSpent?: (entry: LedgerEntry) => void;
  /** Hears of budgets that are nearly or wholly spent. */
  readonly onAlert?: (alert: BudgetAlert) => void;
  /** Hears of a price table of the user's that cannot be used. */
  readonly onPriceProblem?: (problem: string) => void;
  /** See `UsageMeterOptions`. */
  readonly takeAlerts?: (hasFailed: boolean) => string | null;
  /** The way to other homes that spend from the same budgets. */
  readonly team?: TeamLink;
  /** Epoch milliseconds; default the machine's clock. */
  readonly now?: () => number;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Bookkeeping implements Meter {
  readonly #options: BookkeepingOptions;
  readonly #ledger: Ledger | null;
  readonly #budgets: BudgetKeeper;
  readonly #meter: UsageMeter;
  readonly #stopWatching: () => void;
  #prices: Promise<LoadedPrices>;

  constructor(options: BookkeepingOptions) {
    const { config, now = Date.now } = options;
    this.#options = options;
    this.#ledger = config.ledger ? this.#openLedger(now) : null;
    this.#prices = this.#load();
    this.#stopWatching = watchPath(pricesPath(config.home), () => {
      this.#prices = this.#load();
    });
    const idPrefix = newIdPrefix();
    this.#budgets = this.#openBudgets(idPrefix, now);
    this.#budgets.prepare();
    this.#meter = new UsageMeter({
      prices: async () => (await this.#prices).table,
      now,
      idPrefix,
      beforeSending: options.beforeSending ?? (() => {}),
      takeAlerts: options.takeAlerts ?? (() => null),
      admit: (ask, mostUsd) => this.#budgets.admit(ask, mostUsd),
      record: (entry) => {
        this.#budgets.count(entry);
        options.onSpent?.(entry);
        return this.#ledger?.append(entry) ?? Promise.resolve();
      },
      settle: () => this.#ledger?.settle(),
    });
  }

  call(ask: CallAsk): Promise<CallMeter> {
    const { redact } = this.#options;
    // Both are the caller's own words.
    const [model, client] = [redact(ask.model), ask.client === null ? null : redact(ask.client)];
    const told = { ...ask, model, client };
    this.#options.onCall?.(told);
    return this.#meter.call(told);
  }

  /** What is spent of every budget. @throws ConfigError where they cannot be read */
  budgetStates(): BudgetState[] {
    return this.#budgets.states();
  }

  /** The table that calls are priced by at the moment, and what is wrong with the user's. */
  prices(): Promise<LoadedPrices> {
    return this.#prices;
  }

  noteBalance(reading: BalanceReading): void {
    this.#ledger?.noteBalance(reading);
  }

  /** To be called when the pool is closed: calls that it cut short end in this turn. */
  async close(): Promise<void> {
    this.#stopWatching();
    await nextTurn();
    this.#ledger?.close();
    // The last calls give their reservations back.
    await nextTurn();
    await this.#budgets.close();
  }

  #openBudgets(idPrefix: string, now: () => number): BudgetKeeper {
    const { config, logger, onAlert, team, budgets = [] } = this.#options;
    const folder = usageFolder(config.home);
    const watched = new BudgetWatch(config.home);
    return new BudgetKeeper({
      budgets: () => [...watched.current(), ...budgets],
      book: new SpentBook(folder, idPrefix),
      journal: new ReservationJournal({
        folder: join(folder, 'reservations'),
        now,
        onTrouble: (error) => this.#sayUnshared(writeFailure(folder, error).message),
      }),
      hasLedger: config.ledger,
      ...(team === undefined || !config.ledger
        ? {}
        : { team: { link: team, home: homeId(folder), memory: new TeamMemory(folder) } }),
      claim: (what) => claim(alertsFolder(config.home), what, now()),
      now,
      onAlert: (alert) => {
        logger.warn(alert.state === 'near' ? 'A budget is nearly spent' : 'A budget is spent', {
          budget: alert.budget,
          reason: alert.message,
        });
        onAlert?.(alert);
      },
    });
  }

  #sayUnshared(reason: string): void {
    if (this.#isUnshared) return;
    this.#isUnshared = true;
    this.#options.logger.warn('Budgets hold within this process alone', { reason });
  }

  #openLedger(now: () => number): Ledger {
    const { config, logger } = this.#options;
    const onTrouble = (error: unknown): void => {
      if (error === null) logger.info('The ledger can be written again');
      else {
        const { message, hint } = writeFailure(usageFolder(config.home), error);
        const what = { reason: message, next: hint };
        logger.warn('The ledger cannot be written; calls go on without it', what);
      }
    };
    return new Ledger({ home: config.home, now, onTrouble });
  }

  #lastProblem: string | null = null;
  #isUnshared = false;

  async #load(): Promise<LoadedPrices> {
    const loaded = await loadPrices(this.#options.config.home);
    const { problem } = loaded;
    // The folder is watched as a whole: many events are about other files.
    if (problem !== null && problem !== this.#lastProblem) {
      this.#options.logger.warn('A price table is not used', { reason: problem });
      this.#options.onPriceProblem?.(problem);
    }
    this.#lastProblem = problem;
    return loaded;
  }
}
