/** How long an account rests that takes no call, though none of ours is there. */

import { describe, expect, it } from 'vitest';
import { laneOf } from '../../../../src/pool/records/state.ts';
import { timingFor } from '../../../../src/pool/rules/timing.ts';
import { call, failure, place, type TestPlace } from '../scene.ts';

const timing = timingFor(place().provider.pace);

describe('a pause of an account', () => {
  /** Refused with nothing of ours there. */
  const refused = failure('concurrency', { status: 429 });

  it('is as long as the upstream asks, or as we think right', () => {
    const where = place();
    call(where, 0, 60, refused);
    const own = where.account.coolUntil - 60;
    expect(own).toBe(timing.coolMs);
    expect(where.account).toMatchObject({ coolSince: 60, coolings: 1 });
    expect(where.account.coolReason).toMatch(/rate limited by DeepSeek/);
    expect(where.lane).toMatchObject({
      shut: { sentAt: 0, until: where.account.coolUntil },
      limit: { limit: 0, probeAt: where.account.coolUntil },
    });
    const asked = place();
    call(asked, 0, 60, failure('concurrency', { status: 429, retryAfterMs: 9_000 }));
    expect(asked.account.coolUntil).toBe(9_060);
    const absurd = place();
    call(absurd, 0, 60, failure('concurrency', { status: 429, retryAfterMs: 86_400_000 }));
    expect(absurd.account.coolUntil).toBe(600_060);
  });

  it('is longer after one that did not help, and not for refusals of one burst', () => {
    const where = place();
    call(where, 0, 60, refused);
    call(where, 10, 61, refused);
    expect(where.account.coolings).toBe(1);
    const first = where.account.coolUntil;
    call(where, first, first + 60, refused);
    expect(where.account).toMatchObject({ coolings: 2, coolSince: 60 });
    expect(where.account.coolUntil).toBe(first + 60 + 2 * timing.coolMs);
  });

  /** Refused again and again, each time when the pause is over. */
  const lastPause = (where: TestPlace, times: number): number => {
    let [at, pause] = [0, 0];
    for (let count = 0; count < times; count++) {
      call(where, at, at + 60, refused);
      pause = where.account.coolUntil - at - 60;
      at = where.account.coolUntil;
    }
    return pause;
  };

  it('grows to its most, from where a few calls that are taken bring it down again', () => {
    const where = place();
    expect(lastPause(where, 40)).toBe(timing.coolMaxMs);
    expect(where.account.coolings).toBeLessThanOrEqual(
      Math.ceil(Math.log2(timing.coolMaxMs / timing.coolMs)),
    );
  });

  it('is short where others are there whom we cannot ask, and stays so when we can again', () => {
    const where = place();
    where.provider.isCutOff = true;
    expect(lastPause(where, 40)).toBe(timing.limitProbeMaxMs);
    where.provider.isCutOff = false;
    const at = where.account.coolUntil;
    call(where, at, at + 60, refused);
    expect(where.account.coolUntil - at - 60).toBeLessThanOrEqual(2 * timing.limitProbeMaxMs);
  });

  it('begins anew where nobody called for long', () => {
    const where = place();
    call(where, 0, 60, refused);
    const long = where.account.coolUntil + timing.coolMaxMs;
    call(where, long - 100, long, refused);
    expect(where.account.coolSince).toBe(60);
    const { coolUntil } = where.account;
    const longer = coolUntil + timing.coolMaxMs + 1;
    call(where, longer - 100, longer, refused);
    expect(where.account.coolSince).toBe(longer);
  });

  it('never becomes shorter, and holds for every model', () => {
    const where = place();
    const other = laneOf(where.account, 'other', 64);
    where.account.coolUntil = 5_000;
    call(where, 0, 60, refused);
    expect(where.account.coolUntil).toBe(5_000);
    expect(other.limit).toMatchObject({ limit: 0, probeAt: 5_000 });
  });
});
