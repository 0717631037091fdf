/** Requests per time on the built program: five searches a second against a limit of three. */

import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import type { Variables } from '../../../lab/program/program.ts';
import { readStatus } from '../../../lab/program/shown-status.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome } from '../../../lab/program/test-home.ts';
import { watchStalls } from '../../../lab/stalls.ts';
import {
  type AccountSettings,
  type Simulator,
  startSimulator,
} from '../../../src/simulator/simulator.ts';

interface Stage {
  readonly simulator: Simulator;
  readonly client: RawClient;
}

/** A simulator and a program of the test's own: the tests wait side by side. */
async function onStage(
  settings: AccountSettings,
  play: (stage: Stage) => Promise<void>,
  more: Variables = {},
): Promise<void> {
  const simulator = await startSimulator({ seed: 11 });
  const secret = canarySecret('pplx-fake');
  simulator.addKey(secret, { provider: 'perplexity', account: 'paced', ttftMs: 100 });
  simulator.setAccount('paced', settings);
  const env = { KEYPOOL_LOG_LEVEL: 'warn', PERPLEXITY_API_KEY: secret, ...more };
  const home = await createHome({ simulator, env });
  const client = new RawClient(home.env);
  try {
    await client.initialize();
    await play({ simulator, client });
  } finally {
    await client.close();
    home.remove();
    await simulator.close();
  }
}

/** One search every 200 ms. @returns how many of them failed */
async function search(client: RawClient, calls: number): Promise<number> {
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
function later(simulator: Simulator, stalledMs: number) {
  const seen = simulator.calls.slice(Math.floor(simulator.calls.length / 3));
  const refused = seen.filter(({ status }) => status === 429).length;
  const first = seen[0]?.startedAt ?? 0;
  const last = seen.at(-1)?.startedAt ?? first;
  const served = seen.length - refused;
  const perSecond = (1_000 * (served - 1)) / (last - first - stalledMs);
  return { refusalsPerCall: refused / served, perSecond };
}

async function limitShown(client: RawClient): Promise<number | null> {
  const { providers } = await readStatus(client);
  const perplexity = providers.find(({ provider }) => provider === 'perplexity');
  return perplexity?.accounts[0]?.limits[0]?.perSecond ?? null;
}

describe.concurrent('five searches a second against a limit of three', () => {
  it.each<[string, AccountSettings, number, number]>([
    // On the virtual clock, where nothing comes late, 0.95 is reached.
    ['a bare 429', {}, 0.9, 2.5],
    // Every refusal costs a second of the twenty that are looked at.
    ['a pause that is asked for', { refusal: { retryAfter: '1' } }, 0.8, 2.5],
    ['what is left, on every answer', { rateHeaders: true }, 0.9, 2.5],
  ])(
    'are all served at that rate, and hardly one is refused: %s',
    (_name, settings, share, leastShown) =>
      onStage({ ratePerSecond: 3, ...settings }, async ({ simulator, client }) => {
        const stalled = watchStalls();
        expect(await search(client, 80)).toBe(0);
        const { refusalsPerCall, perSecond } = later(simulator, stalled());
        // Without a thought two of five would be, again and again; a stall costs a few.
        expect(refusalsPerCall).toBeLessThanOrEqual(0.2);
        expect(perSecond).toBeGreaterThan(3 * share);
        const shown = await limitShown(client);
        expect(shown).toBeGreaterThan(leastShown);
        expect(shown).toBeLessThan(4);
      }),
    120_000,
  );

  it('wait no longer than they have time, and say so', () =>
    onStage(
      { ratePerSecond: 0.1, rateBurst: 1 },
      async ({ client }) => {
        const from = performance.now();
        const stalled = watchStalls();
        const answers = await Promise.all(
          Array.from({ length: 4 }, (_, call) =>
            client.callTool('perplexity_search', { query: `tea ${call}` }),
          ),
        );
        // For their turn they would wait thirty seconds.
        expect(performance.now() - from - stalled()).toBeLessThan(20_000);
        const failed = answers.filter(({ result }) => result?.isError === true);
        expect(failed.length).toBeGreaterThan(0);
        for (const { result } of failed) {
          const [block] = result?.content ?? [];
          expect(block?.text).toMatch(/Perplexity/);
          expect(block?.text).toMatch(/rate limited|takes no more requests|became free|is free/);
        }
      },
      { KEYPOOL_CALL_TIMEOUT_MS: '8000' },
    ));
});
