/** The scenarios that are a number rather than a race: leaks, the half-open herd, the choice. */

import { silentLogger } from '../../src/base/logger.ts';
import { KeyPool } from '../../src/pool/key-pool.ts';
import type { CallRequest, PoolKey } from '../../src/pool/lease.ts';
import { PendingCall } from '../../src/pool/run/attempts/pending-call.ts';
import { momentOf, pickFor } from '../../src/pool/run/attempts/selector.ts';
import { Roster } from '../../src/pool/run/keys/roster.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { VirtualClock } from './simulation/virtual-clock.ts';
import {
  keySpecsOf,
  SimulatedUpstream,
  type UpstreamSpec,
  USUAL,
} from './simulation/virtual-upstream.ts';

function requestWith(signal: AbortSignal): CallRequest {
  return {
    model: 'deepseek-flash',
    speedClass: 'deepseek-flash',
    signal,
    timeoutMs: 180_000,
    priority: 'interactive',
    session: 'bench',
  };
}

const FOUR: UpstreamSpec = {
  accounts: [8, 8, 8, 8].map((capacity) => ({ capacity })),
  keys: [0, 1, 2, 3].map((account) => ({ account })),
  ...USUAL,
};

function poolOn(clock: VirtualClock, spec: UpstreamSpec): KeyPool {
  return new KeyPool({
    keys: keySpecsOf(spec),
    maxConcurrent: 64,
    logger: silentLogger,
    now: () => clock.now,
    random: seededRandom(3),
  });
}

/** Slots still taken after `count` calls that were all cancelled at random instants. */
export async function measureLeaks(count: number): Promise<number> {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const upstream = new SimulatedUpstream(FOUR, clock, seededRandom(2));
  return clock.run(async () => {
    const pool = poolOn(clock, FOUR);
    const calls = Array.from({ length: count }, async (_, index) => {
      await clock.sleep(index * 200);
      const controller = new AbortController();
      void clock.sleep(16_000 * random()).then(() => controller.abort());
      const work = { tokens: 360 };
      const request = requestWith(controller.signal);
      await pool
        .lender('deepseek')
        .call(request, (lease) => upstream.send(work, lease))
        .catch(() => null);
    });
    await Promise.all(calls);
    await clock.sleep(1_000);
    const keys = pool.snapshot().providers[0]?.keys ?? [];
    pool.close();
    return keys.reduce((sum, key) => sum + key.inFlight, 0);
  });
}

/** Most calls at once to a key that comes back, before its trial was answered. */
export async function measureHerd(): Promise<number> {
  const clock = new VirtualClock();
  const backAt = 5_000;
  const spec: UpstreamSpec = {
    ...FOUR,
    keys: FOUR.keys.map((key, index) =>
      index === 1
        ? { ...key, fault: (now) => (now < backAt ? { kind: 'server_error' } : null) }
        : key,
    ),
  };
  const upstream = new SimulatedUpstream(spec, clock, seededRandom(2));
  let inTrial = 0;
  let most = 0;
  let isBack = false;
  await clock.run(async () => {
    const pool = poolOn(clock, spec);
    const calls = Array.from({ length: 132 }, () =>
      pool.lender('deepseek').call(requestWith(new AbortController().signal), async (lease) => {
        const isTrial = lease.keyName.endsWith('_2') && clock.now > backAt && !isBack;
        if (!isTrial) return upstream.send({ tokens: 360 }, lease);
        inTrial += 1;
        most = Math.max(most, inTrial);
        try {
          return await upstream.send(
            { tokens: 360 },
            {
              ...lease,
              secret: lease.secret,
              firstByte: () => {
                isBack = true;
                lease.firstByte();
              },
            },
          );
        } finally {
          inTrial -= 1;
        }
      }),
    );
    await Promise.all(calls);
    pool.close();
  });
  return most;
}

/** Microseconds to choose among so many keys that are all in use. */
export function measureChoice(count: number): { readonly p50Us: string; readonly p99Us: string } {
  const keys: PoolKey[] = Array.from({ length: count }, (_, index) => ({
    provider: 'deepseek',
    name: `DEEPSEEK_API_KEY_${index + 1}`,
    account: null,
    secret: `sk-test-fake-${String(index + 1).padStart(6, '0')}`,
  }));
  const roster = new Roster({
    provider: 'deepseek',
    maxConcurrent: 64,
    answerMs: 300,
    logger: silentLogger,
    observer: {},
    onAccounts: () => {},
    now: () => performance.now(),
    random: Math.random,
  });
  roster.setKeys(keys);
  for (const [index, slot] of roster.slots.entries()) {
    slot.record.slowness = { ratio: 1 + (index % 7) / 20, at: 0, seen: 9, isHeard: false };
    slot.record.firstByteMs = 500;
    slot.record.lastTurn = index;
  }
  const call = new PendingCall(1, requestWith(new AbortController().signal), 0);
  const times: number[] = [];
  for (let turn = 0; turn < 10_000; turn++) {
    const from = performance.now();
    const now = performance.now();
    const moment = momentOf(roster.slots, roster.provider, 64, now, roster.timing());
    pickFor(call, moment, 1);
    times.push((performance.now() - from) * 1_000);
  }
  call.dispose();
  roster.dispose();
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(share * times.length)] ?? 0).toFixed(1);
  return { p50Us: at(0.5), p99Us: at(0.99) };
}
