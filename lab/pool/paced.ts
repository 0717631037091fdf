/** Scenarios P1–…: accounts that limit requests per time. A refused call is tried again by the pool. */

import { silentLogger } from '../../src/base/logger.ts';
import { KeyPool } from '../../src/pool/key-pool.ts';
import type { PoolKey, Priority } from '../../src/pool/lease.ts';
import type { Sharing } from '../../src/pool/sharing.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { type PacedSpec, PacedUpstream, type RateLimit } from './simulation/paced-upstream.ts';
import { VirtualClock } from './simulation/virtual-clock.ts';

export interface PacedScenario {
  readonly name: string;
  readonly title: string;
  readonly upstream: PacedSpec;
  /** Calls that arrive at once, every so many milliseconds, for so long. */
  readonly arrivals: { readonly count: number; readonly everyMs: number; readonly forMs: number };
  /** What is measured begins here: by then the rate should be found. */
  readonly foundMs: number;
}

export interface PacedRun {
  readonly calls: number;
  readonly failed: number;
  /** Per call, all of it and from `foundMs` on. */
  readonly refusals: number;
  readonly laterRefusals: number;
  /** Taken from `foundMs` to the last arrival, over what was allowed or asked for. */
  readonly share: number;
  readonly slowestMs: number;
}

const bucket = (limit: RateLimit['limit'], perMs: number, depth?: number): RateLimit => ({
  kind: 'bucket',
  limit,
  perMs,
  ...(depth === undefined ? {} : { depth }),
});
const window = (limit: RateLimit['limit'], perMs: number): RateLimit => ({
  kind: 'window',
  limit,
  perMs,
});
const log = (limit: RateLimit['limit'], perMs: number): RateLimit => ({
  kind: 'log',
  limit,
  perMs,
});

const SECOND = 1_000;
const MINUTE = 60_000;
const FIVE_A_SECOND = { count: 1, everyMs: 200, forMs: 2 * MINUTE } as const;

function scenario(
  name: string,
  title: string,
  upstream: Partial<PacedSpec> & Pick<PacedSpec, 'limits'>,
  arrivals: PacedScenario['arrivals'] = FIVE_A_SECOND,
  foundMs = 20 * SECOND,
): PacedScenario {
  const all = { keys: [0], answerMs: 100, serviceMs: 300, ...upstream };
  return { name, title, upstream: all, arrivals, foundMs };
}

const raisedAt = (at: number, from: number, to: number) => (now: number) => (now < at ? from : to);

export function pacedScenarios(): PacedScenario[] {
  const three = [bucket(3, SECOND)];
  return [
    scenario('P1', '5 a second against 3, bare', { limits: three }),
    scenario('P1b', 'the same with Retry-After', { limits: three, hasRetryAfter: true }),
    scenario('P1c', 'the same, answers say what is left', { limits: three, hasHeaders: true }),
    scenario('P1g', 'the same, and refusals name when the bucket will be empty', {
      limits: three,
      hasHeaders: true,
      hasReset: true,
    }),
    scenario('P1d', 'the same, one at a time', { limits: [bucket(3, SECOND, 1)], answerMs: 40 }),
    scenario('P1e', 'the same, answers of 3 s', { limits: three, serviceMs: 3_000 }),
    scenario('P1h', 'what is left, on answers that are 2 s late', {
      limits: three,
      answerMs: 2_000,
      serviceMs: 20,
      hasHeaders: true,
    }),
    scenario('P1f', 'one at a time with Retry-After and headers', {
      limits: [bucket(3, SECOND, 1)],
      answerMs: 40,
      hasRetryAfter: true,
      hasHeaders: true,
    }),
    scenario(
      'P2',
      'bursts of 20 every 8 s against 3 with 10 at once',
      {
        limits: [bucket(3, SECOND, 10)],
      },
      { count: 20, everyMs: 8_000, forMs: 3 * MINUTE },
    ),
    scenario(
      'P2b',
      '60 a second against 50 with 50 at once',
      { limits: [bucket(50, SECOND)] },
      {
        count: 3,
        everyMs: 50,
        forMs: MINUTE,
      },
    ),
    scenario(
      'P2c',
      'bursts of 20 every 7 s against 3, refused after 400 ms',
      { limits: three, answerMs: 400 },
      { count: 20, everyMs: 7_000, forMs: MINUTE },
      0,
    ),
    scenario(
      'P2d',
      'bursts of 100 every 34 s against 3, refused after a second',
      { limits: three, answerMs: SECOND },
      { count: 100, everyMs: 34_000, forMs: 102_000 },
      0,
    ),
    scenario('P3', 'four keys of one account', {
      limits: three,
      keys: [0, 0, 0, 0],
    }),
    scenario('P3b', 'four keys of one account, nobody said so', {
      limits: three,
      keys: [0, 0, 0, 0],
      isUnlabelled: true,
    }),
    scenario(
      'P3c',
      'two accounts of 3',
      { limits: three, keys: [0, 1] },
      {
        count: 2,
        everyMs: 250,
        forMs: 2 * MINUTE,
      },
    ),
    scenario(
      'P3d',
      'two accounts of 3, two keys each, nobody said so',
      {
        limits: three,
        keys: [0, 0, 1, 1],
        isUnlabelled: true,
      },
      {
        count: 2,
        everyMs: 250,
        forMs: 2 * MINUTE,
      },
    ),
    scenario('P4', 'somebody else takes one of three, on and off', {
      limits: three,
      others: (now) => Math.floor(now / 60_000) % 2,
    }),
    scenario(
      'P5',
      '50 a minute and one after the other',
      {
        limits: [bucket(50, MINUTE, 1)],
        answerMs: 40,
      },
      { count: 1, everyMs: 800, forMs: 5 * MINUTE },
      MINUTE,
    ),
    scenario(
      'P5b',
      '50 a minute, all at once after a rest',
      { limits: [bucket(50, MINUTE)] },
      {
        count: 1,
        everyMs: 800,
        forMs: 10 * MINUTE,
      },
      5 * MINUTE,
    ),
    scenario(
      'P5c',
      '3 a second and 150 a minute',
      {
        limits: [bucket(3, SECOND), bucket(150, MINUTE)],
      },
      { ...FIVE_A_SECOND, forMs: 10 * MINUTE },
      6 * MINUTE,
    ),
    scenario(
      'P5d',
      'windows of a minute, 50 each',
      { limits: [window(50, MINUTE)] },
      {
        count: 1,
        everyMs: 800,
        forMs: 8 * MINUTE,
      },
      3 * MINUTE,
    ),
    scenario('P5e', 'windows of a second, 3 each', { limits: [window(3, SECOND)] }),
    scenario('P5f', '3 in any second', { limits: [log(3, SECOND)] }),
    scenario('P5g', 'the same with Retry-After', { limits: [log(3, SECOND)], hasRetryAfter: true }),
    scenario(
      'P6',
      'the limit rises from 3 to 8 after a minute',
      {
        limits: [bucket(raisedAt(MINUTE, 3, 8), SECOND)],
      },
      { count: 1, everyMs: 100, forMs: 4 * MINUTE },
      2 * MINUTE,
    ),
    scenario(
      'P6b',
      'the same, one at a time',
      {
        limits: [bucket(raisedAt(MINUTE, 3, 8), SECOND, 1)],
        answerMs: 40,
      },
      { count: 1, everyMs: 100, forMs: 4 * MINUTE },
      2 * MINUTE,
    ),
    scenario(
      'P6c',
      'the limit falls from 8 to 3 after a minute',
      {
        limits: [bucket(raisedAt(MINUTE, 8, 3), SECOND)],
      },
      { count: 1, everyMs: 100, forMs: 3 * MINUTE },
      75 * SECOND,
    ),
  ];
}

function keysOf({ keys, isUnlabelled }: PacedSpec): PoolKey[] {
  return keys.map((account, index) => ({
    provider: 'perplexity',
    name: `PERPLEXITY_API_KEY_${index + 1}`,
    account: isUnlabelled ? null : `account-${account}`,
    secret: `pplx-test-fake-${String(index + 1).padStart(6, '0')}`,
  }));
}

/** What a limit allows from one instant to another. */
function allowed({ limits, others, keys }: PacedSpec, from: number, to: number): number {
  let sum = 0;
  for (let now = from; now < to; now += 100) {
    const rates = limits.map(
      ({ limit, perMs }) => (typeof limit === 'number' ? limit : limit(now)) / perMs,
    );
    sum += 100 * (Math.min(...rates) - (others?.(now) ?? 0) / 1_000);
  }
  return sum * (Math.max(...keys) + 1);
}

export interface PacedCall {
  readonly at: number;
  readonly endAt: number;
  readonly ok: boolean;
}

export interface PacedOptions {
  readonly priority?: Priority;
  /** Each makes every so-manieth call; default one. */
  readonly processes?: number;
  /** What is between them; default nothing. */
  readonly sharing?: (clock: VirtualClock, process: number) => Sharing;
}

export async function runPaced(
  { upstream: spec, arrivals, foundMs }: PacedScenario,
  seed: number,
  { priority = 'interactive', processes = 1, sharing }: PacedOptions = {},
): Promise<PacedRun & { readonly upstream: PacedUpstream }> {
  const clock = new VirtualClock();
  const upstream = new PacedUpstream(spec, clock, seededRandom(seed + 1_000));
  const { count, everyMs, forMs } = arrivals;
  const ended = await clock.run(async () => {
    const pools = Array.from({ length: processes }, (_, index) => {
      const others = sharing?.(clock, index);
      return new KeyPool({
        keys: keysOf(spec),
        maxConcurrent: 64,
        logger: silentLogger,
        now: () => clock.now,
        random: seededRandom(seed + 2_000 + index),
        probe: async () => 'unknown',
        ...(others === undefined ? {} : { sharing: others }),
      });
    });
    const one = async (at: number, pool: KeyPool): Promise<PacedCall> => {
      await clock.sleep(at);
      const request = {
        model: 'search',
        speedClass: 'search',
        signal: new AbortController().signal,
        timeoutMs: 3_600_000,
        priority,
        session: 'paced',
      } as const;
      const ok = await pool
        .lender('perplexity')
        .call(request, (lease) => upstream.send(lease))
        .then(
          () => true,
          () => false,
        );
      return { at, endAt: clock.now, ok };
    };
    const calls: Promise<PacedCall>[] = [];
    for (let at = 0; at < forMs; at += everyMs) {
      for (let index = 0; index < count; index++) {
        const pool = pools[calls.length % processes];
        if (pool !== undefined) calls.push(one(at, pool));
      }
    }
    void upstream.crowd(forMs);
    const all = await Promise.all(calls);
    for (const pool of pools) pool.close();
    return all;
  });
  const within = (at: number): boolean => at >= foundMs && at < forMs;
  const taken = upstream.takenAt.filter(within).length;
  const refused = upstream.refusedAt.filter(within).length;
  const asked = (count * (forMs - foundMs)) / everyMs;
  return {
    upstream,
    calls: ended.length,
    failed: ended.filter(({ ok }) => !ok).length,
    refusals: upstream.refused / ended.length,
    laterRefusals: refused / taken,
    share: taken / Math.min(asked, allowed(spec, foundMs, forMs)),
    slowestMs: Math.max(...ended.map(({ at, endAt }) => endAt - at)),
  };
}
