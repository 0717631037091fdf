/** Requests per time of one account, from two of the built program at once and from the next one. */

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { type HttpProgram, startHttp } from '../../../lab/program/http-program.ts';
import { parseStatus, readStatus, type ShownStatus } from '../../../lab/program/shown-status.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { hasRedis, NO_REDIS, RedisServerProcess } from '../../../lab/servers/redis.ts';
import { machineOf } from '../../../lab/sharing/machines.ts';
import { watchStalls } from '../../../lab/stalls.ts';
import { until } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

let simulator: Simulator;
let home: Home;
const clients: RawClient[] = [];

async function program(): Promise<RawClient> {
  const client = new RawClient(home.env);
  clients.push(client);
  await client.initialize();
  return client;
}

beforeEach(async () => {
  simulator = await startSimulator({ seed: 11 });
  const secret = canarySecret('pplx-fake');
  simulator.addKey(secret, { provider: 'perplexity', account: 'paced', ttftMs: 100 });
  simulator.setAccount('paced', { ratePerSecond: PER_SECOND });
  const keys = [{ name: 'PERPLEXITY_API_KEY', secret, account: 'paced' }];
  home = await createHome({ simulator, keys });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  home.remove();
  await simulator.close();
});

type Search = (query: string) => Promise<boolean>;

const byClient = (client: RawClient): Search => {
  return async (query) => {
    const { result } = await client.callTool('perplexity_search', { query });
    return result !== undefined && result.isError !== true;
  };
};

/** A search every 200 ms, by one program after the other. @returns how many of them failed */
async function search(programs: readonly Search[], calls: number): Promise<number> {
  const running: Promise<boolean>[] = [];
  for (let call = 0; call < calls; call++) {
    const next = programs[call % programs.length];
    if (next === undefined) throw new Error('no program');
    running.push(next(`history of tea ${call}`));
    await delay(200);
  }
  return (await Promise.all(running)).filter((isOk) => !isOk).length;
}

const PER_SECOND = 3;
/** What was on its way while nobody ran arrives all at once. */
const crowded = (stalledMs: number): number => Math.ceil((PER_SECOND * stalledMs) / 1_000);

const refusals = (since: number): number =>
  simulator.calls.slice(since).filter(({ status }) => status === 429).length;

/** Requests a second, by `keypool://status` or `/api/status`; 0 while none is known. */
function rateIn({ providers }: ShownStatus): number {
  const limits = providers.flatMap(({ accounts }) => accounts.flatMap((each) => each.limits));
  return limits[0]?.perSecond ?? 0;
}

/** Nobody refuses one search a second: who knows a rate then has it from others. */
async function hears(one: Search, rate: () => Promise<number>): Promise<void> {
  const before = simulator.calls.length;
  await until('it knows the rate', async () => {
    await delay(1_000);
    expect(await one('the history of tea once more')).toBe(true);
    return (await rate()) > 0;
  });
  expect(refusals(before)).toBe(0);
}

describe('searches of two programs, faster than their account allows', () => {
  it('are hardly refused, and the next program knows the rate', async () => {
    const both = [await program(), await program()];
    const stalled = watchStalls();
    expect(await search(both.map(byClient), 60)).toBe(0);
    const third = Math.floor(simulator.calls.length / 3);
    // One process comes to 0.04, on a machine that is not busy.
    const allowed = 0.2 * (simulator.calls.length - third) + crowded(stalled());
    expect(refusals(third)).toBeLessThanOrEqual(allowed);
    for (const each of both) {
      const status = await readStatus(each);
      expect(status.sharing.processes.length).toBe(2);
      expect(rateIn(status)).toBeGreaterThan(0);
    }
    await Promise.all(clients.splice(0).map((client) => client.close()));
    const next = await program();
    await hears(byClient(next), async () => rateIn(await readStatus(next)));
    const before = simulator.calls.length;
    const stalledAgain = watchStalls();
    expect(await search([byClient(next)], 25)).toBe(0);
    expect(refusals(before)).toBeLessThanOrEqual(3 + crowded(stalledAgain()));
  }, 120_000);
});

describe.skipIf(!hasRedis)(`two machines on a Redis${hasRedis ? '' : `: ${NO_REDIS}`}`, () => {
  it('know the rate that one of them found', async () => {
    const redis = await RedisServerProcess.start();
    onTestFinished(() => redis.remove());
    const machine = () => startHttp(machineOf(home, redis.url));
    const [first, second] = [await machine(), await machine()];
    const byServer = (server: HttpProgram): Search => {
      return async (query) => {
        const body = await server.call('perplexity_search', { query });
        return body.includes('"structuredContent"');
      };
    };
    expect(await search([byServer(first)], 25)).toBe(0);
    expect(refusals(0)).toBeGreaterThan(0);
    await hears(byServer(second), async () =>
      rateIn(parseStatus(await (await second.ask('/api/status')).text())),
    );
  }, 120_000);
});
