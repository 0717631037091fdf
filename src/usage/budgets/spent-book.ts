/** What was spent this month, by day and for whom: the ledger of all processes, kept up to date. */

import { dayOf, monthStart } from '../days.ts';
import { type LedgerEntry, parseLine } from '../ledger/entry.ts';
import { monthFile, monthOf } from '../ledger/month-files.ts';
import { Tail } from '../ledger/tail.ts';
import { type Budget, budgetLabel, budgetScope } from './budget.ts';

const MINUTE_MS = 60_000;
/** Clients name themselves: of more scopes the ones that spent least are not told. */
const MOST_TOLD = 64;

type Scope = Pick<Budget, 'account' | 'client'>;

function scopeKey({ account, client }: Scope): string {
  return JSON.stringify([account, client]);
}

const EVERYTHING: Scope = { account: null, client: null };

export class SpentBook {
  readonly #folder: string;
  readonly #ownPrefix: string;
  readonly #days = new Map<string, Map<string, number>>();
  readonly #scopes = new Map<string, Scope>();
  readonly #tails = new Map<string, Tail>();
  readonly #caughtUp = new Set<string>();
  #minute = Number.NaN;
  #months: ReadonlySet<string> = new Set();

  /** @param ownPrefix of the ids of this process, which counts its own entries at once */
  constructor(folder: string, ownPrefix: string) {
    this.#folder = folder;
    this.#ownPrefix = ownPrefix;
  }

  /** Reads what was added since the last time. The first time that is the whole month. */
  refresh(now: number): void {
    for (const month of this.#monthsAt(now)) this.#tailOf(month).read();
  }

  /** Whether all that there was to read at first has been read. */
  isCaughtUp(now: number): boolean {
    return [...this.#monthsAt(now)].every((month) => this.#caughtUp.has(month));
  }

  /** Reads the month for the first time, and lets others have their turn meanwhile. */
  async catchUp(now: number): Promise<void> {
    for (const month of this.#monthsAt(now)) {
      await this.#tailOf(month).catchUp();
      this.#caughtUp.add(month);
    }
  }

  /** One of this process, before it is on the disk. */
  addOwn(entry: LedgerEntry): void {
    this.#add(entry);
  }

  /** Dollars that count for a budget of days or months. */
  spent(budget: Budget, now: number): number {
    const key = scopeKey(budget);
    const today = dayOf(now);
    if (budget.per === 'day') return this.#days.get(today)?.get(key) ?? 0;
    let sum = 0;
    for (const [day, sums] of this.#days) {
      if (day.slice(0, 7) === today.slice(0, 7)) sum += sums.get(key) ?? 0;
    }
    return sum;
  }

  /** Everything that counts for budgets of this day and month, for other homes to count as well. */
  totals(now: number): Array<{ scope: string; label: string; usd: number }> {
    return (['day', 'month'] as const).flatMap((per) => {
      const label = budgetLabel(per, now);
      return [...this.#scopes.values()]
        .map((scope) => ({
          scope: budgetScope({ ...scope, per }),
          label,
          usd: this.spent({ ...scope, per, usd: 0 }, now),
        }))
        .filter(({ usd }) => usd > 0)
        .sort((a, b) => b.usd - a.usd)
        .slice(0, MOST_TOLD);
    });
  }

  close(): void {
    for (const tail of this.#tails.values()) tail.close();
    this.#tails.clear();
  }

  /** A month of this machine's zone lies in two months of UTC. */
  #monthsAt(now: number): ReadonlySet<string> {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.#minute) this.#months = new Set([monthOf(monthStart(now)), monthOf(now)]);
    this.#minute = minute;
    return this.#months;
  }

  #tailOf(month: string): Tail {
    const known = this.#tails.get(month);
    if (known !== undefined) return known;
    const tail = new Tail(monthFile(this.#folder, 'ledger', month), (line) => {
      for (const entry of parseLine(line).entries) {
        if (!entry.id.startsWith(this.#ownPrefix)) this.#add(entry);
      }
    });
    this.#tails.set(month, tail);
    return tail;
  }

  #add(entry: LedgerEntry): void {
    const usd = entry.usd?.estimate ?? 0;
    if (usd === 0) return;
    const day = dayOf(entry.endedAt);
    const sums = this.#days.get(day) ?? new Map<string, number>();
    this.#days.set(day, sums);
    const { account, client } = entry;
    const scopes = [
      EVERYTHING,
      { account, client: null },
      ...(client === null ? [] : [{ account: null, client }]),
    ];
    for (const scope of scopes) {
      const key = scopeKey(scope);
      if (!this.#scopes.has(key)) this.#scopes.set(key, scope);
      sums.set(key, (sums.get(key) ?? 0) + usd);
    }
  }
}
