import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterAccepted,
  afterNeighbour,
  afterPause,
  afterRefused,
  atLeast,
  dividedLimit,
  freshLimit,
  grown,
  growsAt,
  joinedLimit,
  type LimitState,
  partedLimit,
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
  it('goes up one by one after a pause, in steps that double while they are taken', () => {
    let state = afterPause(refused({ ...freshLimit(64), limit: 9 }, 8, 40), 500);
    expect(state).toMatchObject({ capacity: 0, refusedAt: 40, refusedProbes: 0, step: 1 });
    const limits: number[] = [];
    for (let round = 0; round < 5; round++) {
      state = grown(state, 64);
      limits.push(state.limit);
      state = afterAccepted(state, state.limit, 600);
    }
    expect(limits).toEqual([1, 2, 4, 8, 16]);
  });

  it('lets a second call wait for the first sign, then goes by doubling', () => {
    const fresh = freshLimit(64);
    expect(fresh).toMatchObject({ limit: 1, capacity: null });
    const limits = [1, 2, 3, 8].map((accepted) => afterAccepted(fresh, accepted, 0).limit);
    expect(limits).toEqual([4, 4, 6, 16]);
    expect(afterAccepted({ ...fresh, limit: 30 }, 2, 0).limit).toBe(30);
  });

  it('tries by at most so many calls more than were taken', () => {
    let state = refused({ ...freshLimit(64), limit: 5 }, 4, 0);
    for (const accepted of [5, 6]) state = afterAccepted(state, accepted, 1);
    expect(state).toMatchObject({ capacity: 6, step: 4, probeAt: 0 });
    expect(grown(state, 64).limit).toBe(10);
    expect(grown(state, 2).limit).toBe(8);
    expect(grown(freshLimit(64), 8).limit).toBe(2);
    expect(grown({ ...state, ceiling: 7 }, 64).limit).toBe(7);
  });

  it('grows where a limit was met, when its time has come, below the ceiling', () => {
    const met = refused({ ...freshLimit(64), limit: 9 }, 8, 0);
    expect(growsAt(freshLimit(64))).toBe(Number.POSITIVE_INFINITY);
    expect(growsAt({ ...met, ceiling: 8 })).toBe(Number.POSITIVE_INFINITY);
    expect(growsAt(grown(met, 1))).toBe(Number.POSITIVE_INFINITY);
    expect(growsAt(met)).toBe(timing.limitProbeMs);
  });

  it('takes a refusal below what was proven for news, and not for a try that failed', () => {
    const met = { ...refused({ ...freshLimit(64), limit: 9 }, 8, 0), refusedProbes: 3 };
    const tried = refused(grown(met, 1), 8, 1_000);
    expect(tried).toMatchObject({
      limit: 8,
      refusedProbes: 4,
      probeAt: 1_000 + timing.limitProbeMaxMs,
    });
    const fallen = refused(grown(met, 1), 7, 1_000);
    expect(fallen).toMatchObject({
      limit: 7,
      refusedProbes: 0,
      probeAt: 1_000 + timing.limitProbeMs,
    });
    expect(refused(met, 8, 1_000)).toMatchObject({ limit: 8, refusedProbes: 0 });
  });

  it('keeps the later of two instants for the next try', () => {
    const late = { ...refused({ ...freshLimit(64), limit: 9 }, 8, 0), probeAt: 90_000 };
    expect(refused(late, 7, 10).probeAt).toBe(90_000);
  });

  it('is what was taken where that is more, as the calls of all keys show', () => {
    const met = refused({ ...freshLimit(64), limit: 9 }, 8, 0);
    expect(atLeast(met, 12)).toEqual({ ...met, limit: 12, capacity: 12 });
    expect(atLeast(met, 8)).toBe(met);
    expect(atLeast(met, 90)).toMatchObject({ limit: 64, capacity: 64 });
    expect(atLeast(freshLimit(64), 12)).toEqual(freshLimit(64));
  });

  it('is the proven one again without a try', () => {
    const met = refused({ ...freshLimit(64), limit: 9 }, 8, 0);
    expect(withoutTry(grown(met, 4))).toEqual(met);
    expect(withoutTry({ ...met, limit: 3 }).limit).toBe(3);
    expect(withoutTry(freshLimit(64))).toEqual(freshLimit(64));
  });

  it('leaves a key alone where a neighbour was refused and its own limit is known', () => {
    const met = refused({ ...freshLimit(64), limit: 9 }, 8, 0);
    expect(afterNeighbour(met, 2)).toEqual(met);
    expect(afterNeighbour({ ...freshLimit(64), limit: 3 }, 7)).toMatchObject({
      limit: 3,
      eager: false,
    });
    expect(afterNeighbour(freshLimit(64), 0).limit).toBe(1);
  });
});

describe('the limits of accounts that are one', () => {
  const met = (capacity: number, more: Partial<LimitState> = {}): LimitState => ({
    ...freshLimit(64),
    limit: capacity,
    capacity,
    eager: false,
    ...more,
  });

  it('are what each has found, together, below the ceiling', () => {
    const one = { limit: met(3, { probeAt: 50, refusedAt: 20, step: 4 }), inFlight: 1 };
    const other = { limit: met(5, { probeAt: 40, refusedAt: 30 }), inFlight: 1 };
    const both = met(8, { probeAt: 50, refusedAt: 30, step: 1 });
    expect(joinedLimit(one, other)).toEqual(both);
    expect(joinedLimit(other, one)).toEqual(both);
    expect(joinedLimit(one, { ...other, limit: met(63) }).limit).toBe(64);
  });

  it('are what is there where one has found none, and the larger one where none has', () => {
    const [known, loose] = [
      { limit: met(3), inFlight: 3 },
      { limit: freshLimit(64), inFlight: 2 },
    ];
    expect(joinedLimit(known, loose)).toMatchObject({ limit: 5, capacity: 5 });
    expect(joinedLimit(loose, known)).toMatchObject({ limit: 5, capacity: 5 });
    const wider = { limit: { ...freshLimit(64), limit: 16 }, inFlight: 2 };
    for (const joined of [joinedLimit(loose, wider), joinedLimit(wider, loose)]) {
      expect(joined).toEqual({ ...freshLimit(64), limit: 16 });
    }
  });

  it('are as many calls as each has there, when they come apart', () => {
    expect(partedLimit(met(9), 4, 700)).toEqual(met(4, { probeAt: 700 }));
    expect(partedLimit(met(9), 0, 700)).toEqual(met(1, { probeAt: 700 }));
  });

  it('are divided by the processes, one slot for each at least, and a pause stays a pause', () => {
    expect(dividedLimit(met(9), 2)).toEqual(met(4));
    expect(dividedLimit(met(2), 5)).toEqual(met(1));
    expect(dividedLimit(met(0), 2)).toEqual(met(0));
    expect(dividedLimit({ ...freshLimit(64), limit: 8 }, 2)).toMatchObject({
      limit: 4,
      capacity: null,
    });
  });
});
