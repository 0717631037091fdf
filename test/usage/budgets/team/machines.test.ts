import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { BundledProgram } from '../../../../lab/program/bundled.ts';
import { hasRedis, NO_REDIS, RedisServerProcess } from '../../../../lab/servers/redis.ts';
import { temporaryFolder } from '../../../../lab/store.ts';
import {
  buildSpender,
  homeOf,
  runSpenders,
  type Spending,
} from '../../../../lab/usage/spenders.ts';
import { setBudget } from '../../../../src/usage/budgets/budget-file.ts';

const CAP_USD = 0.1;
/** At most so much does one call of a spender cost. */
const CALL_USD = 0.0014;

let program: BundledProgram;
beforeAll(async () => {
  program = await buildSpender();
});
afterAll(() => program.remove());

/** A budget of each machine's own folder, all for the same money. */
async function plan(processes: number, redisUrl: string, homes = processes): Promise<Spending> {
  const base = { home: temporaryFolder(), team: { redisUrl, homes }, processes };
  for (let seed = 1; seed <= processes; seed++) {
    const budget = { usd: CAP_USD, per: 'day', account: null, client: null } as const;
    await setBudget(homeOf(base, seed), budget);
  }
  return { ...base, calls: 1_000, atOnce: 4, callMs: 2, kills: 0 };
}

async function redis(): Promise<RedisServerProcess> {
  const server = await RedisServerProcess.start();
  onTestFinished(() => server.remove());
  return server;
}

describe.skipIf(!hasRedis)(`machines on one Redis${hasRedis ? '' : `: ${NO_REDIS}`}`, () => {
  it('keep one budget together, to the size of one call, and refuse nobody early', async () => {
    const spent = await runSpenders(program, await plan(4, (await redis()).url));
    expect(spent.errors).not.toContain('"level":"error"');
    expect(spent.refused).toBeGreaterThan(0);
    expect(spent.usd / CAP_USD).toBeGreaterThanOrEqual(0.99);
    expect(spent.usd).toBeLessThanOrEqual(CAP_USD + CALL_USD);
  }, 60_000);

  it('keep it with several programs on each of them', async () => {
    const spent = await runSpenders(program, await plan(4, (await redis()).url, 2));
    expect(spent.refused).toBeGreaterThan(0);
    expect(spent.usd / CAP_USD).toBeGreaterThanOrEqual(0.99);
    expect(spent.usd).toBeLessThanOrEqual(CAP_USD + CALL_USD);
  }, 60_000);

  it('count what others spent before, although these are gone', async () => {
    const { url } = await redis();
    const spending = await plan(2, url);
    const first = await runSpenders(program, { ...spending, processes: 1, calls: 40, atOnce: 1 });
    const all = await runSpenders(program, spending);
    expect(first.usd).toBeGreaterThan(0.1 * CAP_USD);
    expect(all.usd / CAP_USD).toBeGreaterThanOrEqual(0.99);
    expect(all.usd).toBeLessThanOrEqual(CAP_USD + CALL_USD);
  }, 60_000);
});
