/**
 * What the accounts add to a call: prices and ledger alone, and with a budget. Milliseconds, p50 and
 * p99. Bundled before it is run: a compiler's wrappers cost more than some of what is measured.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../src/base/logger.ts';
import { Redactor } from '../../src/base/redact.ts';
import type { CallAsk } from '../../src/base/spending.ts';
import { Bookkeeping } from '../../src/commands/composition/money/bookkeeping.ts';
import { loadConfig } from '../../src/config.ts';
import { setBudget } from '../../src/usage/budgets/budget-file.ts';

const CALLS = 5_000;
const ASK: CallAsk = {
  provider: 'deepseek',
  model: 'deepseek-flash',
  promptBytes: 4_000,
  maxTokens: 4_000,
  tool: 'deepseek_generate_code',
  client: 'bench',
  session: 'bench',
  signal: new AbortController().signal,
  timeoutMs: 60_000,
  onWait: () => {},
};
const KEY = { keyName: 'DEEPSEEK_API_KEY', keyId: 'abc123', account: 'main' };
const tokens = {
  promptTokens: 1000,
  cachedTokens: 640,
  completionTokens: 300,
  reasoningTokens: null,
};
const USED = {
  outcome: 'ok',
  stage: 'done',
  model: null,
  tokens,
  untoldRequests: 0,
  arrivedTokens: 0,
  toldUsd: null,
} as const;

async function measure(home: string): Promise<number[]> {
  const books = new Bookkeeping({
    config: loadConfig({ home }, {}),
    logger: createLogger({ level: 'error', redactor: new Redactor() }),
    redact: (text) => text,
  });
  const times: number[] = [];
  for (let call = 0; call < CALLS; call++) {
    const startedAt = performance.now();
    const meter = await books.call(ASK);
    const ended = meter.attempt(KEY);
    ended(USED);
    meter.end();
    times.push(performance.now() - startedAt);
    // The write of the ledger has its own turn, as between two real calls.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await books.close();
  return times.sort((a, b) => a - b);
}

for (const withBudget of [false, true]) {
  const home = mkdtempSync(join(tmpdir(), 'keypool-bench-'));
  if (withBudget) await setBudget(home, { usd: 1_000, per: 'day', account: null, client: null });
  const times = await measure(home);
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(4);
  console.log(
    `${withBudget ? 'with a budget' : 'ledger alone'}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
  rmSync(home, { recursive: true, force: true });
}
