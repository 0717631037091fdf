/**
 * Ten thousand calls across a border of peak hours, with caches, failures and failovers: what the
 * ledger says they cost beside what the simulator billed by its own prices.
 */

import { createLogger } from '../../src/base/logger.ts';
import { Redactor } from '../../src/base/redact.ts';
import { KeyPool } from '../../src/pool/key-pool.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { type FaultStep, startSimulator } from '../../src/simulator/simulator.ts';
import { createDeepSeekClient } from '../../src/upstream/deepseek/deepseek.ts';
import { createPerplexityClient } from '../../src/upstream/perplexity/perplexity.ts';
import { createFetch } from '../../src/upstream/wire/http.ts';
import type { LedgerEntry } from '../../src/usage/ledger/entry.ts';
import { builtInPrices } from '../../src/usage/prices/load-prices.ts';
import { addEntry, emptyTally } from '../../src/usage/report/tally.ts';
import { newIdPrefix, UsageMeter } from '../../src/usage/usage-meter.ts';

const CALLS = 10_000;
const AT_ONCE = 32;
/** An hour around the end of a peak, in which all calls happen. */
const STARTS = Date.parse('2026-11-27T03:30:00Z');
const STEP_MS = 3_600_000 / CALLS;

let done = 0;
const wallNow = (): number => STARTS + done * STEP_MS;
const simulator = await startSimulator({ seed: 5, wallNow });
const random = seededRandom(11);

const FAULTS = [
  'cut',
  'overloaded',
  'reset_mid_content',
  'aborted',
  'server_error',
  'rate_limit',
] as const;
const faults: FaultStep[] = Array.from({ length: 75 }, (_, at) => ({
  fault: FAULTS[at % FAULTS.length] ?? 'cut',
}));

/** Faults among good answers, so that a key never fails twice in a row. */
function script(): FaultStep[] {
  return faults.flatMap((fault) => [
    { fault: 'ok' as const, times: 10 + Math.floor(random() * 20) },
    fault,
  ]);
}

const keys = [1, 2, 3, 4].map((number) => ({
  provider: 'deepseek' as const,
  name: number === 1 ? 'DEEPSEEK_API_KEY' : `DEEPSEEK_API_KEY_${number}`,
  account: `account-${number}`,
  secret: `fake-key-of-the-bench-${number}`,
}));
for (const { secret, account } of keys) {
  simulator.addKey(secret, {
    provider: 'deepseek',
    account,
    capacity: 16,
    ttftMs: 1,
    tokensPerSecond: 1_000_000,
    answerTokens: 300,
    faults: script(),
  });
}
const searcher = {
  provider: 'perplexity' as const,
  name: 'PERPLEXITY_API_KEY',
  account: null,
  secret: 'fake-search-key-of-the-bench',
};
simulator.addKey(searcher.secret, { provider: 'perplexity', account: 'search', ttftMs: 1 });
simulator.setAccount('search', { ratePerSecond: 100_000 });

const entries: LedgerEntry[] = [];
const logger = createLogger({ level: 'silent', redactor: new Redactor() });
const pool = new KeyPool({ keys: [...keys, searcher], maxConcurrent: 16, logger });
const meter = new UsageMeter({
  prices: () => Promise.resolve(builtInPrices()),
  now: wallNow,
  idPrefix: newIdPrefix(),
  beforeSending: () => {},
  takeAlerts: () => null,
  settle: () => {},
  admit: () => Promise.resolve(null),
  record: (entry) => {
    entries.push(entry);
    return Promise.resolve();
  },
});
const shared = {
  callTimeoutMs: 60_000,
  idleTimeoutMs: 20_000,
  fetch: createFetch({
    proxy: { httpProxy: null, httpsProxy: null, allProxy: null, noProxy: null },
  }),
  logger,
  meter,
};
const deepseek = createDeepSeekClient({
  ...shared,
  lender: pool.lender('deepseek'),
  baseUrl: simulator.deepseekUrl,
  defaultModel: 'deepseek-flash',
});
const perplexity = createPerplexityClient({
  ...shared,
  lender: pool.lender('perplexity'),
  baseUrl: simulator.perplexityUrl,
});

const context = () => ({
  signal: new AbortController().signal,
  session: 'bench',
  priority: 'interactive' as const,
  onProgress: () => {},
});

async function one(number: number): Promise<void> {
  if (number % 20 === 0) {
    await perplexity.search(
      {
        queries: [`question ${number}`],
        maxResults: 3,
        maxTokensPerPage: 256,
        country: null,
        domains: [],
        languages: [],
        recency: null,
        afterDate: null,
        beforeDate: null,
        mode: 'web',
        answer: number % 40 === 0 ? 'fast' : null,
      },
      context(),
    );
    return;
  }
  const isPro = number % 7 === 0;
  await deepseek.generate(
    {
      system: 'You write programs. '.repeat(60),
      user: `Write program ${number}. ${'More of it. '.repeat(number % 50)}`,
      model: isPro ? 'deepseek-v4-pro' : 'deepseek-flash',
      thinking: number % 5 === 0 ? 'low' : 'off',
      temperature: 0,
      maxTokens: 4_000,
    },
    context(),
  );
}

let next = 0;
let failed = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (next < CALLS) {
      await one(next++).catch(() => {
        failed += 1;
      });
      done += 1;
    }
  }),
);
pool.close();
const billed = simulator.bill().reduce((sum, { amount }) => sum + amount, 0);
await simulator.close();
const tally = emptyTally();
for (const entry of entries) addEntry(tally, entry);
const off = (tally.usd / billed - 1) * 100;
const share = (tally.perhapsUsd / tally.usd) * 100;
console.log(`${CALLS} calls, ${entries.length} attempts, ${failed} calls failed`);
console.log(
  `billed $${billed.toFixed(4)}, estimated $${tally.usd.toFixed(4)}: ${off.toFixed(2)} % off`,
);
console.log(
  `of it perhaps ${share.toFixed(2)} %; between $${tally.leastUsd.toFixed(4)} and $${tally.mostUsd.toFixed(4)}`,
);
process.exit(Math.abs(off) <= 1 ? 0 : 1);
