/** The curve of a rate, and whose turn it is: by numbers, for what the plays in rate.test.ts find is coarse. */

import { describe, expect, it } from 'vitest';
import {
  afterSent,
  depthOf,
  FRESH_RATE,
  isRateLimited,
  type RateState,
  rateOf,
  regainMsOf,
  turnAt,
} from '../../../src/pool/rules/rate.ts';

/** One call a second was refused, and was no mere guess; one goes at once. */
function found(more: Partial<RateState> = {}): RateState {
  return { ...FRESH_RATE, refusedRate: 0.001, cuts: 1, roomAt: 10_000, ...more };
}

describe('a rate that was refused', () => {
  it('is limited where requests per time are', () => {
    expect([isRateLimited('perplexity'), isRateLimited('deepseek')]).toEqual([true, false]);
  });

  it.each<[string, number, Partial<RateState>, number]>([
    ['fifteen seconds, or twenty calls', 0.001, { isSettled: true }, 20_000],
    ['no less than fifteen seconds', 0.01, { isSettled: true }, 15_000],
    ['half of it while it is not settled', 0.001, {}, 10_000],
    [
      'half as much again where refusals cost a pause',
      0.001,
      { isSettled: true, askedMs: 1 },
      30_000,
    ],
  ])('is reached again within %s', (_name, rate, more, ms) => {
    expect(regainMsOf(rate, found(more))).toBe(ms);
  });

  it.each<[string, Partial<RateState>, number]>([
    ['goes on a little below', {}, 0.95],
    ['has most of it back half-way', { wantedMs: 5_000 }, 1 - 0.05 / 8],
    ['is back in time', { wantedMs: 10_000 }, 1],
    ['hardly grows at first', { wantedMs: 17_500 }, 1.125],
    ['is twice as much later', { wantedMs: 25_000 }, 2],
    ['is twice as much much later, once settled', { wantedMs: 50_000, isSettled: true }, 2],
    ['doubles every two seconds while it is a guess', { cuts: 0, wantedMs: 4_000 }, 4],
    ['is taken as it was guessed at first', { cuts: 0 }, 1],
  ])('%s', (_name, more, share) => {
    expect(rateOf(found(more))).toBeCloseTo(0.001 * share, 9);
  });

  it('lets as many go at once after a rest as the last burst had room for', () => {
    const depth = (units: number, ms: number): number => depthOf(found({ burst: { units, ms } }));
    expect([depth(5, 2_000), depth(5, 2_500), depth(1, 0), depth(1, 9_000)]).toEqual([3, 2, 1, 1]);
    expect(depthOf({ ...FRESH_RATE, burst: { units: 4.5, ms: 1_000 } })).toBe(4);
  });
});

describe('the turn of a call', () => {
  const turn = 1 / 0.00095;

  it.each<[string, Partial<RateState>, number, number, number]>([
    ['at once while there is room', { room: 1 }, 1, 0, 10_000],
    ['when there is room for it', {}, 1, 0, 10_000 + turn],
    ['later after calls of many units', { room: -1 }, 1, 0, 10_000 + 2 * turn],
    ['when there is room for all of it', { burst: { units: 3, ms: 0 } }, 2, 0, 10_000 + 2 * turn],
    ['when some is left for others', { burst: { units: 3, ms: 0 } }, 1, 2, 10_000 + 3 * turn],
    ['as soon as there is all the room that there ever is', {}, 5, 3, 10_000 + turn],
    ['not before a pause has passed', { room: 1, pausedUntil: 12_000 }, 1, 0, 12_000],
  ])('is %s', (_name, more, units, spare, at) => {
    expect(turnAt(found(more), units, spare)).toBeCloseTo(at, 6);
  });

  it('is the end of a pause where no rate is known', () => {
    expect(turnAt({ ...FRESH_RATE, pausedUntil: 500 }, 3)).toBe(500);
  });
});

describe('a call that is sent', () => {
  it('begins a burst after a second without any', () => {
    const first = afterSent(FRESH_RATE, 1, 5_000, Number.NEGATIVE_INFINITY);
    expect(first).toEqual({ ...FRESH_RATE, restedAt: 5_000 });
    expect(afterSent(first, 1, 6_000, 5_000)).toBe(first);
    expect(afterSent(first, 1, 6_001, 5_000).restedAt).toBe(6_001);
  });

  it.each<[string, Partial<RateState>, number, number, number]>([
    ['takes the room that there was', { room: 1 }, 1, 10_000, 0],
    ['takes what came back since', {}, 1, 11_000, -0.05],
    ['finds no more room than ever goes at once', { room: 1 }, 1, 60_000, 0],
    ['takes as many units as it has', { burst: { units: 3, ms: 0 }, room: 3 }, 2, 10_000, 1],
    ['takes of the room of a later one, where it is heard of late', { room: 1 }, 1, 9_000, 0],
  ])('%s', (_name, more, units, now, room) => {
    const sent = afterSent(found(more), units, now, 9_000);
    expect(sent.room).toBeCloseTo(room, 9);
    expect(sent.roomAt).toBe(Math.max(10_000, now));
  });

  it.each<[string, Partial<RateState>, number, number]>([
    ['that waited for its turn', {}, 11_000, 1_000],
    ['that came a little late', {}, 12_300, 2_300],
    ['that came when nobody wanted to', {}, 12_500, 0],
    ['after a refusal', { refusal: { sentAt: 10_200, at: 10_400 } }, 11_000, 600],
    ['after a pause', { pausedUntil: 10_900 }, 11_000, 100],
    ['before a pause', { pausedUntil: 11_900 }, 11_000, 0],
  ])('%s counts for the time in which more was wanted', (_name, more, now, wantedMs) => {
    expect(afterSent(found(more), 1, now, 10_000).wantedMs).toBe(wantedMs);
    expect(afterSent(found({ ...more, wantedMs: 70 }), 1, now, 10_000).wantedMs).toBe(
      70 + wantedMs,
    );
  });

  it.each<[string, Partial<RateState>, number, boolean]>([
    ['two turns late, where one goes at once', {}, 13_200, true],
    ['less than that', {}, 13_100, false],
    [
      'where all the room was there that goes at once',
      { burst: { units: 2, ms: 0 } },
      12_200,
      true,
    ],
    ['where some was missing', { burst: { units: 2, ms: 0 } }, 12_100, false],
  ])('begins a burst, or does not, %s', (_name, more, now, isRested) => {
    expect(afterSent(found(more), 1, now, 10_000).restedAt).toBe(
      isRested ? now : FRESH_RATE.restedAt,
    );
  });
});

describe('a guess', () => {
  it('is doubled by one call at most, however long that one waited', () => {
    const guess = found({ refusedRate: 0.00005, cuts: 0, roomAt: 0 });
    const after = afterSent(guess, 1, 20_000, 0);
    expect(rateOf(after)).toBe(0.0001);
    expect(rateOf(afterSent(found({ refusedRate: 0.0005, cuts: 0, roomAt: 0 }), 1, 1_000, 0))).toBe(
      0.0005 * Math.SQRT2,
    );
  });
});
