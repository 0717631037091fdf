/** The ledger of a home folder, for whoever spends. */

import { join } from 'node:path';
import { type BalanceReading, balanceLine } from './balance-reading.ts';
import { type LedgerEntry, lineOf } from './entry.ts';
import { MonthBook } from './month-book.ts';
import { monthOf } from './month-files.ts';

export function usageFolder(home: string): string {
  return join(home, 'usage');
}

/** Where it stands what was said already. */
export function alertsFolder(home: string): string {
  return join(usageFolder(home), 'alerts');
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

  /** @returns resolves when it is on the disk, or could not be written; never rejects */
  append(entry: LedgerEntry): Promise<void> {
    return this.#book.append(monthOf(entry.endedAt), lineOf(entry));
  }

  /** Puts what was appended where the end of this process cannot reach it. */
  settle(): void {
    this.#book.settle();
  }

  noteBalance(reading: BalanceReading): void {
    void this.#balances.append(monthOf(reading.at), balanceLine(reading));
  }

  close(): void {
    this.#book.close();
    this.#balances.close();
  }
}
