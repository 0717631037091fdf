/** Requests per time of one account, from two of the built program at once and from the next one. */

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { type HttpProgram, startHttp } from '../../../lab/program/http-program.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { hasRedis, NO_REDIS, RedisServerProcess } from '../../../lab/servers/redis.ts';
import { machineOf } from '../../../lab/sharing/machines.ts';
import { watchStalls } from '../../../lab/stalls.ts';
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

// biome-ignore lint/suspicious/noExplicitAny: a test looks into it freely
async function statusOf(client: RawClient): Promise<any> {
  const { result } = await client.request('resources/read', { uri: 'keypool://status' });
  return JSON.parse(result?.contents?.[0]?.text ?? 'null');
}

/** Once the rate is found, hardly one is refused, and none fails. */
async function expectFew(programs: readonly Search[]): Promise<void> {
  const stalled = watchStalls();
  expect(await search(programs, 60)).toBe(0);
  const third = Math.floor(simulator.calls.length / 3);
  const allowed = 0.1 * (simulator.calls.length - third) + crowded(stalled());
  expect(refusals(third)).toBeLessThanOrEqual(allowed);
}

describe('five searches a second of two programs against a limit of three', () => {
  it('are refused as rarely as those of one, and the next program knows the rate', async () => {
    const both = [await program(), await program()];
    await expectFew(both.map(byClient));
    for (const each of both) {
      const status = await statusOf(each);
      expect(status.sharing.processes.length).toBe(2);
      const found = status.providers.flatMap(
        // biome-ignore lint/suspicious/noExplicitAny: a test looks into it freely
        ({ accounts }: any) => accounts.flatMap(({ limits }: any) => limits),
      );
      expect(found[0].perSecond).toBeGreaterThan(0);
    }
    await Promise.all(clients.splice(0).map((client) => client.close()));
    const before = simulator.calls.length;
    const next = await program();
    const stalledAgain = watchStalls();
    expect(await search([byClient(next)], 25)).toBe(0);
    expect(refusals(before)).toBeLessThanOrEqual(2 + crowded(stalledAgain()));
  }, 120_000);
});

describe.skipIf(!hasRedis)(`the same of two machines${hasRedis ? '' : `: ${NO_REDIS}`}`, () => {
  it('are refused as rarely where they share over a Redis', async () => {
    const redis = await RedisServerProcess.start();
    onTestFinished(() => redis.remove());
    const machines = [0, 1].map(() => startHttp(machineOf(home, redis.url)));
    const servers = await Promise.all(machines);
    const byServer = (server: HttpProgram): Search => {
      return async (query) => {
        const body = await server.call('perplexity_search', { query });
        return body.includes('"structuredContent"');
      };
    };
    await expectFew(servers.map(byServer));
    for (const server of servers) {
      const { sharing } = JSON.parse(await (await server.ask('/api/status')).text());
      expect(sharing.processes.length).toBe(2);
    }
  }, 120_000);
});
