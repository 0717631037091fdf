/** What a failure costs the key, the account, the caller, and whom it costs nothing. */

import { describe, expect, it, vi } from 'vitest';
import { PoolExhaustedError, UpstreamError } from '../../src/base/errors.ts';
import { type Behaviour, FakeUpstream, request, testKeys } from './fake-upstream.ts';
import {
  callOnce,
  createPool,
  keyNamed,
  onFakeClock,
  onlyKey,
  pool,
  settle,
} from './pool-stage.ts';

onFakeClock();

describe('key and account faults', () => {
  it('takes a rejected key out after one call and serves from the others', async () => {
    const upstream = new FakeUpstream(onlyKey('DEEPSEEK_API_KEY_2', { fails: 'invalid_key' }));
    createPool();
    const calls = Array.from({ length: 40 }, () =>
      pool?.lender('deepseek').call(request(), upstream.send),
    );
    await settle(Promise.all(calls));
    expect(upstream.sentTo('DEEPSEEK_API_KEY_2')).toBe(1);
    const key = keyNamed('DEEPSEEK_API_KEY_2');
    expect(key).toMatchObject({ state: 'disabled', breaker: 'open', score: 0 });
    expect(key.reason).toBe('rejected by DeepSeek (401)');
  });

  it('takes all keys of an account out when its balance is spent', async () => {
    const keys = testKeys(3).map((key, index) => ({ ...key, account: index < 2 ? 'a' : 'b' }));
    const upstream = new FakeUpstream((name) =>
      name === 'DEEPSEEK_API_KEY_3' ? {} : { fails: 'no_credit' },
    );
    createPool({ keys });
    await settle(
      Promise.all([1, 2, 3].map(() => pool?.lender('deepseek').call(request(), upstream.send))),
    );
    await settle(callOnce(upstream));
    expect(keyNamed('DEEPSEEK_API_KEY').state).toBe('disabled');
    expect(keyNamed('DEEPSEEK_API_KEY_2').state).toBe('disabled');
    expect(keyNamed('DEEPSEEK_API_KEY_3').state).toBe('ready');
  });

  it('lets a disabled key back in when a check says that it is valid', async () => {
    let isValid = false;
    const upstream = new FakeUpstream(() => (isValid ? {} : { fails: 'invalid_key' }));
    createPool({ keys: testKeys(1), probe: async () => (isValid ? 'ok' : 'invalid_key') });
    await expect(settle(callOnce(upstream))).rejects.toThrow(PoolExhaustedError);
    isValid = true;
    await vi.advanceTimersByTimeAsync(120_000);
    await expect(settle(callOnce(upstream))).resolves.toMatchObject({ attempts: 1 });
  });

  it('says which keys are out and what to do when none is left', async () => {
    const upstream = new FakeUpstream(() => ({ fails: 'invalid_key' }));
    createPool({ keys: testKeys(2) });
    const error = await settle(callOnce(upstream)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PoolExhaustedError);
    expect(error).toMatchObject({ code: 'POOL_NO_CREDENTIALS' });
    expect(error).toHaveProperty('keys.length', 2);
    expect(error).toHaveProperty('hint', expect.stringContaining('keypool-mcp keys'));
  });

  it('opens the breaker of a key that keeps failing while others serve', async () => {
    const upstream = new FakeUpstream(onlyKey('DEEPSEEK_API_KEY_3', { fails: 'server_error' }));
    createPool();
    for (let call = 0; call < 12; call++) await settle(callOnce(upstream));
    expect(keyNamed('DEEPSEEK_API_KEY_3').breaker).not.toBe('closed');
    expect(keyNamed('DEEPSEEK_API_KEY_3').failures).toBeGreaterThanOrEqual(2);
  });
});

describe("the caller's faults", () => {
  it('returns a bad request at once and touches no score', async () => {
    const upstream = new FakeUpstream(() => ({ fails: 'bad_request' }));
    createPool();
    await expect(settle(callOnce(upstream))).rejects.toThrow(UpstreamError);
    expect(upstream.sent).toHaveLength(1);
    for (const key of pool?.snapshot().providers[0]?.keys ?? []) {
      expect(key).toMatchObject({ score: 100, failures: 0, breaker: 'closed' });
    }
  });

  it('aborts the attempt of a cancelled call and leaves no trace', async () => {
    const upstream = new FakeUpstream();
    const controller = new AbortController();
    createPool();
    const call = pool
      ?.lender('deepseek')
      .call(request({ signal: controller.signal }), upstream.send);
    const ended = expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await vi.advanceTimersByTimeAsync(20);
    controller.abort();
    await vi.advanceTimersByTimeAsync(1);
    await ended;
    for (const key of pool?.snapshot().providers[0]?.keys ?? []) {
      expect(key).toMatchObject({ score: 100, failures: 0, inFlight: 0 });
    }
  });

  it('ends a call at its deadline although the client ignores the signal', async () => {
    createPool();
    const started = Date.now();
    const call = pool
      ?.lender('deepseek')
      .call(request({ timeoutMs: 2_000 }), () => new Promise<never>(() => {}));
    await expect(settle(call ?? Promise.reject())).rejects.toMatchObject({
      failure: { kind: 'deadline' },
    });
    expect(Date.now() - started).toBeLessThan(3_000);
    expect(keyNamed('DEEPSEEK_API_KEY').inFlight).toBe(0);
  });
});

describe("the model's own faults", () => {
  it.each([true, false])('are tried once more elsewhere and mark no key', async (mayBeBilled) => {
    const behaviour: Behaviour = { fails: 'no_answer', failure: { mayBeBilled } };
    const upstream = new FakeUpstream(() => behaviour);
    createPool();
    await expect(settle(callOnce(upstream))).rejects.toMatchObject({
      failure: { kind: 'no_answer' },
    });
    expect(upstream.sent).toHaveLength(2);
    expect(new Set(upstream.sent.map(({ keyName }) => keyName)).size).toBe(2);
    for (const key of pool?.snapshot().providers[0]?.keys ?? []) {
      expect(key).toMatchObject({ score: 100, failures: 0, breaker: 'closed', lastError: null });
    }
  });

  it('do not keep another key from answering', async () => {
    const upstream = new FakeUpstream(onlyKey('DEEPSEEK_API_KEY', { fails: 'no_answer' }));
    createPool();
    await settle(callOnce(upstream));
    expect(upstream.sent.length).toBeLessThanOrEqual(2);
  });
});

describe('a silent key', () => {
  it.each([
    ['one key that answers the others', 1, 5],
    ['two keys, and it is the last one of all', 2, 40],
  ])('does not let a lost request wait for its time-out: %s', async (_what, keys, lost) => {
    let sent = 0;
    const upstream = new FakeUpstream(() => {
      sent += 1;
      return sent === lost ? { hangs: true } : { serviceMs: 400 };
    });
    const fresh = createPool({ keys: testKeys(keys) });
    const started = Date.now();
    const calls: Array<ReturnType<typeof callOnce>> = [];
    for (let call = 0; call < 40; call++) {
      calls.push(fresh.lender('deepseek').call(request(), upstream.send));
      await vi.advanceTimersByTimeAsync(50);
    }
    const results = await settle(Promise.all(calls));
    expect(results.filter(({ attempts }) => attempts === 2)).toHaveLength(1);
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('loses its calls to the others long before they time out', async () => {
    const upstream = new FakeUpstream(onlyKey('DEEPSEEK_API_KEY_2', { hangs: true }));
    createPool();
    const started = Date.now();
    await settle(Promise.all(Array.from({ length: 100 }, () => callOnce(upstream))));
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(keyNamed('DEEPSEEK_API_KEY_2').inFlight).toBe(0);
  });
});
