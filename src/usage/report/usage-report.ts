/** What was spent in a span, by whatever somebody wants to know it by. */

import { dayOf } from '../days.ts';
import { readBalances } from '../ledger/balance-reading.ts';
import type { LedgerEntry } from '../ledger/entry.ts';
import { type DaySpan, readLedger } from '../ledger/read-ledger.ts';
import { Reconciler, type Reconciliation } from './reconcile.ts';
import { addEntry, emptyTally, type Tally } from './tally.ts';

export const GROUPINGS = ['day', 'key', 'account', 'model', 'client', 'tool'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface Group {
  readonly name: string;
  readonly tally: Tally;
}

export interface UsageReport {
  readonly span: DaySpan;
  readonly by: Grouping;
  /** Days in their order; anything else by cost, the dearest first. */
  readonly groups: readonly Group[];
  readonly total: Tally;
  /** Of the day on which the report is made, as far as the span has it. */
  readonly today: Tally;
  /** Names of models without a price. */
  readonly unpricedModels: readonly string[];
  /** Days of the price tables that the estimates are from. */
  readonly pricesRead: readonly string[];
  readonly unreadableLines: number;
  readonly balances: readonly Reconciliation[];
}

const NAME_OF: Readonly<Record<Grouping, (entry: LedgerEntry) => string>> = {
  day: (entry) => dayOf(entry.endedAt),
  key: (entry) => `${entry.keyName} (${entry.keyId})`,
  account: (entry) => entry.account,
  model: (entry) => entry.model,
  client: (entry) => entry.client ?? 'unknown',
  tool: (entry) => entry.tool ?? 'unknown',
};

/** Names come out of a file that anybody may have written to: nothing for a terminal to obey. */
function cleanName(name: string): string {
  return name.replace(/[\p{C}\s]+/gu, ' ').trim() || 'unknown';
}

/** The name of the group that an entry belongs to. */
export function nameIn(by: Grouping, entry: LedgerEntry): string {
  return cleanName(NAME_OF[by](entry));
}

export function groupsInOrder(groups: ReadonlyMap<string, Tally>, by: Grouping): Group[] {
  const all = [...groups].map(([name, tally]) => ({ name, tally }));
  const byName = (a: Group, b: Group): number => (a.name < b.name ? -1 : 1);
  if (by === 'day') return all.sort(byName);
  return all.sort((a, b) => b.tally.usd - a.tally.usd || byName(a, b));
}

/** @param folder of the ledger */
export async function reportUsage(
  folder: string,
  span: DaySpan,
  by: Grouping,
  now: number,
): Promise<UsageReport> {
  const groups = new Map<string, Tally>();
  const [total, today] = [emptyTally(), emptyTally()];
  const unpriced = new Set<string>();
  const pricesRead = new Set<string>();
  const count = { unreadable: 0 };
  const reconciler = new Reconciler(await readBalances(folder, span));
  const day = dayOf(now);
  for await (const entry of readLedger(folder, span, count)) {
    const name = nameIn(by, entry);
    const group = groups.get(name) ?? emptyTally();
    groups.set(name, group);
    for (const tally of [group, total]) addEntry(tally, entry);
    reconciler.add(entry);
    if (dayOf(entry.endedAt) === day) addEntry(today, entry);
    if (entry.usd === null) unpriced.add(cleanName(entry.model));
    else pricesRead.add(cleanName(entry.pricesRead));
  }
  return {
    span,
    by,
    groups: groupsInOrder(groups, by),
    total,
    today,
    unpricedModels: [...unpriced].sort(),
    pricesRead: [...pricesRead].sort(),
    unreadableLines: count.unreadable,
    balances: reconciler.result(),
  };
}
