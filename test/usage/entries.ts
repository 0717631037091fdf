/** Entries of a ledger for tests, and a place to put them. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../lab/store.ts';
import { type LedgerEntry, lineOf } from '../../src/usage/ledger/entry.ts';

export function entryAt(at: string, changes: Partial<LedgerEntry> = {}): LedgerEntry {
  const endedAt = Date.parse(at);
  const usd = { estimate: 0.5, least: 0.5, most: 0.5, offPeak: 0.5 };
  return {
    id: at,
    sentAt: endedAt - 1000,
    endedAt,
    provider: 'deepseek',
    model: 'deepseek-flash',
    keyName: 'DEEPSEEK_API_KEY',
    keyId: 'abc123',
    account: 'main',
    tool: 'deepseek_generate_code',
    client: 'test-client',
    outcome: 'ok',
    promptTokens: 1000,
    cachedTokens: 640,
    completionTokens: 500,
    reasoningTokens: null,
    usd,
    cny: { estimate: 3.5, least: 3.5, most: 3.5, offPeak: 3.5 },
    period: 'off_peak',
    isPerhaps: false,
    pricesRead: '2026-11-27',
    ...changes,
  };
}

/** A home whose ledger holds these. */
export function homeWith(entries: readonly LedgerEntry[], extra = ''): string {
  const home = temporaryFolder();
  const folder = join(home, 'usage');
  mkdirSync(folder);
  for (const entry of entries) {
    const month = new Date(entry.endedAt).toISOString().slice(0, 7);
    const name = join(folder, `ledger-${month}.jsonl`);
    writeFileSync(name, `${lineOf(entry)}\n`, { flag: 'a' });
  }
  if (extra !== '') writeFileSync(join(folder, 'ledger-2026-11.jsonl'), extra, { flag: 'a' });
  return home;
}
