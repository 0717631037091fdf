/** One pool at a time, on the fake clock, and what tests ask of it. */

import { afterEach, beforeEach, vi } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { KeyPool, type KeyPoolOptions } from '../../src/pool/key-pool.ts';
import type { KeySnapshot } from '../../src/pool/snapshot.ts';
import { type Behaviour, type FakeUpstream, request, testKeys } from './fake-upstream.ts';

export let pool: KeyPool | undefined;

export function createPool(options: Partial<KeyPoolOptions> = {}): KeyPool {
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

export function keyNamed(name: string): KeySnapshot {
  const key = pool
    ?.snapshot()
    .providers.flatMap((provider) => provider.keys)
    .find((each) => each.name === name);
  if (key === undefined) throw new Error(`no key ${name}`);
  return key;
}

/** Runs the fake clock until the promise settles. */
export async function settle<T>(promise: Promise<T>): Promise<T> {
  let done = false;
  const finish = (): void => {
    done = true;
  };
  promise.then(finish, finish);
  for (let step = 0; step < 200_000 && !done; step++) await vi.advanceTimersByTimeAsync(10);
  return promise;
}

export function onlyKey(name: string, behaviour: Behaviour): (keyName: string) => Behaviour {
  return (keyName) => (keyName === name ? behaviour : {});
}

/** One ordinary call on the pool. */
export function callOnce(upstream: FakeUpstream): Promise<{ keyName: string; attempts: number }> {
  return (
    pool?.lender('deepseek').call(request(), upstream.send) ?? Promise.reject(new Error('no pool'))
  );
}

/** The fake clock, around every test of the file that calls it. */
export function onFakeClock(): void {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    pool?.close();
    pool = undefined;
    vi.useRealTimers();
  });
}
