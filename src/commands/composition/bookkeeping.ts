/** Prices, ledger and who hears of both, opened for whoever makes calls. */

import type { Logger } from '../../base/logger.ts';
import type { CallAsk, CallMeter, Meter } from '../../base/spending.ts';
import { within } from '../../base/within.ts';
import type { Config } from '../../config.ts';
import { writeFailure } from '../../disk/failures.ts';
import { watchPath } from '../../disk/path-watch.ts';
import type { BalanceReading } from '../../usage/ledger/balance-reading.ts';
import type { Entry } from '../../usage/ledger/entry.ts';
import { Ledger, usageFolder } from '../../usage/ledger/ledger.ts';
import { loadPrices, pricesPath } from '../../usage/prices/load-prices.ts';
import type { PriceTable } from '../../usage/prices/price-table.ts';
import { UsageMeter } from '../../usage/usage-meter.ts';

export interface BookkeepingOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly redact: (text: string) => string;
  /** Hears of every finished attempt. */
  readonly onSpent?: (entry: Entry) => void;
  /** Epoch milliseconds; default the machine's clock. */
  readonly now?: () => number;
}

/** A program that ends waits this long for a disk that hangs. */
const FLUSH_MS = 500;

export class Bookkeeping implements Meter {
  readonly #options: BookkeepingOptions;
  readonly #ledger: Ledger | null;
  readonly #meter: UsageMeter;
  readonly #stopWatching: () => void;
  #prices: Promise<PriceTable>;

  constructor(options: BookkeepingOptions) {
    const { config, now = Date.now } = options;
    this.#options = options;
    this.#ledger = config.ledger ? this.#openLedger(now) : null;
    this.#prices = this.#load();
    this.#stopWatching = watchPath(pricesPath(config.home), () => {
      this.#prices = this.#load();
    });
    this.#meter = new UsageMeter({
      prices: () => this.#prices,
      now,
      onEntry: (entry) => {
        this.#ledger?.append(entry);
        options.onSpent?.(entry);
      },
    });
  }

  call(ask: CallAsk): Promise<CallMeter> {
    const { redact } = this.#options;
    // Both are the caller's own words.
    const [model, client] = [redact(ask.model), ask.client === null ? null : redact(ask.client)];
    return this.#meter.call({ ...ask, model, client });
  }

  noteBalance(reading: BalanceReading): void {
    this.#ledger?.noteBalance(reading);
  }

  /** Resolves when the ledger is written, or its disk had its time. */
  async close(): Promise<void> {
    this.#stopWatching();
    // Calls that were just aborted end in this turn, and are written, too.
    await new Promise((resolve) => setImmediate(resolve));
    await within(FLUSH_MS, this.#ledger?.close() ?? Promise.resolve());
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

  async #load(): Promise<PriceTable> {
    const { table, problem } = await loadPrices(this.#options.config.home);
    // The folder is watched as a whole: many events are about other files.
    if (problem !== null && problem !== this.#lastProblem) {
      this.#options.logger.warn('A price table is not used', { reason: problem });
    }
    this.#lastProblem = problem;
    return table;
  }
}
