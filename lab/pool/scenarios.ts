/** Scenarios S1–S14 of the design, at answers of eight seconds and at a fraction of that. */

import {
  burst,
  caps,
  plain,
  type Scenario,
  type Shape,
  stream,
  type Wire,
} from './simulation/traffic.ts';
import type { FaultAt, KeySpec, UpstreamSpec } from './simulation/virtual-upstream.ts';
import { unlabelledScenarios } from './unlabelled-scenarios.ts';

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
    failShare: shape.failShare ?? 0,
    ...(shape.overloadAt === undefined ? {} : { overloadAt: shape.overloadAt }),
    ...(shape.refusal === undefined ? {} : { refusal: shape.refusal }),
    isUnlabelled: shape.isUnlabelled ?? false,
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

function withKey(count: number, at: number, more: Omit<KeySpec, 'account'>): KeySpec[] {
  return plain(count).map((key, index) => (index === at ? { ...key, ...more } : key));
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
      'S5c',
      'provider 503 for 20 s, then weak: six calls at once, one more every second',
      {
        ...four,
        keys: plain(4).map((key) => ({
          ...key,
          fault: between(20 * second, 40 * second, { kind: 'overloaded' }),
        })),
        overloadAt: (now) =>
          now >= 40 * second && now < 60 * second
            ? 6 + (now - 40 * second) / second
            : Number.POSITIVE_INFINITY,
      },
      stream(400, 32, 0.7, scale),
    ),
    make(
      'S5d',
      'three answers in ten are a 500, whatever the key',
      { ...four, failShare: 0.3 },
      stream(400, 32, 0.6, scale),
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
    ...unlabelledScenarios(make, scale),
    make('S13', '20 % bad requests', four, (random) =>
      burst(250)(random).map((arrival) => ({
        ...arrival,
        work: { ...arrival.work, isBad: random() < 0.2 },
      })),
    ),
  ];
}
