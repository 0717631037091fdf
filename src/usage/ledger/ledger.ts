/** The ledger of a home folder, for whoever spends. */

import { join } from 'node:path';
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

  constructor({ home, now, onTrouble }: LedgerOptions) {
    this.folder = usageFolder(home);
    this.#book = new MonthBook({ folder: this.folder, book: 'ledger', now, onTrouble });
  }

  append(entry: Entry): void {
    this.#book.append(monthOf(entry.endedAt), lineOf(entry));
  }

  flush(): Promise<void> {
    return this.#book.flush();
  }

  close(): Promise<void> {
    return this.#book.close();
  }
}
