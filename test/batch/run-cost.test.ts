import { describe, expect, it } from 'vitest';
import { RunCost } from '../../src/batch/run-cost.ts';
import type { LedgerEntry } from '../../src/usage/ledger/entry.ts';
import { builtInPrices } from '../../src/usage/prices/load-prices.ts';
import { entryAt } from '../usage/entries.ts';

const TABLE = builtInPrices();
const cost = (usd: number) => ({ estimate: usd, least: usd, most: usd, offPeak: usd });

function lines(entries: ReadonlyArray<Partial<LedgerEntry>>, isOffPeak = true): string[] {
  const run = new RunCost();
  for (const changes of entries) run.add(entryAt('2026-11-27T12:00:00Z', changes));
  return run.lines(TABLE, isOffPeak);
}

/** A million of each kind, off-peak: $0.003 + $0.15 + $0.60; at peak twice as much. */
const MILLIONS = {
  promptTokens: 2_000_000,
  cachedTokens: 1_000_000,
  completionTokens: 1_000_000,
  usd: cost(0.753),
} as const;

describe('what a run cost', () => {
  it('is said with what it would have been at peak prices, where it kept clear of them', () => {
    expect(lines([MILLIONS, MILLIONS])).toEqual([
      'cost $1.51 by estimate, $1.51 less than at peak prices',
    ]);
    expect(lines([MILLIONS], false)).toEqual(['cost $0.7530 by estimate']);
  });

  it('claims no saving for what nobody told, nor for what was spent at peak', () => {
    expect(lines([{ ...MILLIONS, promptTokens: null }])).toEqual(['cost $0.7530 by estimate']);
    expect(lines([{ ...MILLIONS, period: 'peak' }])).toEqual(['cost $0.7530 by estimate']);
  });

  it('is not invented for a model without a price', () => {
    expect(lines([{ usd: null, model: 'deepseek-v9' }])).toEqual([
      'what it cost is not known: no price of deepseek-v9',
    ]);
    expect(lines([MILLIONS, { usd: null, model: 'deepseek-v9' }], false)).toEqual([
      'cost $0.7530 by estimate; without deepseek-v9, of which no price is known',
    ]);
  });

  it('is nothing to speak of where nothing was sent', () => {
    expect(lines([])).toEqual([]);
  });
});
