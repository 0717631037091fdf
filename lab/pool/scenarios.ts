/** Scenarios S1–S14 of the design, at answers of eight seconds and at a fraction of that. */

import { exponential } from './random.ts';
import {
  type AccountSpec,
  drawTokens,
  type FaultAt,
  type KeySpec,
  type RefusalSpec,
  type UpstreamSpec,
  type Work,
} from './upstream.ts';

export interface Arrival {
  readonly at: number;
  readonly work: Work;
  readonly timeoutMs: number;
  /** The caller cancels so long after the arrival. */
  readonly cancelAfterMs?: number;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly upstream: UpstreamSpec;
  readonly arrivals: (random: () => number) => Arrival[];
  /** So many loops share the calls, each with its next as soon as its last one ended; without a
   * number every call comes at its own time. */
  readonly callers?: number;
  readonly maxConcurrent: number;
}

/** All durations in milliseconds for answers of eight seconds; `scale` shrinks them. */
interface Shape {
  readonly accounts: readonly AccountSpec[];
  readonly keys: readonly KeySpec[];
  readonly earlyHeaders?: boolean;
  readonly streams?: boolean;
  readonly lostShare?: number;
  readonly refusal?: RefusalSpec;
  readonly isUnlabelled?: boolean;
}

const MEAN_TOKENS = 360;

function upstream(shape: Shape, scale: number): UpstreamSpec {
  return {
    accounts: shape.accounts,
    keys: shape.keys,
    answerMs: Math.max(2, 80 * scale),
    firstByteMs: 800 * scale,
    tokenMs: 20 * scale,
    earlyHeaders: shape.earlyHeaders ?? true,
    streams: shape.streams ?? true,
    idleMs: Math.max(1_000, 45_000 * scale),
    lostShare: shape.lostShare ?? 0,
    ...(shape.refusal === undefined ? {} : { refusal: shape.refusal }),
    isUnlabelled: shape.isUnlabelled ?? false,
  };
}

const TIMEOUT_MS = 180_000;

function burst(count: number, tokens = MEAN_TOKENS) {
  return (random: () => number): Arrival[] =>
    Array.from({ length: count }, () => ({
      at: 0,
      work: { tokens: drawTokens(tokens, random) },
      timeoutMs: TIMEOUT_MS,
    }));
}

/** Where even the optimum takes longer than callers usually wait. */
function patient(count: number) {
  return (random: () => number): Arrival[] =>
    burst(count)(random).map((arrival) => ({ ...arrival, timeoutMs: 600_000 }));
}

/** Poisson arrivals for a share of what `slots` slots can serve. */
function stream(count: number, slots: number, load: number, scale: number) {
  const serviceMs = (80 + 800 + MEAN_TOKENS * 20) * scale;
  const gap = serviceMs / (slots * load);
  return (random: () => number): Arrival[] => {
    let at = 0;
    return Array.from({ length: count }, () => {
      at += exponential(gap, random);
      return { at, work: { tokens: drawTokens(MEAN_TOKENS, random) }, timeoutMs: TIMEOUT_MS };
    });
  };
}

const between =
  (from: number, to: number, fault: ReturnType<FaultAt>): FaultAt =>
  (now) =>
    now >= from && now < to ? fault : null;

const always =
  (fault: ReturnType<FaultAt>): FaultAt =>
  () =>
    fault;

function flapping(periodMs: number, fault: ReturnType<FaultAt>): FaultAt {
  return (now) => (Math.floor(now / periodMs) % 2 === 0 ? null : fault);
}

const caps = (...capacities: number[]): AccountSpec[] =>
  capacities.map((capacity) => ({ capacity }));

const plain = (count: number): KeySpec[] =>
  Array.from({ length: count }, (_, account) => ({ account }));

function withKey(count: number, at: number, more: Omit<KeySpec, 'account'>): KeySpec[] {
  return plain(count).map((key, index) => (index === at ? { ...key, ...more } : key));
}

export interface Wire {
  readonly earlyHeaders?: boolean;
  readonly streams?: boolean;
}

type Make = (name: string, title: string, shape: Shape, arrivals: Scenario['arrivals']) => Scenario;

/** A balance that ends: the limits that were seen one after the other. */
function falling(stepMs: number): AccountSpec {
  const limits = [39, 25, 20, 7, 5];
  return { capacity: (now) => limits[Math.min(limits.length - 1, Math.floor(now / stepMs))] ?? 5 };
}

/** Keys of which nobody said whose they are; refusals in every wording, at once and late. */
function unlabelled(make: Make, scale: number): Scenario[] {
  const second = 1_000 * scale;
  const of = (accounts: readonly AccountSpec[], keys: readonly number[], refusal: RefusalSpec) => ({
    accounts,
    keys: keys.map((account) => ({ account })),
    refusal,
    isUnlabelled: true,
  });
  const one = [0, 0, 0, 0];
  const two = [0, 0, 1, 1];
  const bare = { wording: 'bare', ms: 0 } as const;
  const numbers = { wording: 'numbers', ms: 0 } as const;
  const late = { wording: 'equal', ms: 200 * scale } as const;
  const busy = [0, 3, 5, 2, 6, 1];
  const others = (now: number): number => busy[Math.floor(now / (30 * second)) % 6] ?? 0;
  const shared = [{ capacity: 8, others }];
  const greedy = [0, 8, 5, 2, 8, 1];
  const harsh = (now: number): number => greedy[Math.floor(now / (6 * second)) % 6] ?? 0;
  return [
    make('U1', 'one account of 5, four keys, numbers', of(caps(5), one, numbers), patient(100)),
    make('U1b', 'the same, bare refusals', of(caps(5), one, bare), patient(100)),
    make('U1c', 'the same, late refusals, A equals B', of(caps(5), one, late), patient(100)),
    make(
      'U1d',
      'one account of 8, overload of 130 %, bare',
      of(caps(8), one, bare),
      stream(300, 8, 1.3, scale),
    ),
    make(
      'U2',
      'two accounts of 8, two keys each, numbers',
      of(caps(8, 8), two, numbers),
      burst(200),
    ),
    make('U2b', 'the same, bare refusals', of(caps(8, 8), two, bare), burst(200)),
    make(
      'U4',
      'four accounts of 8, numbers',
      of(caps(8, 8, 8, 8), [0, 1, 2, 3], numbers),
      burst(200),
    ),
    make('U4b', 'the same, bare refusals', of(caps(8, 8, 8, 8), [0, 1, 2, 3], bare), burst(200)),
    make(
      'U5',
      'the limit falls: 39, 25, 20, 7, 5',
      of([falling(6 * second)], one, numbers),
      burst(150),
    ),
    make('U6', 'somebody else on the account, four keys', of(shared, one, numbers), patient(100)),
    make('U6b', 'somebody else, one key, bare refusals', of(shared, [0], bare), patient(100)),
    make(
      'U6c',
      'somebody else, who changes every 6 s and takes all 8 twice a round',
      of([{ capacity: 8, others: harsh }], one, bare),
      patient(60),
    ),
  ];
}

/** The catalogue at one time scale; 1 is answers of eight seconds. */
export function scenariosAt(scale: number, wire: Wire = {}): Scenario[] {
  const make = (
    name: string,
    title: string,
    shape: Shape,
    arrivals: Scenario['arrivals'],
    maxConcurrent = 64,
  ): Scenario => ({
    name,
    title,
    upstream: upstream({ ...wire, ...shape }, scale),
    arrivals,
    maxConcurrent,
  });
  const four = { accounts: caps(8, 8, 8, 8), keys: plain(4), ...wire };
  const second = 1_000 * scale;
  return [
    make('S1', 'burst of 200, four keys of 8', four, burst(200)),
    make(
      'S1b',
      'burst of 200, capacities 1 2 3 30',
      { accounts: caps(1, 2, 3, 30), keys: plain(4) },
      burst(200),
    ),
    make(
      'S1c',
      'burst of 500, ceiling and capacity 500',
      { accounts: caps(500), keys: plain(1) },
      burst(500),
      500,
    ),
    make(
      'S1d',
      'burst of 200, four keys of 8, headers late',
      { ...four, earlyHeaders: false },
      burst(200),
    ),
    make(
      'S2',
      'one key 5x slow, load 60 %',
      { ...four, keys: withKey(4, 1, { slow: 5 }) },
      stream(400, 24, 0.6, scale),
    ),
    make(
      'S2b',
      'one key 5x slow, burst of 200',
      { ...four, keys: withKey(4, 1, { slow: 5 }) },
      burst(200),
    ),
    make(
      'S2c',
      'one key 20x slow, burst of 200',
      { ...four, keys: withKey(4, 1, { slow: 20 }) },
      burst(200),
    ),
    make(
      'S3',
      '429 storm on one key for 60 s',
      {
        ...four,
        keys: withKey(4, 1, { fault: between(10 * second, 70 * second, { kind: 'concurrency' }) }),
      },
      stream(400, 32, 0.6, scale),
    ),
    make(
      'S3b',
      'the same with Retry-After',
      {
        ...four,
        keys: withKey(4, 1, {
          fault: between(10 * second, 70 * second, {
            kind: 'concurrency',
            retryAfterMs: 5 * second,
          }),
        }),
      },
      stream(400, 32, 0.6, scale),
    ),
    make(
      'S4',
      'one key 401, burst of 200',
      { ...four, keys: withKey(4, 1, { fault: always({ kind: 'invalid_key' }) }) },
      burst(200),
    ),
    make(
      'S4b',
      'one account 402 after 20 s',
      { ...four, keys: withKey(4, 1, { fault: between(20 * second, 1e9, { kind: 'no_credit' }) }) },
      stream(400, 32, 0.6, scale),
    ),
    make(
      'S4c',
      'one key hangs, burst of 200',
      { ...four, keys: withKey(4, 1, { fault: always({ kind: 'hang' }) }) },
      burst(200),
    ),
    make(
      'S4d',
      'one key 500, burst of 200',
      { ...four, keys: withKey(4, 1, { fault: always({ kind: 'server_error' }) }) },
      burst(200),
    ),
    make(
      'S4e',
      'one key resets, load 60 %',
      { ...four, keys: withKey(4, 1, { fault: always({ kind: 'connection_lost' }) }) },
      stream(400, 24, 0.6, scale),
    ),
    make(
      'S4f',
      'one key hangs from 20 s to 60 s',
      {
        ...four,
        keys: withKey(4, 1, { fault: between(20 * second, 60 * second, { kind: 'hang' }) }),
      },
      stream(400, 32, 0.6, scale),
    ),
    make(
      'S4g',
      'one request in fifty is never answered',
      { ...four, lostShare: 0.02 },
      stream(400, 32, 0.6, scale),
    ),
    make(
      'S5',
      'provider 503 for 20 s',
      {
        ...four,
        keys: plain(4).map((key) => ({
          ...key,
          fault: between(20 * second, 40 * second, { kind: 'overloaded' }),
        })),
      },
      stream(400, 32, 0.7, scale),
    ),
    make(
      'S5b',
      'provider 500 for 20 s',
      {
        ...four,
        keys: plain(4).map((key) => ({
          ...key,
          fault: between(20 * second, 40 * second, { kind: 'server_error' }),
        })),
      },
      burst(300),
    ),
    make(
      'S6',
      'one key flaps, 10 s bad, 10 s good',
      { ...four, keys: withKey(4, 1, { fault: flapping(10 * second, { kind: 'server_error' }) }) },
      stream(400, 32, 0.8, scale),
    ),
    make(
      'S7',
      'four keys on two accounts, burst of 200',
      {
        accounts: caps(8, 16),
        keys: [{ account: 0 }, { account: 0 }, { account: 1 }, { account: 1 }],
      },
      burst(200),
    ),
    make('S8', 'one answer in ten 20x as long', four, (random) =>
      stream(
        400,
        32,
        0.3,
        scale,
      )(random).map((arrival) => ({
        ...arrival,
        work: { tokens: random() < 0.1 ? 20 * arrival.work.tokens : arrival.work.tokens },
        timeoutMs: 600_000,
      })),
    ),
    make('S9', 'overload of 130 %', four, stream(500, 32, 1.3, scale)),
    make(
      'S9b',
      'capacity shrinks from 16 to 4 and grows back',
      {
        accounts: [
          { capacity: (now) => (now > 20 * second && now < 60 * second ? 4 : 16) },
          ...caps(8, 8),
        ],
        keys: plain(3),
      },
      burst(400),
    ),
    make('S10', '30 % cancelled', four, (random) =>
      stream(
        400,
        32,
        0.8,
        scale,
      )(random).map((arrival) =>
        random() < 0.3 ? { ...arrival, cancelAfterMs: 8_000 * scale * random() } : arrival,
      ),
    ),
    ...unlabelled(make, scale),
    make('S13', '20 % bad requests', four, (random) =>
      burst(250)(random).map((arrival) => ({
        ...arrival,
        work: { ...arrival.work, isBad: random() < 0.2 },
      })),
    ),
  ];
}
