/** Requests per time on the built program: five searches a second against a limit of three. */

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { watchStalls } from '../../../lab/stalls.ts';
import {
  type AccountSettings,
  type Simulator,
  startSimulator,
} from '../../../src/simulator/simulator.ts';

let simulator: Simulator;
let home: Home;
let client: RawClient;

async function start(settings: AccountSettings, keys = 1): Promise<void> {
  const env: Record<string, string> = { KEYPOOL_LOG_LEVEL: 'warn' };
  for (let number = 1; number <= keys; number++) {
    const secret = canarySecret('pplx-fake');
    simulator.addKey(secret, { provider: 'perplexity', account: 'paced', ttftMs: 100 });
    env[`PERPLEXITY_API_KEY${number === 1 ? '' : `_${number}`}`] = secret;
  }
  simulator.setAccount('paced', settings);
  home = await createHome({ simulator, env });
  client = new RawClient(home.env);
  await client.initialize();
}

beforeEach(async () => {
  simulator = await startSimulator({ seed: 11 });
});
afterEach(async () => {
  await client.close();
  home.remove();
  await simulator.close();
});

/** One search every 200 ms. @returns how many of them failed */
async function search(calls: number): Promise<number> {
  const running: Promise<boolean>[] = [];
  for (let call = 0; call < calls; call++) {
    const args = { query: `history of tea ${call}` };
    running.push(
      client.callTool('perplexity_search', args).then(({ result }) => result?.isError === true),
    );
    await delay(200);
  }
  return (await Promise.all(running)).filter((isError) => isError).length;
}

/** What the upstream saw, by its own clock, from its third part on: by then the rate is found. */
function later(stalledMs: number) {
  const seen = simulator.calls.slice(Math.floor(simulator.calls.length / 3));
  const refused = seen.filter(({ status }) => status === 429).length;
  const first = seen[0]?.startedAt ?? 0;
  const last = seen.at(-1)?.startedAt ?? first;
  const served = seen.length - refused;
  const perSecond = (1_000 * (served - 1)) / (last - first - stalledMs);
  return { refusalsPerCall: refused / served, perSecond };
}

async function limitShown(): Promise<number | null> {
  const answer = await client.request('resources/read', { uri: 'keypool://status' });
  const status = JSON.parse(answer.result?.contents?.[0]?.text ?? 'null');
  const perplexity = status.providers.find(
    ({ provider }: { provider: string }) => provider === 'perplexity',
  );
  return perplexity.accounts[0].limits[0].perSecond;
}

describe('five searches a second against a limit of three', () => {
  it.each<[string, AccountSettings, number]>([
    ['a bare 429', {}, 0.95],
    // Every refusal costs a second of it.
    ['a pause that is asked for', { refusal: { retryAfter: '1' } }, 0.9],
    ['what is left, on every answer', { rateHeaders: true }, 0.95],
  ])(
    'are all served at that rate, and hardly one is refused: %s',
    async (_name, settings, share) => {
      await start({ ratePerSecond: 3, ...settings });
      const stalled = watchStalls();
      expect(await search(80)).toBe(0);
      const { refusalsPerCall, perSecond } = later(stalled());
      expect(refusalsPerCall).toBeLessThanOrEqual(0.1);
      expect(perSecond).toBeGreaterThan(3 * share);
      const shown = await limitShown();
      expect(shown).toBeGreaterThan(2.5);
      expect(shown).toBeLessThan(4);
    },
    60_000,
  );

  it('wait no longer than they have time, and say so', async () => {
    await start({ ratePerSecond: 0.2, rateBurst: 1 });
    await client.close();
    client = new RawClient({ ...home.env, KEYPOOL_CALL_TIMEOUT_MS: '3000' });
    await client.initialize();
    const from = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, call) =>
        client.callTool('perplexity_search', { query: `tea ${call}` }),
      ),
    );
    expect(performance.now() - from).toBeLessThan(4_000);
    const failed = answers.filter(({ result }) => result?.isError === true);
    expect(failed.length).toBeGreaterThan(0);
    for (const { result } of failed) {
      const [block] = result?.content ?? [];
      expect(block.text).toMatch(/Perplexity/);
      expect(block.text).toMatch(/rate limited|takes no more requests|became free|is free/);
    }
  }, 30_000);
});
