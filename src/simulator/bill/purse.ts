/** The money of one account: what was granted is spent first, then what was paid in. */

import type { BilledCurrency } from './tariff.ts';

export interface PurseSettings {
  /** Money in the account, all of it; absent: it is shown as ten and never runs out. */
  readonly balance?: number;
  /** Of that, what the provider gave away. */
  readonly granted?: number;
  readonly currency?: BilledCurrency;
}

/** One line of an account's bill. */
export interface BillLine {
  readonly provider: 'deepseek' | 'perplexity';
  readonly model: string;
  readonly amount: number;
  readonly currency: BilledCurrency;
  /** Epoch milliseconds of the wall clock. */
  readonly at: number;
}

export interface Balance {
  readonly currency: BilledCurrency;
  readonly total: number;
  readonly granted: number;
  readonly toppedUp: number;
}

const SHOWN_WHERE_UNSET = 10;

export class Purse {
  readonly lines: BillLine[] = [];
  #settings: PurseSettings = {};
  #spentSinceSet = 0;

  configure(settings: PurseSettings): void {
    this.#settings = { ...this.#settings, ...settings };
    if (settings.balance !== undefined) this.#spentSinceSet = 0;
  }

  get currency(): BilledCurrency {
    return this.#settings.currency ?? 'USD';
  }

  get isEmpty(): boolean {
    return this.#settings.balance !== undefined && this.balance().total <= 0;
  }

  balance(): Balance {
    const { balance = SHOWN_WHERE_UNSET, granted = 0 } = this.#settings;
    const total = balance - this.#spentSinceSet;
    const left = Math.max(0, Math.min(total, granted - this.#spentSinceSet));
    return { currency: this.currency, total, granted: left, toppedUp: total - left };
  }

  charge(line: BillLine): void {
    this.lines.push(line);
    this.#spentSinceSet += line.amount;
  }
}
