/**
 * Spends invented money through the real ledger and budgets of a home folder until it is refused,
 * done or killed; with KEYPOOL_REDIS_URL together with those of other homes. Bundled and run by
 * tests and a benchmark; prints a line of JSON for each call.
 *
 * argv: home, calls, calls at once, seed, milliseconds of a call
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { BudgetError } from '../../src/base/errors.ts';
import { createLogger } from '../../src/base/logger.ts';
import { Redactor } from '../../src/base/redact.ts';
import type { AttemptUse, CallAsk } from '../../src/base/spending.ts';
import { Bookkeeping } from '../../src/commands/composition/money/bookkeeping.ts';
import { type SharedPool, sharedPool } from '../../src/commands/composition/sharing/shared-pool.ts';
import { loadConfig } from '../../src/config.ts';
import { seededRandom } from '../../src/simulator/random.ts';

const [home = '', calls = '1', atOnce = '1', seed = '1', ms = '2'] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const { KEYPOOL_REDIS_URL: redisUrl } = process.env;
const config = loadConfig(
  { home, logLevel: 'error' },
  redisUrl === undefined ? {} : { KEYPOOL_REDIS_URL: redisUrl },
);
const redactor = new Redactor();
const logger = createLogger({ level: 'error', redactor });

async function others(): Promise<SharedPool | null> {
  if (redisUrl === undefined) return null;
  const options = { config, logger, redactor, title: 'spender', hasBudgets: () => true };
  const found = await sharedPool(options);
  if (typeof found === 'string') throw new TypeError(found);
  found.useStore(null, ['fake-key-of-all-spenders']);
  return found;
}

const shared = await others();
const books = new Bookkeeping({
  config,
  logger,
  redact: (text) => text,
  ...(shared === null || shared.team === null ? {} : { team: shared.team }),
});

const ASK: CallAsk = {
  provider: 'deepseek',
  model: 'deepseek-flash',
  promptBytes: 2_000,
  maxTokens: 2_000,
  tool: 'deepseek_generate_code',
  client: 'spender',
  session: 'spender',
  signal: new AbortController().signal,
  timeoutMs: 60_000,
  onWait: () => {},
};
const KEY = { keyName: 'DEEPSEEK_API_KEY', keyId: 'abc123', account: 'main' };

function answered(): AttemptUse {
  const completionTokens = 200 + Math.floor(random() * 800);
  return {
    outcome: 'ok',
    stage: 'done',
    model: 'deepseek-flash',
    tokens: { promptTokens: 500, cachedTokens: 0, completionTokens, reasoningTokens: null },
    untoldRequests: 0,
    arrivedTokens: 0,
    toldUsd: null,
  };
}

/** Said where the others could not be asked for a moment. */
const UNASKED = 'cannot be asked';
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

let left = Number(calls);

async function spend(): Promise<boolean> {
  try {
    const call = await books.call(ASK);
    const ended = call.attempt(KEY);
    await sleep(Number(ms) * (0.5 + random()));
    ended(answered());
    call.end();
    say({ usd: call.costUsd, notice: call.takeNotice() });
    return true;
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error;
    if (error.message.includes(UNASKED)) {
      // A machine that stood still: whoever was refused for that comes again.
      left += 1;
      await sleep(50);
      return true;
    }
    say({ refused: error.message });
    return false;
  }
}

await Promise.all(
  Array.from({ length: Number(atOnce) }, async () => {
    while (left-- > 0) if (!(await spend())) return;
  }),
);
await books.close();
await shared?.leave();
