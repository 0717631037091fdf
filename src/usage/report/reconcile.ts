/** The estimate beside the provider's own figures, where its balance was read more than once. */

import type { BalanceReading } from '../ledger/balance-reading.ts';
import type { LedgerEntry } from '../ledger/entry.ts';

export interface Reconciliation {
  readonly account: string;
  readonly currency: string;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly first: number;
  readonly last: number;
  /** What the balance went down by, what was paid in meanwhile left out. */
  readonly spent: number;
  /** What went up between two readings. */
  readonly paidIn: number;
  /** The ledger's estimate of the same time, by the list of that currency. */
  readonly estimate: number;
}

interface Account {
  readonly account: string;
  readonly currency: string;
  readonly readings: readonly BalanceReading[];
  estimate: number;
}

function moves(readings: readonly BalanceReading[]): { spent: number; paidIn: number } {
  let spent = 0;
  let paidIn = 0;
  for (const [at, { amount }] of readings.entries()) {
    const change = amount - (readings[at - 1]?.amount ?? amount);
    if (change < 0) spent -= change;
    else paidIn += change;
  }
  return { spent, paidIn };
}

export class Reconciler {
  readonly #accounts: readonly Account[];

  constructor(readings: readonly BalanceReading[]) {
    const grouped = new Map<string, BalanceReading[]>();
    for (const reading of [...readings].sort((a, b) => a.at - b.at)) {
      const name = JSON.stringify([reading.account, reading.currency]);
      grouped.set(name, [...(grouped.get(name) ?? []), reading]);
    }
    this.#accounts = [...grouped.values()].flatMap((group) => {
      const [first] = group;
      if (first === undefined || group.length < 2) return [];
      const { account, currency } = first;
      return [{ account, currency, readings: group, estimate: 0 }];
    });
  }

  add(entry: LedgerEntry): void {
    for (const account of this.#accounts) {
      const [from, to] = [account.readings[0]?.at ?? 0, account.readings.at(-1)?.at ?? 0];
      const isWithin = entry.endedAt >= from && entry.endedAt < to;
      if (entry.account !== account.account || !isWithin) continue;
      const cost = account.currency === 'CNY' ? entry.cny : entry.usd;
      account.estimate += cost?.estimate ?? 0;
    }
  }

  result(): Reconciliation[] {
    return this.#accounts.flatMap(({ account, currency, readings, estimate }) => {
      const [first, last] = [readings[0], readings.at(-1)];
      if (first === undefined || last === undefined) return [];
      const ends = { firstAt: first.at, lastAt: last.at, first: first.amount, last: last.amount };
      return [{ account, currency, ...ends, ...moves(readings), estimate }];
    });
  }
}
