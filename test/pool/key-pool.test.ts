import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PoolExhaustedError, UpstreamError } from '../../src/base/errors.ts';
import { type Logger, silentLogger } from '../../src/base/logger.ts';
import { KeyPool, type KeyPoolOptions } from '../../src/pool/key-pool.ts';
import type { Lease } from '../../src/pool/lease.ts';
import type { KeySnapshot } from '../../src/pool/snapshot.ts';
import { type Behaviour, FakeUpstream, request, sleep, testKeys } from './fake-upstream.ts';

let pool: KeyPool | undefined;

function createPool(options: Partial<KeyPoolOptions> = {}): KeyPool {
  pool = new KeyPool({
    keys: testKeys(4),
    maxConcurrent: 64,
    logger: silentLogger,
    now: () => Date.now(),
    random: () => 0.5,
    ...options,
  });
  return pool;
}

function keyNamed(name: string): KeySnapshot {
  const key = pool
    ?.snapshot()
    .providers.flatMap((provider) => provider.keys)
    .find((each) => each.name === name);
  if (key === undefined) throw new Error(`no key ${name}`);
  return key;
}

/** Runs the fake clock until the promise settles. */
async function settle<T>(promise: Promise<T>): Promise<T> {
  let done = false;
  const finish = (): void => {
    done = true;
  };
  promise.then(finish, finish);
  for (let step = 0; step < 200_000 && !done; step++) await vi.advanceTimersByTimeAsync(10);
  return promise;
}

function onlyKey(name: string, behaviour: Behaviour): (keyName: string) => Behaviour {
  return (keyName) => (keyName === name ? behaviour : {});
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  pool?.close();
  pool = undefined;
  vi.useRealTimers();
});

describe('a healthy pool', () => {
  it('serves two calls in a row with two keys', async () => {
    const upstream = new FakeUpstream();
    createPool();
    const first = await settle(
      pool?.lender('deepseek').call(request(), upstream.send) ?? Promise.reject(),
    );
    const second = await settle(
      pool?.lender('deepseek').call(request(), upstream.send) ?? Promise.reject(),
    );
    expect(first.keyName).not.toBe(second.keyName);
    expect(first.attempts).toBe(1);
  });

  it('tries every key before it repeats one, although the very first call was slow', async () => {
    let calls = 0;
    const upstream = new FakeUpstream(() => ({ serviceMs: calls++ === 0 ? 2_000 : 400 }));
    const fresh = createPool();
    const names: string[] = [];
    for (let call = 0; call < 4; call++) {
      names.push((await settle(fresh.lender('deepseek').call(request(), upstream.send))).keyName);
    }
    expect(new Set(names).size).toBe(4);
  });

  it('writes one line for each attempt, with key id and name', async () => {
    const lines: string[] = [];
    const logger: Logger = { ...silentLogger, info: (line) => void lines.push(line) };
    const upstream = new FakeUpstream();
    const keys = testKeys(1);
    await settle(createPool({ logger, keys }).lender('deepseek').call(request(), upstream.send));
    expect(lines).toEqual(['Selected key 000001 (DEEPSEEK_API_KEY)']);
  });

  it('shows no secret in a dump, a snapshot or an error', async () => {
    const upstream = new FakeUpstream(() => ({ fails: 'invalid_key' }));
    createPool();
    const error = await settle(
      createPool().lender('deepseek').call(request(), upstream.send),
    ).catch((e) => e);
    const dump = [inspect(pool, { depth: 20, showHidden: true }), JSON.stringify(pool?.snapshot())];
    expect([...dump, inspect(error, { depth: 20 })].join('\n')).not.toContain('sk-test');
  });

  it('freezes its snapshot to the bottom', () => {
    const snapshot = createPool().snapshot();
    expect(Object.isFrozen(snapshot)).toBe(true);
    expect(Object.isFrozen(snapshot.providers[0]?.keys[0])).toBe(true);
  });
});

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
    await settle(createPoolCall(upstream));
    expect(keyNamed('DEEPSEEK_API_KEY').state).toBe('disabled');
    expect(keyNamed('DEEPSEEK_API_KEY_2').state).toBe('disabled');
    expect(keyNamed('DEEPSEEK_API_KEY_3').state).toBe('ready');
  });

  it('lets a disabled key back in when a check says that it is valid', async () => {
    let isValid = false;
    const upstream = new FakeUpstream(() => (isValid ? {} : { fails: 'invalid_key' }));
    createPool({ keys: testKeys(1), probe: async () => (isValid ? 'ok' : 'invalid_key') });
    await expect(settle(createPoolCall(upstream))).rejects.toThrow(PoolExhaustedError);
    isValid = true;
    await vi.advanceTimersByTimeAsync(120_000);
    await expect(settle(createPoolCall(upstream))).resolves.toMatchObject({ attempts: 1 });
  });

  it('says which keys are out and what to do when none is left', async () => {
    const upstream = new FakeUpstream(() => ({ fails: 'invalid_key' }));
    createPool({ keys: testKeys(2) });
    const error = await settle(createPoolCall(upstream)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PoolExhaustedError);
    expect(error).toMatchObject({ code: 'POOL_NO_CREDENTIALS' });
    expect(error).toHaveProperty('keys.length', 2);
    expect(error).toHaveProperty('hint', expect.stringContaining('keypool-mcp keys'));
  });

  it('opens the breaker of a key that keeps failing while others serve', async () => {
    const upstream = new FakeUpstream(onlyKey('DEEPSEEK_API_KEY_3', { fails: 'server_error' }));
    createPool();
    for (let call = 0; call < 12; call++) await settle(createPoolCall(upstream));
    expect(keyNamed('DEEPSEEK_API_KEY_3').breaker).not.toBe('closed');
    expect(keyNamed('DEEPSEEK_API_KEY_3').failures).toBeGreaterThanOrEqual(2);
  });
});

describe("the caller's faults", () => {
  it('returns a bad request at once and touches no score', async () => {
    const upstream = new FakeUpstream(() => ({ fails: 'bad_request' }));
    createPool();
    await expect(settle(createPoolCall(upstream))).rejects.toThrow(UpstreamError);
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
    await expect(settle(createPoolCall(upstream))).rejects.toMatchObject({
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
    await settle(createPoolCall(upstream));
    expect(upstream.sent.length).toBeLessThanOrEqual(2);
  });
});

describe('concurrency', () => {
  it('finds each account its capacity from the refusals of one burst', async () => {
    const capacities = [1, 3, 8, 30];
    const upstream = new FakeUpstream((name) => ({
      capacity: capacities[name === 'DEEPSEEK_API_KEY' ? 0 : Number(name.slice(-1)) - 1] ?? 1,
      serviceMs: 300,
    }));
    createPool();
    const started = Date.now();
    await settle(Promise.all(Array.from({ length: 200 }, () => createPoolCall(upstream))));
    expect(Date.now() - started).toBeLessThan((200 / 42) * 305 * 1.2);
    // As many as fit, and the eight that are sent at once to each.
    expect(upstream.refusals).toBeLessThan(42 + 4 * 8);
  });

  it.each([
    ['counts a call that is not refused in time as taken', 1, 40],
    ['waits for a real sign while the event loop lags: a refusal may lie unread', 2, 1],
  ])('%s', async (_what, clockSpeed, sentByThen) => {
    let sent = 0;
    const silent = async ({ signal }: Lease): Promise<never> => {
      sent += 1;
      await sleep(3_600_000, signal);
      throw new Error('not reached');
    };
    // Timers that are late by their own length: the clock runs ahead of them.
    const fresh = createPool({ keys: testKeys(1), now: () => clockSpeed * Date.now() });
    const calls = Array.from({ length: 40 }, () =>
      fresh.lender('deepseek').call(request(), silent),
    );
    for (const call of calls) call.catch(() => {});
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toBe(sentByThen);
  });

  it('does not rest when tries above the limit are refused while every slot is taken', async () => {
    const upstream = new FakeUpstream(() => ({ capacity: 4, serviceMs: 7_000 }));
    const fresh = createPool({ keys: testKeys(1) });
    const calls = Array.from({ length: 40 }, () =>
      fresh.lender('deepseek').call(request(), upstream.send),
    );
    for (const call of calls) call.catch(() => {});
    await vi.advanceTimersByTimeAsync(30_000);
    expect(upstream.refusals).toBeGreaterThan(4);
    expect(keyNamed('DEEPSEEK_API_KEY')).toMatchObject({ state: 'ready', inFlight: 4 });
  });

  it('rests after a rate limit for as long as the upstream says', async () => {
    let limited = true;
    const upstream = new FakeUpstream(() =>
      limited ? { fails: 'concurrency', failure: { retryAfterMs: 3_000 } } : {},
    );
    createPool({ keys: testKeys(1) });
    const call = createPoolCall(upstream);
    await vi.advanceTimersByTimeAsync(100);
    limited = false;
    expect(keyNamed('DEEPSEEK_API_KEY').state).toBe('cooling');
    await settle(call);
    const [first, second] = upstream.sent;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(3_000);
  });

  it('tells how long it has rested, pauses that follow each other as one, until it serves', async () => {
    let isLimited = true;
    const upstream = new FakeUpstream(() =>
      isLimited ? { fails: 'concurrency', failure: { retryAfterMs: 20_000 } } : {},
    );
    const fresh = createPool({ keys: testKeys(1) });
    const restedMs = () => fresh.snapshot().providers[0]?.accounts[0]?.coolingForMs ?? null;
    expect(restedMs()).toBeNull();
    const call = createPoolCall(upstream);
    // Whenever one looks, also between two pauses.
    let before = 0;
    for (let second = 1; second <= 70; second++) {
      await vi.advanceTimersByTimeAsync(1_000);
      expect(restedMs()).toBeGreaterThan(before);
      before = restedMs() ?? 0;
    }
    expect(before).toBeGreaterThan(60_000);
    isLimited = false;
    await settle(call);
    expect(restedMs()).toBeNull();
    isLimited = true;
    const later = createPoolCall(upstream);
    later.catch(() => {});
    await vi.advanceTimersByTimeAsync(10_000);
    expect(restedMs()).toBeGreaterThan(5_000);
    expect(restedMs()).toBeLessThan(15_000);
  });
});

describe('the provider', () => {
  it('holds the queue in an outage and loses no call', async () => {
    const started = Date.now();
    const upstream = new FakeUpstream((_name, now) =>
      now - started > 1_000 && now - started < 21_000 ? { fails: 'overloaded' } : {},
    );
    createPool();
    const calls: Array<Promise<unknown>> = [];
    for (let second = 0; second < 30; second++) {
      for (let each = 0; each < 5; each++) calls.push(createPoolCall(upstream));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    await settle(Promise.all(calls));
    const wasted = upstream.sent.length - calls.length;
    expect(wasted).toBeLessThan(50);
  });

  it('retries a lone key after a server error', async () => {
    let failures = 2;
    const upstream = new FakeUpstream(() => {
      failures -= 1;
      return failures >= 0 ? { fails: 'server_error' } : {};
    });
    createPool({ keys: testKeys(1) });
    await expect(settle(createPoolCall(upstream))).resolves.toMatchObject({ attempts: 3 });
  });

  it('sends nothing more than twice that may have been billed', async () => {
    const upstream = new FakeUpstream(() => ({ fails: 'cut' }));
    createPool();
    await expect(settle(createPoolCall(upstream))).rejects.toMatchObject({
      failure: { kind: 'cut' },
    });
    expect(upstream.sent).toHaveLength(2);
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
    const calls: Array<ReturnType<typeof createPoolCall>> = [];
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
    await settle(Promise.all(Array.from({ length: 100 }, () => createPoolCall(upstream))));
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(keyNamed('DEEPSEEK_API_KEY_2').inFlight).toBe(0);
  });
});

describe('hot reload', () => {
  it('lets a new key share the account of a kept one, wherever it stands in the list', () => {
    const [first, second] = testKeys(2).map((key) => ({ ...key, account: 'shared' }));
    if (first === undefined || second === undefined) throw new Error('two keys');
    createPool({ keys: [second] });
    pool?.setKeys([first, second]);
    expect(pool?.snapshot().providers[0]?.accounts).toHaveLength(1);
  });

  it('gives a replaced key a fresh start, although the old one had no balance left', async () => {
    let isPaid = false;
    const upstream = new FakeUpstream(() => (isPaid ? {} : { fails: 'no_credit' }));
    createPool({ keys: testKeys(1) });
    await expect(settle(createPoolCall(upstream))).rejects.toThrow(PoolExhaustedError);
    isPaid = true;
    pool?.setKeys(testKeys(1).map((key) => ({ ...key, secret: 'sk-test-fake-replaced' })));
    await expect(settle(createPoolCall(upstream))).resolves.toMatchObject({ attempts: 1 });
  });

  it('lets a removed key finish its call and gives it no other', async () => {
    const upstream = new FakeUpstream();
    createPool({ keys: testKeys(1) });
    const call = createPoolCall(upstream);
    await vi.advanceTimersByTimeAsync(20);
    pool?.setKeys([]);
    expect(keyNamed('DEEPSEEK_API_KEY').state).toBe('draining');
    await expect(settle(call)).resolves.toMatchObject({ keyName: 'DEEPSEEK_API_KEY' });
    await expect(settle(createPoolCall(upstream))).rejects.toMatchObject({ code: 'POOL_NO_KEYS' });
    expect(pool?.snapshot().providers[0]?.keys).toEqual([]);
  });
});

function createPoolCall(upstream: FakeUpstream): Promise<{ keyName: string; attempts: number }> {
  return (
    pool?.lender('deepseek').call(request(), upstream.send) ?? Promise.reject(new Error('no pool'))
  );
}

describe('calls of different kinds', () => {
  it('are not taken back for being slower than calls of another kind', async () => {
    const quick = new FakeUpstream(() => ({ serviceMs: 30 }));
    const slow = new FakeUpstream(() => ({ serviceMs: 3_000 }));
    const both = createPool({ keys: testKeys(2) });
    const searches = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn++)
        await both.lender('deepseek').call(request(), quick.send);
    };
    await settle(searches());
    const written = request({ speedClass: 'deepseek-pro thinking=on' });
    const answers = async (): Promise<void> => {
      for (let turn = 0; turn < 4; turn++) await both.lender('deepseek').call(written, slow.send);
    };
    await settle(Promise.all([answers(), searches(), searches()]));
    expect(slow.sent).toHaveLength(4);
  });
});
