/** What an answer's own numbers change, by numbers. */

import { describe, expect, it } from 'vitest';
import { FRESH_RATE, type RateState } from '../../../src/pool/rules/rate.ts';
import { afterRateRefused } from '../../../src/pool/rules/rate-refused.ts';
import { afterRateTold } from '../../../src/pool/rules/rate-told.ts';

const SINCE = [
  { sentAt: 1_000, units: 1 },
  { sentAt: 1_010, units: 2 },
];

function told(
  state: RateState,
  limit: number | null,
  remaining: number | null,
  taken = SINCE,
): RateState {
  return afterRateTold(state, { limit, remaining }, 1_000, taken);
}

function found(more: Partial<RateState> = {}): RateState {
  return { ...FRESH_RATE, refusedRate: 0.001, cuts: 1, room: 5, roomAt: 1_000, ...more };
}

describe('room that an answer tells', () => {
  it('is less by what was sent since, and holds back when nothing is left of it', () => {
    const begun = { ...FRESH_RATE, restedAt: 500, wantedMs: 70 };
    expect(told(begun, null, 3)).toBe(begun);
    const held = told(begun, null, 2);
    expect(held).toMatchObject({ room: 0, roomAt: 1_000, wantedMs: 0, cuts: 0 });
    expect(told(begun, null, null)).toBe(begun);
  });

  it('is of the call itself, however long the process has run', () => {
    const begun = { ...FRESH_RATE, restedAt: 1.79e12 };
    const own = [{ sentAt: 1.79e12 + 1_000, units: 1 }];
    const answer = { limit: null, remaining: 1 };
    expect(afterRateTold(begun, answer, 1.79e12 + 1_000, own)).toBe(begun);
  });

  it.each([
    // The call itself, and all that had room after it.
    [0, { units: 1, ms: 500 }, 0.001],
    [1, { units: 3, ms: 510 }, 0.003],
    [2, { units: 3, ms: 510 }, 0.003],
  ])('for %i more says how many go, where as many have gone', (remaining, burst, refusedRate) => {
    const held = told({ ...FRESH_RATE, restedAt: 500 }, null, remaining);
    expect(held).toMatchObject({ burst, refusedRate, room: remaining - 2 });
    expect(held.fullAt).toBe(500 + burst.ms);
  });

  it('counts what went before the call, since a rest and for a minute at most', () => {
    const before = [400, 600, 900].map((sentAt) => ({ sentAt, units: 1 }));
    const rested = told({ ...FRESH_RATE, restedAt: 500 }, null, 0, [...before, ...SINCE]);
    expect(rested.burst).toEqual({ units: 3, ms: 500 });
    const unknown = told(FRESH_RATE, null, 0, [...before, ...SINCE]);
    expect(unknown.burst).toEqual({ units: 4, ms: 1_000 });
  });

  it('that is gone is a guess, which the first refusal makes anew', () => {
    const begun = { ...FRESH_RATE, restedAt: 900 };
    const taken = [950, 960, 970, 980, 1_000].map((sentAt) => ({ sentAt, units: 1 }));
    const held = afterRateTold(begun, { limit: null, remaining: 0 }, 950, taken);
    expect(held.refusedRate).toBe(0.001);
    const refusal = { sentAt: 1_010, units: 1, now: 1_100, retryAfterMs: null, chance: 0.5 };
    const state = afterRateRefused(held, refusal, taken);
    expect(state).toMatchObject({ refusedRate: 0.005, cuts: 0, burst: { units: 5, ms: 110 } });
  });

  it('is never more than we thought', () => {
    expect(told(found(), null, 4).room).toBe(2);
    const tight = found({ room: 1 });
    expect(told(tight, null, 4)).toBe(tight);
  });

  it('has come back by the time that we reckon from', () => {
    expect(told(found({ roomAt: 2_000 }), null, 4).room).toBeCloseTo(2.95, 9);
    expect(told(found({ roomAt: 0 }), null, 4).room).toBe(2);
  });
});

describe('a limit that an answer names', () => {
  it('is remembered, the first one and any before a refusal', () => {
    expect(told(FRESH_RATE, 50, null)).toEqual({ ...FRESH_RATE, named: 50 });
    expect(told(found(), 50, null)).toEqual(found({ named: 50 }));
    const named = { ...FRESH_RATE, named: 50 };
    expect(told(named, 60, null)).toEqual({ ...FRESH_RATE, named: 60 });
  });

  it('moves all that was found when it moves', () => {
    const state = found({ named: 50, burst: { units: 4, ms: 300 }, isSettled: true });
    expect(told(state, 100, null)).toEqual({
      ...state,
      named: 100,
      refusedRate: 0.002,
      burst: { units: 8, ms: 300 },
      // Up to the new rate at once.
      wantedMs: 15_000,
    });
    expect(told(state, 25, null)).toMatchObject({ refusedRate: 0.0005, burst: { units: 2 } });
  });

  it.each([0, -5, 50])('%s says nothing where fifty was named', (limit) => {
    const state = found({ named: 50 });
    expect(told(state, limit, null)).toBe(state);
  });
});
