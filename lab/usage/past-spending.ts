/** A month of spending for a page to show: many models, some without a price, budgets in every state. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../src/simulator/random.ts';
import { balanceLine } from '../../src/usage/ledger/balance-reading.ts';
import { type LedgerEntry, lineOf } from '../../src/usage/ledger/entry.ts';
import { usageFolder } from '../../src/usage/ledger/ledger.ts';
import { monthFile, monthOf } from '../../src/usage/ledger/month-files.ts';

const ATTEMPTS = 400;
const MODELS = 40;
const DAY_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;

/** Nobody knows what this one costs. */
export const UNPRICED_MODEL = 'deepseek-of-an-unknown-price';

function pick<T>(values: readonly [T, ...T[]], random: number): T {
  return values[Math.floor(random * values.length)] ?? values[0];
}

function entriesOf(now: number): LedgerEntry[] {
  const random = seededRandom(11);
  return Array.from({ length: ATTEMPTS }, (_, at) => {
    const number = at % (MODELS + 1);
    const isPriced = number < MODELS;
    const endedAt = now - Math.floor(random() ** 2 * 20 * DAY_MS);
    const offPeak = 0.01 + random() / 10;
    const isPeak = random() < 0.4;
    const estimate = isPeak ? 2 * offPeak : offPeak;
    return {
      id: `past.${at}`,
      sentAt: endedAt - 1_000,
      endedAt,
      provider: 'deepseek',
      model: isPriced ? `deepseek-variant-${number}` : UNPRICED_MODEL,
      keyName: 'DEEPSEEK_API_KEY',
      keyId: 'abc123',
      account: pick(['main', 'work'], random()),
      tool: 'deepseek_generate_code',
      client: pick(['cursor', 'zed', 'batch'], random()),
      outcome: 'ok',
      promptTokens: Math.floor(random() * 8_000),
      cachedTokens: 0,
      completionTokens: Math.floor(random() * 3_000),
      reasoningTokens: null,
      usd: isPriced ? { estimate, least: estimate, most: estimate, offPeak } : null,
      cny: null,
      period: isPeak ? 'peak' : 'off_peak',
      isPerhaps: false,
      pricesRead: '2026-11-27',
    };
  });
}

/** @param home the home's folder */
export function writePast(home: string, now = Date.now()): void {
  const folder = usageFolder(home);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const entry of entriesOf(now)) {
    const path = monthFile(folder, 'ledger', monthOf(entry.endedAt));
    writeFileSync(path, `${lineOf(entry)}\n`, { flag: 'a', mode: 0o600 });
  }
  const readings = [
    { account: 'main', currency: 'USD', amount: 2 },
    { account: 'work', currency: 'USD', amount: 880 },
    { account: 'team', currency: 'CNY', amount: 0 },
  ].map((reading) => balanceLine({ ...reading, provider: 'deepseek', at: now - 5 * MINUTE_MS }));
  writeFileSync(monthFile(folder, 'balances', monthOf(now)), `${readings.join('\n')}\n`);
  const budget = { per: 'month', account: null, client: null };
  const budgets = [
    { ...budget, usd: 500_000 },
    { ...budget, usd: 0.01, client: 'cursor' },
    { ...budget, per: 'session', usd: 1, client: 'zed' },
  ];
  writeFileSync(join(home, 'budgets.json'), JSON.stringify({ v: 1, budgets }));
}
