/** Adds up entries of the ledger. */

import type { LedgerEntry } from '../ledger/entry.ts';

/** Sums of one group of attempts; money in US dollars by the dollar list. */
export interface Tally {
  attempts: number;
  served: number;
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  usd: number;
  leastUsd: number;
  mostUsd: number;
  /** The part of `usd` whose attempts are not certain to be billed, or not at that price. */
  perhapsUsd: number;
  /** The part of `usd` that was spent at peak prices, doubtful hours included. */
  peakUsd: number;
  /** What `usd` would have been off-peak. */
  offPeakUsd: number;
  /** By the yuan list, for accounts that are billed by it. */
  cny: number;
  /** Attempts of which no price is known: in none of the sums. */
  unpriced: number;
}

export function emptyTally(): Tally {
  return {
    attempts: 0,
    served: 0,
    promptTokens: 0,
    cachedTokens: 0,
    completionTokens: 0,
    usd: 0,
    leastUsd: 0,
    mostUsd: 0,
    perhapsUsd: 0,
    peakUsd: 0,
    offPeakUsd: 0,
    cny: 0,
    unpriced: 0,
  };
}

export function addEntry(tally: Tally, entry: LedgerEntry): void {
  tally.attempts += 1;
  if (entry.outcome === 'ok') tally.served += 1;
  tally.promptTokens += entry.promptTokens ?? 0;
  tally.cachedTokens += entry.cachedTokens ?? 0;
  tally.completionTokens += entry.completionTokens ?? 0;
  tally.cny += entry.cny?.estimate ?? 0;
  if (entry.usd === null) {
    tally.unpriced += 1;
    return;
  }
  const { estimate, least, most, offPeak } = entry.usd;
  tally.usd += estimate;
  tally.leastUsd += least;
  tally.mostUsd += most;
  tally.offPeakUsd += offPeak;
  if (entry.isPerhaps) tally.perhapsUsd += estimate;
  if (entry.period === 'peak' || entry.period === 'perhaps') tally.peakUsd += estimate;
}

const FIELDS = [
  'attempts',
  'served',
  'promptTokens',
  'cachedTokens',
  'completionTokens',
  'usd',
  'leastUsd',
  'mostUsd',
  'perhapsUsd',
  'peakUsd',
  'offPeakUsd',
  'cny',
  'unpriced',
] as const satisfies ReadonlyArray<keyof Tally>;

export function addTally(into: Tally, more: Tally): void {
  for (const field of FIELDS) into[field] += more[field];
}
