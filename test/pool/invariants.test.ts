import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../../lab/pool/simulation/virtual-clock.ts';
import type { FailureKind } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { KeyPool } from '../../src/pool/key-pool.ts';
import type { AttemptResult, Lease } from '../../src/pool/lease.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { FakeUpstream, failure, request, sleep, testKeys } from './fake-upstream.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const KINDS = [
  'concurrency',
  'server_error',
  'overloaded',
  'cut',
  'malformed',
  'bad_request',
  'connection_lost',
] as const satisfies readonly FailureKind[];

const call = fc.record({
  at: fc.nat(2_000),
  serviceMs: fc.integer({ min: 1, max: 400 }),
  cancelAfterMs: fc.option(fc.nat(500)),
  timeoutMs: fc.integer({ min: 50, max: 5_000 }),
  failures: fc.array(fc.constantFrom(...KINDS), { maxLength: 3 }),
  priority: fc.constantFrom('interactive' as const, 'batch' as const),
});

describe('the pool, in any storm', () => {
  it('ends every call once, in time, and gives every lease back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 20 }), fc.nat(4), async (calls, extraKeys) => {
        const ceiling = 5;
        const pool = new KeyPool({
          keys: testKeys(1 + extraKeys),
          maxConcurrent: ceiling,
          logger: silentLogger,
          now: () => Date.now(),
          random: () => 0.5,
        });
        const ends: number[] = [];
        const running = calls.map(async (each, index) => {
          await sleep(each.at);
          const controller = new AbortController();
          const { cancelAfterMs } = each;
          if (cancelAfterMs !== null) void sleep(cancelAfterMs).then(() => controller.abort());
          const startedAt = Date.now();
          const failures = [...each.failures];
          let billed = 0;
          const send = async (lease: Lease): Promise<AttemptResult<number>> => {
            for (const { limits } of pool.snapshot().providers[0]?.accounts ?? []) {
              for (const { inFlight } of limits) expect(inFlight).toBeLessThanOrEqual(ceiling);
            }
            await sleep(5, lease.signal);
            const kind = failures.shift();
            if (kind === 'cut' || kind === 'connection_lost') billed += 1;
            if (kind !== undefined) throw failure(kind);
            await sleep(each.serviceMs, lease.signal);
            return { value: index, completionTokens: 10, promptTokens: 1 };
          };
          const facts = { signal: controller.signal, timeoutMs: each.timeoutMs };
          const ended = await pool
            .lender('deepseek')
            .call(request({ ...facts, priority: each.priority }), send)
            .then(({ value }) => value)
            .catch(() => null);
          if (ended !== null) expect(ended).toBe(index);
          ends.push(index);
          expect(billed).toBeLessThanOrEqual(2);
          expect(Date.now() - startedAt).toBeLessThanOrEqual(each.timeoutMs + 1_000);
        });
        const all = Promise.all(running);
        await vi.advanceTimersByTimeAsync(20_000);
        await all;
        expect([...ends].sort((a, b) => a - b)).toEqual(calls.map((_, index) => index));
        const provider = pool.snapshot().providers[0];
        expect(provider?.queueDepth).toBe(0);
        expect(provider?.keys.map((key) => key.inFlight)).toEqual(provider?.keys.map(() => 0));
        for (const account of provider?.accounts ?? []) expect(account.inFlight).toBe(0);
        pool.close();
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  it('leaks nothing after two thousand random cancels', async () => {
    vi.useRealTimers();
    const clock = new VirtualClock();
    const random = seededRandom(7);
    const upstream = new FakeUpstream(() => ({ capacity: 20, serviceMs: 40 }));
    const provider = await clock.run(async () => {
      const pool = new KeyPool({
        keys: testKeys(4),
        maxConcurrent: 64,
        logger: silentLogger,
        now: () => clock.now,
        random,
      });
      const calls = Array.from({ length: 2_000 }, async (_, index) => {
        await clock.sleep(index / 2);
        const controller = new AbortController();
        void clock.sleep(100 * random()).then(() => controller.abort());
        await pool
          .lender('deepseek')
          .call(request({ signal: controller.signal }), upstream.send)
          .catch(() => null);
      });
      await Promise.all(calls);
      await clock.sleep(1_000);
      const [deepseek] = pool.snapshot().providers;
      pool.close();
      return deepseek;
    });
    expect(provider?.queueDepth).toBe(0);
    expect(provider?.keys.map((key) => key.inFlight)).toEqual([0, 0, 0, 0]);
    expect(provider?.keys.map((key) => key.failures)).toEqual([0, 0, 0, 0]);
    expect(provider?.keys.map((key) => key.successes > 0)).toEqual([true, true, true, true]);
  });

  it('moves a cool-down only later', async () => {
    const waits = [3_000, 200, 1_000];
    const pool = new KeyPool({
      keys: testKeys(1, 'perplexity'),
      maxConcurrent: 64,
      logger: silentLogger,
      now: () => Date.now(),
    });
    const lender = pool.lender('perplexity');
    const facts = { model: 'search' };
    const send = async (): Promise<AttemptResult<null>> => {
      await sleep(5);
      const retryAfterMs = waits.shift();
      if (retryAfterMs !== undefined) throw failure('concurrency', { retryAfterMs });
      return { value: null, completionTokens: null, promptTokens: null };
    };
    const first = lender.call(request(facts), send);
    await vi.advanceTimersByTimeAsync(10);
    const until = pool.snapshot().providers[1]?.keys[0]?.retryInMs ?? 0;
    expect(until).toBeGreaterThan(2_900);
    const second = lender.call(request(facts), send);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(pool.snapshot().providers[1]?.keys[0]?.retryInMs ?? 0).toBeGreaterThan(1_900);
    await vi.advanceTimersByTimeAsync(20_000);
    await Promise.all([first, second]);
    pool.close();
  });
});
