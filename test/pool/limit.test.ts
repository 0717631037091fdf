import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterAccepted,
  afterNamed,
  afterPause,
  afterRefused,
  freshLimit,
  grown,
  growsAt,
  type LimitState,
} from '../../src/pool/limit.ts';
import { expectedPace, timingFor } from '../../src/pool/timing.ts';

const timing = timingFor(expectedPace(10));

/** An account of this capacity under endless demand, in rounds of answers. */
function discover(capacity: number, ceiling: number): { state: LimitState; refusals: number } {
  let state = freshLimit(ceiling);
  let accepted = 0;
  let refusals = 0;
  for (let round = 0; round < 20; round++) {
    const sent = Math.max(0, state.limit - accepted);
    const taken = Math.min(sent, capacity - accepted);
    for (let each = 0; each < taken; each++) {
      accepted += 1;
      state = afterAccepted(state, accepted);
    }
    let inFlight = accepted + sent - taken;
    for (let each = taken; each < sent; each++) {
      inFlight -= 1;
      refusals += 1;
      state = afterRefused(state, inFlight, 0, round, timing);
    }
  }
  return { state, refusals };
}

describe('the concurrency limit', () => {
  it('is found exactly from 1 to 2,500, with hardly more refusals than its size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_500 }), (capacity) => {
        const { state, refusals } = discover(capacity, 10_000);
        expect(state.limit).toBe(capacity);
        expect(state.capacity).toBe(capacity);
        // The eight that are sent at once, or one doubling too many.
        expect(refusals).toBeLessThanOrEqual(Math.max(8, capacity));
      }),
      { numRuns: 60, examples: [[1], [2], [7], [8], [9], [2_500]] },
    );
  });

  it('reaches a ceiling of 500 in ten round trips without a refusal', () => {
    const { state, refusals } = discover(500, 500);
    expect(state.limit).toBe(500);
    expect(refusals).toBe(0);
  });

  it('never leaves the range from one to the ceiling', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('accept'), n: fc.nat(3_000) }),
      fc.record({ do: fc.constant('refuse'), n: fc.nat(3_000) }),
      fc.record({ do: fc.constant('name'), n: fc.nat(3_000) }),
      fc.record({ do: fc.constant('grow'), n: fc.nat(3_000) }),
      fc.record({ do: fc.constant('pause'), n: fc.nat(10) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_500 }), fc.array(step), (ceiling, steps) => {
        let state = freshLimit(ceiling);
        steps.forEach((each, now) => {
          if (each.do === 'accept') state = afterAccepted(state, each.n);
          if (each.do === 'refuse') state = afterRefused(state, each.n, each.n % 3, now, timing);
          if (each.do === 'name') state = afterNamed(state, each.n, now, timing);
          if (each.do === 'grow') state = grown(state, each.n, now);
          if (each.do === 'pause') state = afterPause(state);
          expect(state.limit).toBeGreaterThanOrEqual(1);
          expect(state.limit).toBeLessThanOrEqual(ceiling);
        });
      }),
    );
  });

  it('tries above a proven capacity ever more rarely while that is refused', () => {
    let state = afterRefused({ ...freshLimit(64), limit: 9 }, 8, 0, 0, timing);
    const pauses: number[] = [];
    for (let probe = 0; probe < 4; probe++) {
      const at = growsAt(state);
      pauses.push(at);
      state = grown(state, state.limit, at);
      expect(state.limit).toBe(9);
      state = afterRefused(state, 8, 0, at, timing);
      expect(state.limit).toBe(8);
    }
    const gaps = pauses.map((at, index) => at - (pauses[index - 1] ?? 0));
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
    expect(gaps.at(-1)).toBeGreaterThan(gaps[0] ?? 0);
  });

  it('follows a raised capacity in doubling steps', () => {
    let state = afterRefused({ ...freshLimit(64), limit: 5 }, 4, 0, 0, timing);
    let probes = 0;
    for (let accepted = 4; accepted < 32; probes++) {
      state = grown(state, state.limit, growsAt(state));
      for (; accepted < Math.min(32, state.limit); ) {
        accepted += 1;
        state = afterAccepted(state, accepted);
      }
    }
    expect(probes).toBeLessThan(10);
  });

  it('does not chase a capacity that was counted too high', () => {
    let state = afterRefused({ ...freshLimit(64), limit: 12 }, 8, 4, 0, timing);
    for (let refusal = 0; refusal < 4; refusal++) {
      state = afterAccepted(state, 8);
      state = afterRefused(state, 8, 1, 0, timing);
    }
    expect(state.capacity).toBe(8);
  });
});
