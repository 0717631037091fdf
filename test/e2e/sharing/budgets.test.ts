/** Machines with homes of their own, one Redis, and one budget for all of them. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { type HttpProgram, startHttp } from '../../../lab/program/http-program.ts';
import { run, type Variables } from '../../../lab/program/program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { hasRedis, NO_REDIS, RedisServerProcess } from '../../../lab/servers/redis.ts';
import { machineOf } from '../../../lab/sharing/machines.ts';
import { until } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

let simulator: Simulator;
let home: Home;
let redis: RedisServerProcess;

beforeEach(async () => {
  simulator = await startSimulator({ seed: 7 });
  const secret = canarySecret();
  simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000, jitter: 0 });
  const keys = [{ name: 'DEEPSEEK_API_KEY', secret, account: 'main' }];
  home = await createHome({ simulator, keys, env: { KEYPOOL_LOG_LEVEL: 'info' } });
  if (hasRedis) redis = await RedisServerProcess.start();
});
afterEach(async () => {
  await redis?.remove();
  home.remove();
  await simulator.close();
});

interface Machine {
  readonly env: Variables;
  readonly server: HttpProgram;
  /** Dollars that its calls are said to have cost. */
  spent: number;
}

async function machine(): Promise<Machine> {
  const env = machineOf(home, redis.url);
  return { env, server: await startHttp(env), spent: 0 };
}

const ASKED = { prompt: 'Write a stack', max_tokens: 400 };

/** @returns why it was refused, or null */
async function generate(at: Machine): Promise<string | null> {
  const body = await at.server.call('deepseek_generate_code', ASKED);
  const cost = /"cost_usd":([\d.e-]+)/.exec(body)?.[1];
  if (cost === undefined) return body;
  at.spent += Number(cost);
  return null;
}

/** Of the budget, as the machine knows it. */
async function ratioAt({ server }: Pick<Machine, 'server'>): Promise<number> {
  const metrics = await (await server.ask('/metrics')).text();
  return Number(/keypool_budget_spent_ratio\{[^}]*\} ([\d.]+)/.exec(metrics)?.[1]);
}

/** One after the other, until it is refused. */
async function untilRefused(at: Machine): Promise<string> {
  for (;;) {
    const refused = await generate(at);
    if (refused !== null) return refused;
  }
}

/** What a call costs, by the first one of a machine; then a budget of so many such calls on each. */
async function budgetOf(calls: number, machines: readonly Machine[]): Promise<number> {
  const [first] = machines;
  if (first === undefined) throw new Error('no machine');
  expect(await generate(first)).toBeNull();
  const cap = Number((first.spent * calls).toFixed(6));
  for (const { env } of machines) {
    expect((await run(['budget', 'set', `${cap}/day`], env)).code).toBe(0);
  }
  return cap;
}

describe.skipIf(!hasRedis)(
  `a budget of machines on one Redis${hasRedis ? '' : `: ${NO_REDIS}`}`,
  () => {
    it('is spent once by all of them together', async () => {
      const machines = [await machine(), await machine()];
      const cap = await budgetOf(12, machines);
      const said = await Promise.all(machines.map(untilRefused));
      for (const text of said) expect(text).toMatch(/The budget of \$0\.\d+ a day is spent: /);
      const [one, other] = machines.map(({ spent }) => spent);
      const total = (one ?? 0) + (other ?? 0);
      expect(total).toBeGreaterThanOrEqual(0.99 * cap);
      expect(total).toBeLessThanOrEqual(cap * (1 + 1.2 / 12));
      // Each shows what all have spent.
      for (const { server } of machines) {
        expect(await ratioAt({ server })).toBeGreaterThanOrEqual(0.99);
      }
    }, 60_000);

    it('counts what was spent by a machine that is gone, and by one that starts anew', async () => {
      const [one, other] = [await machine(), await machine()];
      const cap = await budgetOf(8, [one, other]);
      for (let call = 0; call < 5; call++) expect(await generate(one)).toBeNull();
      one.server.program.kill('SIGTERM');
      await one.server.program.exit;
      await untilRefused(other);
      expect(one.spent + other.spent).toBeLessThanOrEqual(cap * (1 + 1.2 / 8));
      const again = { ...one, server: await startHttp(one.env) };
      expect(await generate(again)).toContain('is spent');
      other.server.program.kill('SIGTERM');
      await other.server.program.exit;
      expect((await run(['budget', 'list'], other.env)).stdout).toMatch(
        /spent here +elsewhere[\s\S]* \$0\.0\d+ +\$0\.0\d+ +(?:9\d|1\d\d) %/,
      );
    }, 60_000);

    it('of which each keeps to its part while the Redis is away, and to the whole when it is back', async () => {
      const machines = [await machine(), await machine()];
      const [one, other] = machines;
      if (one === undefined || other === undefined) throw new Error('no machine');
      const cap = await budgetOf(20, machines);
      for (const each of machines) expect(await generate(each)).toBeNull();
      // Both are known to both; who makes no calls asks twice a minute.
      await until('the other has heard of it', async () => (await ratioAt(one)) > 0.14, 90_000);
      await redis.kill();
      const text = await untilRefused(one);
      expect(text).toMatch(/This machine's part of the budget of \$0\.\d+ a day is spent/);
      expect(text).toContain('KEYPOOL_REDIS_URL');
      const rest = cap - 3 * (cap / 20);
      expect(one.spent).toBeGreaterThan(0.3 * cap);
      expect(one.spent).toBeLessThanOrEqual(2 * (cap / 20) + rest / 2 + 1.5 * (cap / 20));
      await untilRefused(other);
      expect(one.spent + other.spent).toBeLessThanOrEqual(cap * (1 + 2.4 / 20));
      // On a busy machine it was late before it was gone.
      const lines = one.server.program.stderr
        .split('\n')
        .filter((line) => line.includes('not shared') && !line.includes('does not answer in time'));
      expect(lines, lines.join('\n')).toHaveLength(1);
      expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({
        budgets: 'until then this machine spends its part of what was left of them at most',
      });
      // A program that starts meanwhile knows what its home was told.
      one.server.program.kill('SIGTERM');
      await one.server.program.exit;
      const again = { ...one, server: await startHttp(one.env) };
      expect((await generate(again)) ?? '').toContain("This machine's part");
      await redis.up();
      const raised = Number((cap * 2).toFixed(6));
      for (const { env } of machines) await run(['budget', 'set', `${raised}/day`], env);
      // By its part alone it could spend what the other one, cut off as well, has spent already.
      const spent = (again.spent + other.spent) / raised;
      await until('it has heard of it', async () => (await ratioAt(again)) > 0.98 * spent, 90_000);
      for (const each of [again, other]) {
        const isSpent = async () => ((await generate(each)) ?? '').includes('is spent: ');
        await until('all of it is spent', isSpent, 90_000);
      }
      expect(again.spent + other.spent).toBeLessThanOrEqual(raised * (1 + 2.4 / 40));
    }, 400_000);
  },
);
