import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { PATIENT } from '../../lab/until.ts';
import { createKeyProbe } from '../../src/upstream/verify.ts';
import { DEEPSEEK_KEYS, directFetch, errorOf, PERPLEXITY_KEYS, useStage } from './stage.ts';

const stage = useStage();
const signal = new AbortController().signal;

/** A port that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function checkKey() {
  return createKeyProbe({
    deepseekBaseUrl: stage.sim.deepseekUrl,
    perplexityBaseUrl: stage.sim.perplexityUrl,
    fetch: directFetch,
  });
}

describe('the check of a DeepSeek key', () => {
  const [{ secret }] = DEEPSEEK_KEYS;

  it('says that it works, and the balance, without a token spent', async () => {
    stage.sim.setBehaviour(secret, { balance: 4.2 });
    expect(await checkKey()('deepseek', secret, signal)).toEqual({
      verdict: 'ok',
      detail: 'balance 4.20 USD',
      balances: [{ currency: 'USD', amount: 4.2 }],
    });
    expect(stage.sim.calls.map(({ path }) => path)).toEqual(['/user/balance']);
  });

  it('tells an empty account from a wrong key and from an upstream in trouble', async () => {
    stage.sim.setBehaviour(secret, { balance: 0 });
    expect(await checkKey()('deepseek', secret, signal)).toMatchObject({ verdict: 'no_credit' });
    stage.sim.setBehaviour(secret, { balance: 10 });
    expect(await checkKey()('deepseek', 'sk-test-fake-unknown-9', signal)).toEqual({
      verdict: 'invalid_key',
      detail: 'rejected (401)',
    });
    for (const fault of ['overloaded', 'bad_gateway_html', 'redirect', 'reset'] as const) {
      stage.sim.setBehaviour(secret, { faults: [{ fault, endpoint: '/user/balance' }] });
      expect(await checkKey()('deepseek', secret, signal)).toMatchObject({ verdict: 'unknown' });
    }
    expect(stage.sim.violations).toEqual([]);
  });

  it('never sends a value that no key can be', async () => {
    expect(await checkKey()('deepseek', 'sk-test fake\nx', signal)).toMatchObject({
      verdict: 'invalid_key',
    });
    expect(stage.sim.calls).toEqual([]);
  });

  it('lets a cancel pass', async () => {
    stage.sim.setBehaviour(secret, {
      faults: [{ fault: 'never_answers', endpoint: '/user/balance' }],
    });
    const controller = new AbortController();
    const failed = errorOf(checkKey()('deepseek', secret, controller.signal));
    await expect.poll(() => stage.sim.calls.length, PATIENT).toBe(1);
    controller.abort();
    expect((await failed).name).toBe('AbortError');
  });

  it('says so when nobody answers at that address', async () => {
    const freePort = await closedPort();
    const check = createKeyProbe({
      deepseekBaseUrl: `http://127.0.0.1:${freePort}`,
      perplexityBaseUrl: `http://127.0.0.1:${freePort}`,
      fetch: directFetch,
    });
    expect(await check('deepseek', secret, signal)).toEqual({
      verdict: 'unknown',
      detail: 'not reachable: the connection was refused',
    });
  });
});

describe('the check of a Perplexity key', () => {
  const [{ secret }] = PERPLEXITY_KEYS;

  it('is a search for one result', async () => {
    expect(await checkKey()('perplexity', secret, signal)).toEqual({
      verdict: 'ok',
      detail: 'search works',
    });
    expect(stage.sim.calls[0]).toMatchObject({ path: '/search', body: { max_results: 1 } });
  });

  it('knows the 401 that means “out of credit”', async () => {
    stage.sim.setBehaviour(secret, { faults: [{ fault: 'no_credit' }, { fault: 'invalid_key' }] });
    expect(await checkKey()('perplexity', secret, signal)).toMatchObject({ verdict: 'no_credit' });
    expect(await checkKey()('perplexity', secret, signal)).toMatchObject({
      verdict: 'invalid_key',
    });
  });
});
