import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterAccepted,
  afterNeighbour,
  afterPause,
  afterRefused,
  freshLimit,
  grown,
  growsAt,
  type LimitState,
  withoutTry,
} from '../../../src/pool/rules/limit.ts';
import { expectedPace, timingFor } from '../../../src/pool/rules/timing.ts';

const timing = timingFor(expectedPace(10));

function refused(state: LimitState, seen: number, now: number, room: number | null = null) {
  return afterRefused(state, { seen, room, now, retryAfterMs: null }, timing);
}

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
      state = afterAccepted(state, accepted, round);
    }
    let inFlight = accepted + sent - taken;
    for (let each = taken; each < sent; each++) {
      inFlight -= 1;
      refusals += 1;
      state = refused(state, inFlight, round);
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

  it('never leaves the range from none to the ceiling, and never allows more than was there when it was refused', () => {
    const step = fc.record({
      do: fc.constantFrom('accept', 'refuse', 'name', 'grow', 'pause', 'neighbour', 'off'),
      n: fc.nat(3_000),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_500 }), fc.array(step), (ceiling, steps) => {
        let state = freshLimit(ceiling);
        steps.forEach((each, now) => {
          if (each.do === 'accept') state = afterAccepted(state, each.n, now);
          if (each.do === 'refuse' || each.do === 'name') {
            const room = each.do === 'name' ? (each.n * 7) % 3_000 : null;
            state = refused(state, each.n, now, room);
            expect(state.limit).toBeLessThanOrEqual(each.n);
            expect(growsAt(state)).toBeGreaterThan(now);
          }
          if (each.do === 'grow') state = grown(state, 1 + (each.n % 9));
          if (each.do === 'pause') state = afterPause(state, now + 10);
          if (each.do === 'neighbour') state = afterNeighbour(state, each.n);
          if (each.do === 'off') state = withoutTry(state);
          expect(state.limit).toBeGreaterThanOrEqual(0);
          expect(state.limit).toBeLessThanOrEqual(ceiling);
        });
      }),
    );
  });

  it('believes no number that would leave more room than was just refused', () => {
    const state = refused({ ...freshLimit(64), limit: 9 }, 2, 0, 8);
    expect(state.limit).toBe(2);
    expect(refused({ ...freshLimit(64), limit: 30 }, 20, 0, 5).limit).toBe(5);
  });

  it('takes a call that was sent before the last refusal for no proof against it', () => {
    const fallen = refused({ ...freshLimit(64), limit: 20 }, 19, 100, 5);
    expect(afterAccepted(fallen, 19, 50).limit).toBe(5);
    expect(afterAccepted(fallen, 6, 150).limit).toBe(6);
  });

  it('tries above a proven capacity ever more rarely while that is refused', () => {
    let state = refused({ ...freshLimit(64), limit: 9 }, 8, 0);
    const pauses: number[] = [];
    for (let probe = 0; probe < 4; probe++) {
      const at = growsAt(state);
      pauses.push(at);
      state = grown(state, 8);
      expect(state.limit).toBe(9);
      state = refused(state, 8, at);
      expect(state.limit).toBe(8);
    }
    const gaps = pauses.map((at, index) => at - (pauses[index - 1] ?? 0));
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
    expect(gaps.at(-1)).toBeGreaterThan(gaps[0] ?? 0);
  });

  it('waits for a try at least as long as the upstream asks', () => {
    const state = afterRefused(
      { ...freshLimit(64), limit: 9 },
      { seen: 8, room: null, now: 0, retryAfterMs: 90_000 },
      timing,
    );
    expect(growsAt(state)).toBe(90_000);
  });

  it('follows a raised capacity in doubling steps', () => {
    let state = refused({ ...freshLimit(64), limit: 5 }, 4, 0);
    let probes = 0;
    for (let accepted = 4; accepted < 32; probes++) {
      state = grown(state, 64);
      for (; accepted < Math.min(32, state.limit); ) {
        accepted += 1;
        state = afterAccepted(state, accepted, 1);
      }
    }
    expect(probes).toBeLessThan(10);
  });

  it('goes on one by one where a key that may be of the same account was refused', () => {
    const eager = { ...freshLimit(64), limit: 16 };
    const careful = afterNeighbour(eager, 3);
    expect(careful.limit).toBe(4);
    expect(afterAccepted(careful, 4, 0).limit).toBe(5);
    expect(afterAccepted(eager, 4, 0).limit).toBe(16);
  });

  it('lets one call go after a pause, and not before', () => {
    const paused = afterPause(freshLimit(64), 500);
    expect(paused.limit).toBe(0);
    expect(growsAt(paused)).toBe(500);
    expect(grown(paused, 8).limit).toBe(1);
  });
});
