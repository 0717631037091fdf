/** What was spent in the last weeks, kept up to date while others append: for a page that looks on. */

import { dayOf, dayStart, monthStart } from '../days.ts';
import { type BalanceReading, parseBalance } from '../ledger/balance-reading.ts';
import { BookFollower } from '../ledger/book-follower.ts';
import { type LedgerEntry, parseLine } from '../ledger/entry.ts';
import { addEntry, addTally, emptyTally, type Tally } from './tally.ts';
import { type Group, groupsInOrder, nameIn } from './usage-report.ts';

export const FACETS = ['model', 'client', 'account', 'key'] as const;
export type Facet = (typeof FACETS)[number];

const DAYS_SHOWN = 30;
const HOURS = 24;

interface Day {
  readonly total: Tally;
  /** By the hour of the day in which an attempt ended. */
  readonly hours: readonly Tally[];
  readonly by: Readonly<Record<Facet, Map<string, Tally>>>;
}

export interface SpanTally {
  readonly total: Tally;
  /** The dearest first. */
  readonly by: Readonly<Record<Facet, readonly Group[]>>;
}

function emptyDay(): Day {
  return {
    total: emptyTally(),
    hours: Array.from({ length: HOURS }, emptyTally),
    by: { model: new Map(), client: new Map(), account: new Map(), key: new Map() },
  };
}

function tallyIn(tallies: Map<string, Tally>, name: string): Tally {
  const tally = tallies.get(name) ?? emptyTally();
  tallies.set(name, tally);
  return tally;
}

export class MoneyBook {
  readonly #folder: string;
  #days = new Map<string, Day>();
  #latest = new Map<string, BalanceReading>();
  #ledger: BookFollower;
  #balances: BookFollower;
  #since = 0;
  #unreadable = 0;
  #reading: Promise<void> = Promise.resolve();

  /** @param folder of the ledger */
  constructor(folder: string) {
    this.#folder = folder;
    this.#ledger = this.#followLedger();
    this.#balances = this.#followBalances();
  }

  /** Lines of which a part or all was unreadable. */
  get unreadableLines(): number {
    return this.#unreadable;
  }

  /** Reads what was added; one look at a time. @throws the system's error where it cannot be read */
  refresh(now: number): Promise<void> {
    const next = this.#reading.catch(() => {}).then(() => this.#read(now));
    this.#reading = next;
    return next;
  }

  /** Sums of the days from one instant to another, each with its whole day. */
  span(since: number, until: number): SpanTally {
    const [first, last] = [dayOf(since), dayOf(until)];
    const sum = emptyDay();
    for (const [name, day] of this.#days) {
      if (name < first || name > last) continue;
      addTally(sum.total, day.total);
      for (const facet of FACETS) {
        for (const [each, tally] of day.by[facet]) addTally(tallyIn(sum.by[facet], each), tally);
      }
    }
    const ordered = (facet: Facet): Group[] => groupsInOrder(sum.by[facet], facet);
    return {
      total: sum.total,
      by: {
        model: ordered('model'),
        client: ordered('client'),
        account: ordered('account'),
        key: ordered('key'),
      },
    };
  }

  /** The last thirty days, the oldest first; days without an attempt are among them. */
  days(now: number): ReadonlyArray<{ readonly day: string; readonly tally: Tally }> {
    return Array.from({ length: DAYS_SHOWN }, (_, at) => {
      const day = dayOf(dayStart(now, at + 1 - DAYS_SHOWN));
      return { day, tally: this.#days.get(day)?.total ?? emptyTally() };
    });
  }

  /** The twenty-four hours of a day. */
  hours(now: number): readonly Tally[] {
    return this.#days.get(dayOf(now))?.hours ?? Array.from({ length: HOURS }, emptyTally);
  }

  /** What each account had when its provider was last asked. */
  balances(): BalanceReading[] {
    return [...this.#latest.values()].sort((a, b) => (a.account < b.account ? -1 : 1));
  }

  /** Days since the first one that something was spent on, today included; at most `most`. */
  activeDays(now: number, most: number): number {
    for (let back = most - 1; back > 0; back--) {
      if (this.#days.has(dayOf(dayStart(now, -back)))) return back + 1;
    }
    return 1;
  }

  async #read(now: number): Promise<void> {
    this.#since = Math.min(monthStart(now), dayStart(now, 1 - DAYS_SHOWN));
    const oldest = dayOf(this.#since);
    for (const day of this.#days.keys()) if (day < oldest) this.#days.delete(day);
    if (await this.#readBooks()) return;
    this.#days = new Map();
    this.#latest = new Map();
    this.#unreadable = 0;
    this.#ledger = this.#followLedger();
    this.#balances = this.#followBalances();
    await this.#readBooks();
  }

  async #readBooks(): Promise<boolean> {
    return (await this.#ledger.read(this.#since)) && (await this.#balances.read(this.#since));
  }

  #followLedger(): BookFollower {
    return new BookFollower(this.#folder, 'ledger', (line) => {
      const { entries, hasRest } = parseLine(line);
      if (hasRest) this.#unreadable += 1;
      for (const entry of entries) if (entry.endedAt >= this.#since) this.#add(entry);
    });
  }

  #followBalances(): BookFollower {
    return new BookFollower(this.#folder, 'balances', (line) => {
      const reading = parseBalance(line);
      if (reading === null || reading.at < this.#since) return;
      this.#latest.set(JSON.stringify([reading.account, reading.currency]), reading);
    });
  }

  #add(entry: LedgerEntry): void {
    const name = dayOf(entry.endedAt);
    const day = this.#days.get(name) ?? emptyDay();
    this.#days.set(name, day);
    addEntry(day.total, entry);
    const hour = day.hours[new Date(entry.endedAt).getHours()];
    if (hour !== undefined) addEntry(hour, entry);
    for (const facet of FACETS) addEntry(tallyIn(day.by[facet], nameIn(facet, entry)), entry);
  }
}
