import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { PoolExhaustedError } from '../../src/base/errors.ts';
import { type Logger, silentLogger } from '../../src/base/logger.ts';
import type { Lease } from '../../src/pool/lease.ts';
import { FakeUpstream, request, sleep, testKeys } from './fake-upstream.ts';
import { callOnce, createPool, keyNamed, onFakeClock, pool, settle } from './pool-stage.ts';

onFakeClock();

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

describe('concurrency', () => {
  it('finds each account its capacity from the refusals of one burst', async () => {
    const capacities = [1, 3, 8, 30];
    const upstream = new FakeUpstream((name) => ({
      capacity: capacities[name === 'DEEPSEEK_API_KEY' ? 0 : Number(name.slice(-1)) - 1] ?? 1,
      serviceMs: 300,
    }));
    createPool();
    const started = Date.now();
    await settle(Promise.all(Array.from({ length: 200 }, () => callOnce(upstream))));
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
    const call = callOnce(upstream);
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
    const call = callOnce(upstream);
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
    const later = callOnce(upstream);
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
      for (let each = 0; each < 5; each++) calls.push(callOnce(upstream));
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
    await expect(settle(callOnce(upstream))).resolves.toMatchObject({ attempts: 3 });
  });

  it('sends nothing more than twice that may have been billed', async () => {
    const upstream = new FakeUpstream(() => ({ fails: 'cut' }));
    createPool();
    await expect(settle(callOnce(upstream))).rejects.toMatchObject({
      failure: { kind: 'cut' },
    });
    expect(upstream.sent).toHaveLength(2);
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
    await expect(settle(callOnce(upstream))).rejects.toThrow(PoolExhaustedError);
    isPaid = true;
    pool?.setKeys(testKeys(1).map((key) => ({ ...key, secret: 'sk-test-fake-replaced' })));
    await expect(settle(callOnce(upstream))).resolves.toMatchObject({ attempts: 1 });
  });

  it('lets a removed key finish its call and gives it no other', async () => {
    const upstream = new FakeUpstream();
    createPool({ keys: testKeys(1) });
    const call = callOnce(upstream);
    await vi.advanceTimersByTimeAsync(20);
    pool?.setKeys([]);
    expect(keyNamed('DEEPSEEK_API_KEY').state).toBe('draining');
    await expect(settle(call)).resolves.toMatchObject({ keyName: 'DEEPSEEK_API_KEY' });
    await expect(settle(callOnce(upstream))).rejects.toMatchObject({ code: 'POOL_NO_KEYS' });
    expect(pool?.snapshot().providers[0]?.keys).toEqual([]);
  });
});

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
