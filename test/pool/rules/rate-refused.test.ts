/** What one refusal changes, by numbers. */

import { describe, expect, it } from 'vitest';
import {
  countedFrom,
  FRESH_RATE,
  type RateState,
  type Taken,
  turnAt,
} from '../../../src/pool/rules/rate.ts';
import { unitsIn } from '../../../src/pool/rules/rate-guess.ts';
import { afterRateRefused, type RateRefusal } from '../../../src/pool/rules/rate-refused.ts';

/** Calls of one unit, sent at these instants. */
function sent(...instants: readonly number[]): Taken[] {
  return instants.map((sentAt) => ({ sentAt, units: 1 }));
}

/** So many calls, one every `ms` milliseconds from `from` on. */
function paced(count: number, from: number, ms: number): Taken[] {
  return sent(...Array.from({ length: count }, (_, index) => from + index * ms));
}

function refused(
  state: RateState,
  sentAt: number,
  taken: readonly Taken[],
  more: Partial<RateRefusal> = {},
): RateState {
  const refusal = { sentAt, units: 1, now: sentAt + 60, retryAfterMs: null, chance: 0.5 };
  return afterRateRefused(state, { ...refusal, ...more }, taken);
}

/** Three a second were refused at 1,000, and were no mere guess; one goes at once. */
function found(more: Partial<RateState> = {}): RateState {
  return {
    ...FRESH_RATE,
    refusedRate: 0.003,
    cuts: 1,
    restedAt: 0,
    refusal: { sentAt: 1_000, at: 1_060 },
    fullAt: 1_000,
    leastRate: 0.003,
    ...more,
  };
}

describe('units that were sent', () => {
  it('count from the first instant until before the second', () => {
    const taken = [{ sentAt: 10, units: 2 }, ...sent(19, 20)];
    expect([unitsIn(taken, 10, 20), unitsIn(taken, 11, 21), unitsIn([], 0, 9)]).toEqual([3, 2, 0]);
  });
});

describe('the first refusal', () => {
  const begun: RateState = { ...FRESH_RATE, restedAt: 100 };

  it('says that as many go in a second as went in the last one', () => {
    const state = refused(begun, 1_000, sent(100, 400, 700, 1_010));
    expect(state).toMatchObject({
      refusedRate: 0.003,
      burst: { units: 3, ms: 900 },
      fullAt: 1_000,
      leastRate: 0.003,
      refusals: 0,
      cuts: 0,
      inRow: 0,
      wantedMs: 0,
      isSettled: false,
      askedMs: 0,
      refusal: { sentAt: 1_000, at: 1_060 },
      // One was sent meanwhile.
      room: -1,
      roomAt: 1_000,
      pausedUntil: 1_100,
    });
  });

  it('says how many go in the time since a rest, if that is longer', () => {
    const taken = [...sent(50), ...paced(6, 100, 300)];
    const { refusedRate, burst } = refused(begun, 2_100, taken);
    expect(refusedRate).toBeCloseTo(0.003, 9);
    expect(burst).toEqual({ units: 6, ms: 2_000 });
  });

  it('looks back for no longer than a minute', () => {
    const { refusedRate } = refused(
      { ...FRESH_RATE, restedAt: -9e9 },
      100_000,
      paced(100, 0, 1_000),
    );
    expect(refusedRate).toBeCloseTo(60 / 60_000, 9);
  });

  it('counts what was sent in the same turn as the refused call', () => {
    expect(refused(begun, 1_000, sent(1_000, 1_000.5, 1_001)).burst.units).toBe(2);
  });

  it('is asked about again in a quarter of a second where nothing at all was taken', () => {
    expect(refused(begun, 1_000, []).refusedRate).toBe(1 / 250);
  });

  it('pauses for as long as the upstream asks, and remembers that it costs a pause', () => {
    const state = refused(begun, 1_000, sent(400), { retryAfterMs: 2_000 });
    expect(state).toMatchObject({ pausedUntil: 3_060, askedMs: 2_000, roomAt: 1_000 });
    expect(refused(begun, 1_000, sent(400), { retryAfterMs: 5 }).pausedUntil).toBe(1_100);
  });
});

describe('a refusal of the same burst', () => {
  it('puts a pause off, and changes nothing else of what was found', () => {
    const state = refused(found(), 1_059, [], { now: 1_200, retryAfterMs: 900 });
    expect(state).toEqual({ ...found(), pausedUntil: 2_100 });
    const paused = found({ pausedUntil: 9_000 });
    expect(refused(paused, 1_059, [], { now: 1_200 })).toEqual(paused);
  });

  it('is of the last second where nobody knows when the calls began', () => {
    const taken = sent(1_000, 1_500, 1_900);
    expect(refused(FRESH_RATE, 2_000, taken).refusedRate).toBe(0.003);
    expect(refused(FRESH_RATE, 2_200, taken).refusedRate).toBe(0.002);
  });

  it('takes itself out of what a guess was made with', () => {
    const guess = refused({ ...FRESH_RATE, restedAt: 100 }, 1_000, sent(100, 400, 700, 900));
    expect(guess.refusedRate).toBe(0.004);
    expect(refused(guess, 900, sent(100, 400, 700)).refusedRate).toBe(0.003);
  });

  it('gives back the room that is owed for it, if it was sent since', () => {
    const owing = found({ room: -2, roomAt: 1_000 });
    expect(refused(owing, 1_000, [], { now: 1_200 }).room).toBe(-1);
    expect(refused(owing, 1_059, [], { now: 1_200, units: 5 }).room).toBe(0);
    expect(refused(owing, 999, [], { now: 1_200 }).room).toBe(-2);
    expect(refused(found({ room: 1 }), 1_059, [], { now: 1_200 }).room).toBe(1);
    expect(refused(found({ room: 0.4 }), 1_059, [], { now: 1_200 }).room).toBe(0.4);
  });

  it('is another one where it was sent when the first was known', () => {
    expect(refused(found(), 1_060, sent(1_030)).refusal.sentAt).toBe(1_060);
  });
});

describe('refusals in a row, with nothing taken between', () => {
  it('ask one by one, after longer and longer pauses', () => {
    const once = refused(found(), 2_000, []);
    const turn = 1 / (0.95 * 0.95 * 0.003);
    expect(once).toMatchObject({ inRow: 1, room: 1, closed: { at: 1_000, ms: 1_000 }, cuts: 1 });
    expect(once.refusedRate).toBeCloseTo(0.95 * 0.003, 9);
    expect(once.pausedUntil).toBeCloseTo(2_060 + 2 * turn, 3);
    expect(once.roomAt).toBe(once.pausedUntil);
    expect(turnAt(once, 1)).toBe(once.pausedUntil);
    const twice = refused(once, 4_000, []);
    expect(twice).toMatchObject({ inRow: 2, closed: { at: 1_000, ms: 3_000 } });
    let state = twice;
    for (let at = 5_000; at < 60_000; at += 1_000) state = refused(state, at, []);
    expect(state.pausedUntil - state.refusal.at).toBe(10_000);
    expect(refused(state, 70_000, sent(65_000)).inRow).toBe(0);
  });

  it('keep their distance from those of other processes by chance', () => {
    const pauses = [0, 0.5, 1].map(
      (chance) => refused(found(), 2_000, [], { chance }).pausedUntil - 2_060,
    );
    const [low = 0, middle = 1, high = 0] = pauses;
    expect(low / middle).toBeCloseTo(0.9, 6);
    expect(high / middle).toBeCloseTo(1.1, 6);
  });

  it('leave the room that the upstream gives after a pause of its own', () => {
    const state = refused(found(), 2_000, sent(2_010), { retryAfterMs: 4_000 });
    expect(state).toMatchObject({ inRow: 1, room: -1, roomAt: 2_000, pausedUntil: 6_060 });
  });
});

describe('a refusal after calls that were taken', () => {
  const four = paced(4, 1_100, 400);

  it('says that no more go than were taken between, give or take one', () => {
    const state = refused(found(), 3_000, four);
    expect(state).toMatchObject({ fullAt: 1_000, refusals: 1, cuts: 2, inRow: 0 });
    expect(state.refusedRate).toBeCloseTo(5 / 2_000, 9);
    expect(state.leastRate).toBeCloseTo((0.95 * 5) / 2_000, 9);
    expect(refused(found({ leastRate: 0.001 }), 3_000, four).leastRate).toBe(0.001);
  });

  it('counts refused calls as if each had cost the time of one, where one goes at once', () => {
    const loose = refused(found({ refusals: 2 }), 3_000, four);
    // Seven in two seconds are more than the rate that we kept to.
    expect(loose.refusedRate).toBeCloseTo(0.95 * 0.003 * (1 - 0.3 / 6), 9);
    const deep = found({ refusals: 2, burst: { units: 9, ms: 0 } });
    expect(refused(deep, 3_000, four).refusedRate).toBeCloseTo(5 / 2_000, 9);
  });

  it('is no bound after a pause that was asked for: the truth lies between', () => {
    const rate = 0.95 * 0.003;
    const early = refused(found({ askedMs: 900 }), 3_000, four);
    expect(early.refusedRate).toBeCloseTo(Math.sqrt(rate * Math.max(rate / 2, 4 / 2_000)), 9);
    const few = refused(found({ askedMs: 900 }), 9_000, sent(2_000));
    expect(few.refusedRate).toBeCloseTo(Math.sqrt((rate * rate) / 2), 9);
    const late = refused(found({ askedMs: 900, cuts: 4 }), 3_000, four);
    expect(late.refusedRate).toBeCloseTo(rate * (1 - 0.5 / 6), 9);
  });

  it('leaves a guess as it was where it proves nothing', () => {
    const guess = found({ cuts: 0, leastRate: 0.0001 });
    expect(refused(guess, 3_000, four)).toMatchObject({ refusedRate: 0.003, cuts: 1 });
  });

  it('counts from the last refusal alone where the limit has fallen since', () => {
    const taken = [...paced(10, 1_000, 100), ...sent(6_000)];
    const state = found({ refusal: { sentAt: 5_000, at: 5_060 } });
    const fallen = refused(state, 9_000, taken);
    expect(fallen.fullAt).toBe(5_000);
    expect(fallen.refusedRate).toBeCloseTo(2 / 4_000, 9);
    expect(refused(state, 9_000, [...taken, ...paced(6, 7_000, 100)]).fullAt).toBe(1_000);
  });

  it('counts from no earlier than is known of, where others took a part before', () => {
    const alone = countedFrom(found({ refusal: { sentAt: 1_000, at: 1_060 } }), 2_000);
    expect(alone).toMatchObject({ fullAt: 2_000, refusals: 0, refusedRate: 0.003 });
    expect(countedFrom(FRESH_RATE, 2_000)).toBe(FRESH_RATE);
    // One of its own in two seconds is no bound on what was taken with those of the others.
    const state = refused(alone, 3_000, sent(2_900));
    expect(state.refusedRate).toBeCloseTo(2 / 1_000, 9);
    const early = refused(alone, 2_100, sent(1_500));
    expect(early.refusedRate).toBeGreaterThan(0.0025);
  });

  it('is settled where it comes at about the same rate as the last one', () => {
    const at = (rate: number): boolean =>
      refused(found({ refusedRate: rate, leastRate: rate }), 3_000, four).isSettled;
    // It is found at 2.5 a second.
    expect([0.0027, 0.0028].map(at)).toEqual([true, false]);
  });

  it('after very many says only for how long the window was closed', () => {
    const many = paced(40, 1_100, 45);
    const rate = 0.95 * 0.003;
    const state = refused(found({ closed: { at: 2_000, ms: 500 } }), 3_000, many);
    expect(state).toMatchObject({
      closed: { at: 3_000, ms: 0 },
      cuts: 2,
      fullAt: 3_000,
      refusals: 0,
    });
    expect(state.refusedRate).toBeCloseTo(rate / 2, 9);
    expect(state.leastRate).toBeCloseTo((0.95 * rate) / 2, 9);
    const long = refused(found({ closed: { at: 2_000, ms: 900 } }), 3_000, many);
    expect(long.refusedRate).toBeCloseTo(0.3 * rate, 9);
  });

  it('says how many go at once, where it ends a burst after a rest', () => {
    const rested = found({ restedAt: 2_000, burst: { units: 9, ms: 0 }, askedMs: 5, refusals: 3 });
    const state = refused(rested, 3_000, paced(5, 2_000, 100));
    expect(state).toMatchObject({
      refusedRate: 0.003,
      burst: { units: 5, ms: 1_000 },
      fullAt: 3_000,
      refusals: 0,
      cuts: 1,
    });
    expect(state.leastRate).toBeCloseTo(0.95 * 0.003, 9);
  });

  it('says that it empties more slowly, where no fewer went at once than before', () => {
    const rested = found({ restedAt: 2_000, burst: { units: 2, ms: 0 } });
    const state = refused(rested, 3_000, paced(9, 2_000, 50));
    expect(state).toMatchObject({ burst: { units: 2, ms: 0 }, cuts: 2, fullAt: 3_000 });
    const few = found({ restedAt: 2_000, burst: { units: 9, ms: 0 } });
    expect(refused(few, 3_000, paced(3, 2_000, 50))).toMatchObject({
      burst: { units: 9, ms: 0 },
      cuts: 2,
    });
  });
});
