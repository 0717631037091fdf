/** Prices, ledger and who hears of both, opened for whoever makes calls. */

import type { Logger } from '../../base/logger.ts';
import type { CallAsk, CallMeter, Meter } from '../../base/spending.ts';
import type { Config } from '../../config.ts';
import { watchPath } from '../../disk/path-watch.ts';
import type { Entry } from '../../usage/ledger/entry.ts';
import { Ledger } from '../../usage/ledger/ledger.ts';
import { loadPrices, pricesPath } from '../../usage/prices/load-prices.ts';
import type { PriceTable } from '../../usage/prices/price-table.ts';
import { UsageMeter } from '../../usage/usage-meter.ts';

export interface BookkeepingOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Hears of every finished attempt. */
  readonly onSpent?: (entry: Entry) => void;
  /** Epoch milliseconds; default the machine's clock. */
  readonly now?: () => number;
}

/** A program that ends waits this long for a disk that hangs. */
const FLUSH_MS = 500;

const TROUBLES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  EACCES: 'no permission',
  EPERM: 'no permission',
  ENOTDIR: 'something else stands in its place',
};

function troubleOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return TROUBLES[code] ?? (code === '' ? 'it failed' : code);
}

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
    return this.#meter.call(ask);
  }

  /** Resolves when the ledger is written, or its disk had its time. */
  async close(): Promise<void> {
    this.#stopWatching();
    // Calls that were just aborted end in this turn, and are written, too.
    await new Promise((resolve) => setImmediate(resolve));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, FLUSH_MS);
    });
    await Promise.race([this.#ledger?.close(), late]);
    clearTimeout(timer);
  }

  #openLedger(now: () => number): Ledger {
    const { config, logger } = this.#options;
    const onTrouble = (error: unknown): void => {
      if (error === null) logger.info('The ledger can be written again');
      else {
        const what = { folder: config.home, reason: troubleOf(error) };
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
