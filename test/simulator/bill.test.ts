import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';

const KEY = 'fake-test-key-billed';
const SEARCHER = 'fake-test-key-searches';
const OFF_PEAK = Date.parse('2026-11-27T05:00:00Z');
const PEAK = Date.parse('2026-11-27T02:00:00Z');

let simulator: Simulator;
let now = OFF_PEAK;

beforeAll(async () => {
  simulator = await startSimulator({ wallNow: () => now });
});
afterAll(() => simulator.close());
beforeEach(() => {
  now = OFF_PEAK;
});

let accounts = 0;

/** A key of an account that was never billed. */
function fresh(settings: { balance?: number; granted?: number; currency?: 'USD' | 'CNY' } = {}) {
  const account = `account-${accounts++}`;
  simulator.addKey(KEY, { provider: 'deepseek', account, answerTokens: 200 });
  simulator.addKey(SEARCHER, { provider: 'perplexity', account });
  simulator.setAccount(account, settings);
  return { account, billed: () => simulator.bill(account).map(({ amount }) => amount) };
}

async function post(url: string, secret: string, body: object) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text().catch(() => '') };
}

async function chat(extra: object = {}) {
  const messages = [
    { role: 'system', content: 'You write code. '.repeat(40) },
    { role: 'user', content: 'sort a list' },
  ];
  const body = { model: 'deepseek-flash', messages, thinking: { type: 'disabled' }, ...extra };
  const { text } = await post(`${simulator.deepseekUrl}/chat/completions`, KEY, body);
  return 'stream' in extra ? null : JSON.parse(text).usage;
}

async function balance(): Promise<unknown> {
  const response = await fetch(`${simulator.deepseekUrl}/user/balance`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  const { balance_infos: infos } = JSON.parse(await response.text());
  return infos[0];
}

describe('the simulator bills', () => {
  it('misses, then hits of the cache, and output at their prices', async () => {
    const { billed } = fresh();
    const first = await chat();
    const second = await chat();
    expect(first.prompt_cache_hit_tokens).toBe(0);
    expect(second.prompt_cache_hit_tokens).toBeGreaterThan(0);
    expect(billed()).toEqual(
      [first, second].map((usage) => {
        const { prompt_cache_hit_tokens: hit, prompt_cache_miss_tokens: miss } = usage;
        return expect.closeTo(
          (hit * 0.003 + miss * 0.15 + usage.completion_tokens * 0.6) / 1e6,
          12,
        );
      }),
    );
  });

  it('twice as much at peak, by the hour at which it ended', async () => {
    const { billed } = fresh();
    await chat();
    await chat();
    now = PEAK;
    await chat();
    const [, offPeak = 0, peak = 0] = billed();
    expect(peak / offPeak).toBeCloseTo(2, 9);
  });

  it('what an answer that broke off had generated, and nothing for a refusal', async () => {
    const { account, billed } = fresh();
    simulator.setBehaviour(KEY, { faults: [{ fault: 'cut' }] });
    await chat({ stream: true });
    await chat({ stream: true });
    const [broken = 0, whole = 0] = billed();
    expect(broken).toBeGreaterThan(0);
    expect(broken).toBeLessThan(whole);
    for (const fault of ['overloaded', 'blank_then_eof', 'moderation', 'reset'] as const) {
      simulator.setBehaviour(KEY, { faults: [{ fault }] });
      await chat().catch(() => {});
    }
    expect(simulator.bill(account)).toHaveLength(2);
  });

  it('granted money first, and shows what is left with two decimals', async () => {
    fresh({ balance: 5, granted: 0.0001, currency: 'CNY' });
    expect(await balance()).toEqual({
      currency: 'CNY',
      total_balance: '5.00',
      granted_balance: '0.00',
      topped_up_balance: '5.00',
    });
    const { account } = fresh({ balance: 2, granted: 1.5 });
    await chat();
    simulator.setAccount(account, { granted: 1.5 });
    const spent = simulator.bill(account).reduce((sum, { amount }) => sum + amount, 0);
    expect(await balance()).toMatchObject({
      total_balance: (2 - spent).toFixed(2),
      granted_balance: (1.5 - spent).toFixed(2),
      topped_up_balance: '0.50',
    });
  });

  it('until the money is gone', async () => {
    fresh({ balance: 0.0001 });
    await chat();
    await chat();
    const body = { model: 'deepseek-flash', messages: [{ role: 'user', content: 'x' }] };
    expect((await post(`${simulator.deepseekUrl}/chat/completions`, KEY, body)).status).toBe(402);
    expect(await balance()).toMatchObject({ total_balance: '0.00' });
  });

  it('a search by the request, and an Agent run as it says itself', async () => {
    const { billed } = fresh();
    await post(`${simulator.perplexityUrl}/search`, SEARCHER, { query: ['a', 'b', 'c'] });
    const run = { input: 'what is new', preset: 'fast' };
    const { text } = await post(`${simulator.perplexityUrl}/v1/agent`, SEARCHER, run);
    const { cost } = JSON.parse(text).usage;
    expect(billed()).toEqual([0.005, cost.total_cost]);
    expect(cost.total_cost).toBeGreaterThan(0.0025);
  });
});
