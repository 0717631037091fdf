/** One call, and an upstream that is down for a while. */

import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../lab/pool/simulation/virtual-clock.ts';
import type { Failure, FailureKind, Provider } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { KeyPool } from '../../src/pool/key-pool.ts';
import type { AttemptResult, Lease } from '../../src/pool/lease.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { failure, request, testKeys } from './fake-upstream.ts';

interface Alone {
  readonly provider: Provider;
  readonly kind: FailureKind;
  readonly more?: Partial<Failure>;
  readonly keys: number;
  /** Calls that were served just before. */
  readonly before: number;
  readonly serviceMs: number;
  readonly downMs: number;
  readonly timeoutMs: number;
}

interface Outcome {
  readonly error: unknown;
  /** From the beginning of the outage. */
  readonly ms: number;
  readonly sends: number;
}

async function callAlone(spec: Alone, seed: number): Promise<Outcome> {
  const clock = new VirtualClock();
  const { provider, serviceMs } = spec;
  return clock.run(async () => {
    const pool = new KeyPool({
      keys: testKeys(spec.keys, provider),
      maxConcurrent: 64,
      logger: silentLogger,
      now: () => clock.now,
      random: seededRandom(seed),
      probe: async () => 'unknown',
    });
    let downAt = Number.POSITIVE_INFINITY;
    let sends = 0;
    const send = async (lease: Lease): Promise<AttemptResult<null>> => {
      sends += 1;
      await clock.sleep(20, lease.signal);
      if (clock.now >= downAt && clock.now < downAt + spec.downMs) {
        throw failure(spec.kind, spec.more);
      }
      lease.accepted?.();
      await clock.sleep(serviceMs / 4, lease.signal);
      lease.firstByte();
      await clock.sleep((3 * serviceMs) / 4, lease.signal);
      return { value: null, completionTokens: 10, promptTokens: 1 };
    };
    const call = (timeoutMs: number) => pool.lender(provider).call(request({ timeoutMs }), send);
    for (let turn = 0; turn < spec.before; turn++) await call(180_000);
    downAt = clock.now;
    sends = 0;
    const error = await call(spec.timeoutMs).then(
      () => null,
      (reason: unknown) => reason,
    );
    pool.close();
    return { error, ms: clock.now - downAt, sends };
  });
}

const GATEWAY_TIMEOUT = { status: 504, mayBeBilled: true };
const UNBILLED: ReadonlyArray<readonly [FailureKind, Partial<Failure>]> = [
  ['server_error', { status: 502 }],
  ['overloaded', { status: 503 }],
  ['unreachable', { status: null }],
];
const BILLED: ReadonlyArray<readonly [FailureKind, Partial<Failure>]> = [
  ['server_error', GATEWAY_TIMEOUT],
  ['connection_lost', { status: null }],
];

/** One key and many, cold and warm, quick answers and slow ones. */
function* histories(): Iterable<Pick<Alone, 'provider' | 'keys' | 'before' | 'serviceMs'>> {
  for (const provider of ['deepseek', 'perplexity'] as const) {
    for (const keys of [1, 2, 8]) {
      for (const before of [0, 12]) {
        for (const serviceMs of [100, 8_000]) yield { provider, keys, before, serviceMs };
      }
    }
  }
}

describe('a lone call', () => {
  it.each(UNBILLED)(
    'is served soon after four seconds of %s, with few sends',
    async (kind, more) => {
      for (const history of histories()) {
        for (const seed of [1, 2, 3]) {
          const spec = { ...history, kind, more, downMs: 4_000, timeoutMs: 180_000 };
          const { error, ms, sends } = await callAlone(spec, seed);
          const about = JSON.stringify({ ...history, seed, ms, sends });
          expect(error, about).toBeNull();
          expect(ms - history.serviceMs, about).toBeLessThan(7_000);
          expect(sends, about).toBeLessThanOrEqual(9);
        }
      }
    },
  );

  it.each(BILLED)(
    'is served by the second send after %s that may be billed',
    async (kind, more) => {
      for (const history of histories()) {
        const spec = { ...history, kind, more, downMs: 4_000, timeoutMs: 180_000 };
        const { error, ms, sends } = await callAlone(spec, 1);
        const about = JSON.stringify({ ...history, ms, sends });
        expect(error, about).toBeNull();
        expect(ms - history.serviceMs, about).toBeLessThan(6_500);
        expect(sends, about).toBe(2);
      }
    },
  );

  it.each(UNBILLED)('ends in time with what is the matter: %s for good', async (kind, more) => {
    for (const history of histories()) {
      const spec = { ...history, kind, more, downMs: 1e9, timeoutMs: 60_000 };
      const { error, ms, sends } = await callAlone(spec, 1);
      const about = JSON.stringify({ ...history, ms, sends });
      expect(error, about).toMatchObject({ failure: { kind } });
      expect(ms, about).toBeLessThanOrEqual(60_500);
      expect(sends, about).toBeLessThanOrEqual(20);
    }
  });

  it('does not wait for long at an address that never answered', async () => {
    const never = { provider: 'deepseek', keys: 2, before: 0, serviceMs: 100 } as const;
    const spec = { ...never, kind: 'unreachable', downMs: 1e9, timeoutMs: 180_000 } as const;
    const { ms } = await callAlone(spec, 1);
    expect(ms).toBeGreaterThan(10_000);
    expect(ms).toBeLessThan(25_000);
  });

  it('is not delayed by one reset while others are answered', async () => {
    const clock = new VirtualClock();
    const ms = await clock.run(async () => {
      const pool = new KeyPool({
        keys: testKeys(2),
        maxConcurrent: 64,
        logger: silentLogger,
        now: () => clock.now,
        random: seededRandom(1),
      });
      const serve = async (lease: Lease): Promise<AttemptResult<null>> => {
        await clock.sleep(50, lease.signal);
        lease.firstByte();
        await clock.sleep(50, lease.signal);
        return { value: null, completionTokens: 1, promptTokens: 1 };
      };
      const others = Array.from({ length: 20 }, async (_, turn) => {
        await clock.sleep(turn * 30);
        await pool.lender('deepseek').call(request(), serve);
      });
      await clock.sleep(300);
      const from = clock.now;
      let isFirst = true;
      await pool.lender('deepseek').call(request(), async (lease) => {
        if (!isFirst) return serve(lease);
        isFirst = false;
        await clock.sleep(200, lease.signal);
        throw failure('connection_lost');
      });
      const took = clock.now - from;
      await Promise.all(others);
      pool.close();
      return took;
    });
    expect(ms).toBeLessThan(1_000);
  });
});
