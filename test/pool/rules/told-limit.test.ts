import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freshLimit, type LimitState } from '../../../src/pool/rules/limit.ts';
import { limitFrom, toldLimit } from '../../../src/pool/rules/told/told-limit.ts';

const limits = fc.record({
  limit: fc.integer({ min: 0, max: 500 }),
  capacity: fc.option(fc.integer({ min: 0, max: 500 })),
  ceiling: fc.constant(500),
  eager: fc.boolean(),
  refusedAt: fc.oneof(fc.constant(Number.NEGATIVE_INFINITY), fc.nat(1_000)),
  probeAt: fc.integer({ min: 1_000, max: 9_000 }),
  refusedProbes: fc.nat(9),
  step: fc.nat(9),
});

describe('a limit that one process tells another', () => {
  it('is the same there, by the clock of the other', () => {
    fc.assert(
      fc.property(limits, fc.nat(100_000), (state, laterMs) => {
        const there = limitFrom(toldLimit(state, 3, 1_000), 500, 1_000 + laterMs);
        expect(there).toEqual({
          ...state,
          refusedAt: state.refusedAt + laterMs,
          probeAt: state.probeAt + laterMs,
        });
      }),
    );
  });

  it('says how often the account was started anew', () => {
    expect(toldLimit(freshLimit(8), 7, 0)).toMatchObject({ generation: 7, refusedAgoMs: null });
  });

  it('tells no time to come of a refusal, and none that is past of a try', () => {
    const state: LimitState = { ...freshLimit(8), refusedAt: 200, probeAt: 50 };
    expect(toldLimit(state, 0, 100)).toMatchObject({ refusedAgoMs: 0, probeInMs: 0 });
  });

  it('never exceeds the ceiling of whoever hears of it', () => {
    const told = toldLimit({ ...freshLimit(500), limit: 90, capacity: 80 }, 0, 0);
    expect(limitFrom(told, 30, 0)).toMatchObject({ limit: 30, capacity: 30, ceiling: 30 });
  });
});
