/** The ledger of a home folder, for whoever spends. */

import { join } from 'node:path';
import { type BalanceReading, balanceLine } from './balance-reading.ts';
import { type Entry, lineOf } from './entry.ts';
import { MonthBook } from './month-book.ts';
import { monthOf } from './month-files.ts';

export function usageFolder(home: string): string {
  return join(home, 'usage');
}

export interface LedgerOptions {
  readonly home: string;
  readonly now: () => number;
  /** See `BookOptions`. */
  readonly onTrouble: (error: unknown) => void;
}

export class Ledger {
  readonly folder: string;
  readonly #book: MonthBook;
  readonly #balances: MonthBook;

  constructor({ home, now, onTrouble }: LedgerOptions) {
    this.folder = usageFolder(home);
    const { folder } = this;
    this.#book = new MonthBook({ folder, book: 'ledger', now, onTrouble });
    // Who cannot write the one cannot write the other, and has said so.
    this.#balances = new MonthBook({ folder, book: 'balances', now, onTrouble: () => {} });
  }

  append(entry: Entry): void {
    this.#book.append(monthOf(entry.endedAt), lineOf(entry));
  }

  noteBalance(reading: BalanceReading): void {
    this.#balances.append(monthOf(reading.at), balanceLine(reading));
  }

  async flush(): Promise<void> {
    await Promise.all([this.#book.flush(), this.#balances.flush()]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#book.close(), this.#balances.close()]);
  }
}
