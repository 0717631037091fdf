import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type RefusalWording,
  type Simulator,
  startSimulator,
} from '../../src/simulator/simulator.ts';

const KEY = 'fake-test-key-for-deepseek-one-000001';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ seed: 7 });
});
afterAll(() => simulator.close());
beforeEach(() => {
  simulator.reset();
  simulator.addKey(KEY, { provider: 'deepseek', account: 'one', ttftMs: 300 });
});

function post(): Promise<Response> {
  const messages = [{ role: 'user', content: 'Write binary search in Python.' }];
  return fetch(`${simulator.deepseekUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'deepseek-flash', messages, thinking: { type: 'disabled' } }),
  });
}

/** The answer to the third of three calls at once, on an account that takes two. */
async function refused(): Promise<Response> {
  const all = await Promise.all([post(), post(), post()]);
  const over = all.filter((response) => response.status === 429);
  await Promise.all(all.filter((each) => each.status !== 429).map((each) => each.text()));
  const [only] = over;
  expect(over).toHaveLength(1);
  if (only === undefined) throw new Error('nothing was refused');
  return only;
}

describe('a DeepSeek account that takes two calls refuses the third', () => {
  it.each<[RefusalWording, RegExp]>([
    ['plain', /^\{"error":\{"message":"Rate limit reached/],
    ['bare', /^Too Many Requests$/],
    [
      'balance',
      /concurrency is 3, which exceeds your concurrency limit of 2 based on your remaining/,
    ],
    ['numbers', /concurrency is 3, which exceeds your concurrency limit of 2"/],
    ['equal', /concurrency is 2, which exceeds your concurrency limit of 2 based on/],
  ])('in the wording %s', async (wording, said) => {
    simulator.setAccount('one', { capacity: 2, refusal: { wording } });
    const response = await refused();
    expect(await response.text()).toMatch(said);
    expect(response.headers.get('retry-after')).toBeNull();
  });

  it('after as long as it is told, with the pause that it is told', async () => {
    const refusal = { wording: 'numbers', afterMs: 80, retryAfter: '7' } as const;
    simulator.setAccount('one', { capacity: 2, refusal });
    const from = performance.now();
    const response = await refused();
    expect(performance.now() - from).toBeGreaterThanOrEqual(75);
    expect(response.headers.get('retry-after')).toBe('7');
  });
});
