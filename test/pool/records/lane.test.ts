import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isDivided,
  isFull,
  isShut,
  isTry,
  type Lane,
  mostAtOnce,
  roomIn,
  type Stay,
  takenWith,
} from '../../../src/pool/records/lane.ts';
import {
  accept,
  callOffTry,
  endLoan,
  enter,
  goAlone,
  leave,
  lend,
  pause,
  proven,
  refused,
  shutUntil,
  sign,
  taken,
} from '../../../src/pool/records/lane-writer.ts';
import { expectedPace, LINGER_MS, timingFor } from '../../../src/pool/rules/timing.ts';
import { testLane, testShare } from './scene.ts';

const timing = timingFor(expectedPace(50));
const NEVER = Number.POSITIVE_INFINITY;

/** Refused for too many, with these numbers where it named some. */
function refuse(lane: Lane, more: Partial<Parameters<typeof refused>[1]> = {}): number {
  const none = { retryAfterMs: null, namedInFlight: null, namedLimit: null };
  return refused(lane, { sentAt: 100, now: 160, ...none, ...more }, timing);
}

describe('a lane', () => {
  it.each<[string, Partial<Lane>, number]>([
    ['as many as its limit', {}, 4],
    ['one less while a slot is kept free', { held: 1 }, 3],
    ['its share', { share: testShare() }, 3],
    ['its limit, if its share is larger', { share: testShare({ slots: 9 }) }, 4],
    ['what a newcomer leaves, alone', { share: testShare({ isAlone: true, reserve: 1 }) }, 3],
    ['its share without a slot that is kept free', { share: testShare(), held: 1 }, 2],
  ])('has room for %s', (_name, more, room) => {
    const lane = testLane(more);
    expect(roomIn(lane)).toBe(room);
    expect(isFull({ ...lane, inFlight: room - 1 })).toBe(false);
    expect(isFull({ ...lane, inFlight: room })).toBe(true);
  });

  it.each<[string, number | null, Partial<Lane>, number]>([
    ['its capacity', 4, {}, 4],
    ['its capacity, alone', 4, { share: testShare({ isAlone: true, slots: 1, tries: 1 }) }, 4],
    ['its share without the tries in it', 4, { share: testShare({ tries: 1 }) }, 2],
    ['nothing where no capacity is known', null, {}, NEVER],
    ['nothing while only a pause can help', 0, {}, NEVER],
  ])('takes for a try what goes beyond %s', (_name, capacity, more, from) => {
    for (const inFlight of [0, 1, 2, 3, 4, 5]) {
      expect(isTry(testLane({ ...more, inFlight }, capacity))).toBe(inFlight >= from);
    }
  });

  it('is divided while other processes are there', () => {
    const shares = [null, testShare(), testShare({ isAlone: true })];
    expect(shares.map((share) => isDivided(testLane({ share })))).toEqual([false, true, false]);
  });

  it('is shut from a refusal until its time, or until a call ends that was there', () => {
    const shut = { sentAt: 100, until: 200 };
    expect(isShut(testLane(), 150)).toBe(false);
    expect(isShut(testLane({ shut }), 199)).toBe(true);
    expect(isShut(testLane({ shut }), 200)).toBe(false);
    expect(isShut(testLane({ shut, endedAt: 100 }), 150)).toBe(true);
    expect(isShut(testLane({ shut, endedAt: 101 }), 150)).toBe(false);
  });
});

describe('the calls of a lane', () => {
  it('are there from when they are sent until they end', () => {
    const lane = testLane();
    const stay = enter(lane, 'key', 100, 2);
    expect(lane).toMatchObject({ inFlight: 1, sentAt: 100, stays: [stay] });
    expect(stay).toEqual({
      key: 'key',
      sentAt: 100,
      number: 1,
      units: 2,
      isTry: false,
      isAccepted: false,
      seenAt: NEVER,
      endAt: NEVER,
      left: null,
    });
    leave(lane, stay, 150, 'ended');
    expect(lane).toMatchObject({ inFlight: 0, ended: 1, endedAt: 150, stays: [stay] });
    expect(stay).toMatchObject({ left: 'ended', endAt: 150 });
  });

  it('were never there if they were refused', () => {
    const lane = testLane();
    const [kept, gone] = [enter(lane, 'key', 90), enter(lane, 'key', 100)];
    leave(lane, gone, 150, 'refused');
    expect(lane).toMatchObject({ inFlight: 1, ended: 0, stays: [kept] });
    expect(lane.endedAt).toBe(Number.NEGATIVE_INFINITY);
    expect(gone).toMatchObject({ left: 'refused', endAt: 150 });
  });

  it('may linger when they are cancelled, and what is shut opens when they are gone', () => {
    const lane = testLane();
    const stay = enter(lane, 'key', 100);
    shutUntil(lane, 100, 10_000);
    leave(lane, stay, 150, 'aborted');
    expect(stay.endAt).toBe(150 + LINGER_MS);
    expect(lane).toMatchObject({ ended: 0, shut: { sentAt: 100, until: 150 + LINGER_MS } });
    leave(lane, enter(lane, 'key', 200), 900, 'aborted');
    expect(lane.shut?.until).toBe(150 + LINGER_MS);
    const served = enter(lane, 'key', 950);
    leave(lane, served, 960, 'ended');
    expect(lane.shut?.until).toBe(150 + LINGER_MS);
  });

  it('give a slot up as they end, while others wait', () => {
    const lane = testLane({ share: testShare({ isContended: true }) });
    leave(lane, enter(lane, 'key', 100), 150, 'ended');
    expect(lane.share?.slots).toBe(0);
    const calm = testLane({ share: testShare() });
    leave(calm, enter(calm, 'key', 100), 150, 'ended');
    expect(calm.share?.slots).toBe(3);
  });

  it('are remembered for half a minute, the latest of them, and all that are there', () => {
    const lane = testLane();
    const first = enter(lane, 'key', 0);
    for (let call = 1; call <= 2_000; call++) leave(lane, enter(lane, 'key', call), call, 'ended');
    expect(lane.stays.length).toBeLessThanOrEqual(2 + 2 * 128);
    expect(lane.stays.length).toBeGreaterThan(128);
    expect(lane.stays[0]).toBe(first);
    expect(lane.stays.at(-1)?.sentAt).toBe(2_000);
    const instants = lane.stays.slice(1).map(({ sentAt }) => sentAt);
    expect(instants).toEqual(instants.map((_, index) => 2_001 - instants.length + index));
    // Much later only the one that still is there counts, and what has come since.
    for (let call = 0; call < 300; call++) {
      leave(lane, enter(lane, 'key', 90_000 + call), 90_000 + call, 'ended');
    }
    expect(lane.stays.filter(({ sentAt }) => sentAt < 90_000)).toEqual([first]);
  });

  it('are taken once, and signed once, at the first word', () => {
    const stay = enter(testLane(), 'key', 100);
    expect([accept(stay), accept(stay)]).toEqual([true, false]);
    expect([sign(stay, 120), sign(stay, 130)]).toEqual([true, false]);
    expect(stay).toMatchObject({ isAccepted: true, seenAt: 120 });
  });

  it('that were taken before one of them count with it, unless they have left', () => {
    const lane = testLane({}, null);
    const sent = [80, 90, 95, 100, 110].map((at) => enter(lane, 'key', at));
    const [left, , unheard, last] = sent;
    if (left === undefined || unheard === undefined || last === undefined) throw new Error('none');
    for (const stay of sent) if (stay !== unheard) accept(stay);
    leave(lane, left, 105, 'ended');
    expect(takenWith(lane, last, 4)).toBe(3);
    expect(takenWith(lane, last, 5)).toBe(2);
    taken(lane, last, 5);
    expect(lane.limit.limit).toBe(4);
    taken(lane, last, 4);
    expect(lane.limit.limit).toBe(6);
  });

  const stays = fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { maxLength: 12 });

  it('were at most so many at once as at any instant at which one of them came', () => {
    fc.assert(
      fc.property(stays, fc.nat(60), (spans, from) => {
        const lane = testLane();
        const all: Stay[] = spans.map(([sentAt, ms]) => ({
          ...enter(lane, 'key', sentAt),
          endAt: sentAt + ms + 1,
        }));
        const there = all.filter(({ endAt }) => endAt > from);
        const at = (instant: number): number =>
          there.filter(({ sentAt, endAt }) => sentAt <= instant && endAt > instant).length;
        expect(mostAtOnce(all, from)).toBe(Math.max(0, ...there.map(({ sentAt }) => at(sentAt))));
      }),
    );
  });
});

describe('a refusal', () => {
  /** Four calls there; a fifth is refused. */
  function full(more: Partial<Lane> = {}): Lane {
    const lane = testLane(more, null);
    for (const at of [10, 20, 30, 40]) enter(lane, 'key', at);
    return lane;
  }

  it('shows what was there, and shuts the lane until the limit may grow', () => {
    const lane = full();
    expect(refuse(lane)).toBe(4);
    expect(lane.limit).toMatchObject({ limit: 4, capacity: 4 });
    expect(lane.shut).toEqual({ sentAt: 100, until: lane.limit.probeAt });
    expect(lane).toMatchObject({ named: null, elsewhere: null });
  });

  it('counts the calls of other processes', () => {
    expect(refuse(full({ share: testShare({ elsewhere: 3 }) }))).toBe(7);
  });

  it.each([
    ['its numbers say that nobody else is there', 5, 4, { limit: 4, elsewhere: 0, named: 4 }],
    ['somebody else has two of eight', 7, 6, { limit: 4, elsewhere: 2, named: 6 }],
    ['somebody else has most of them', 9, 6, { limit: 2, elsewhere: 4, named: 6 }],
    ['somebody else has all', 30, 6, { limit: 1, elsewhere: 25, named: 6 }],
    ['it names a limit alone', null, 3, { limit: 3, elsewhere: null, named: 3 }],
    ['it names no limit', 30, null, { limit: 4, elsewhere: null, named: null }],
    ['it counts fewer than we have', 2, 3, { limit: 3, elsewhere: 0, named: 3 }],
  ])('leaves room where %s', (_name, namedInFlight, namedLimit, { limit, ...told }) => {
    const lane = full();
    refuse(lane, { namedInFlight, namedLimit });
    expect(lane.limit.limit).toBe(limit);
    expect(lane).toMatchObject(told);
  });

  it('shuts until a cancelled call is gone, but for no less than a moment', () => {
    const lane = full();
    const [stay] = lane.stays;
    if (stay === undefined) throw new Error('none');
    leave(lane, stay, 60, 'aborted');
    refuse(lane);
    expect(lane.shut?.until).toBe(60 + LINGER_MS);
    refuse(lane, { sentAt: 101, now: 59 + LINGER_MS });
    expect(lane.shut).toEqual({ sentAt: 101, until: 59 + LINGER_MS + 40 });
  });

  it('that was sent before another one changes nothing of what is shut', () => {
    const lane = full();
    refuse(lane);
    const { shut } = lane;
    refuse(lane, { sentAt: 99, now: 500 });
    expect(lane.shut).toBe(shut);
    refuse(lane, { sentAt: 100, now: 500 });
    expect(lane.shut).not.toBe(shut);
  });

  it('that only a pause can help lets nothing go before it has passed', () => {
    const lane = testLane();
    expect(refuse(lane)).toBe(0);
    pause(lane, 900);
    expect(lane.limit).toMatchObject({ limit: 0, probeAt: 900 });
    expect(isFull(lane)).toBe(true);
  });
});

describe('a limit', () => {
  it('is tried on one lane while a slot of another is kept free, and given back', () => {
    const [from, to] = [testLane(), testLane()];
    lend(from, to);
    expect([roomIn(from), roomIn(to)]).toEqual([3, 5]);
    endLoan(from);
    callOffTry(to);
    expect([roomIn(from), roomIn(to)]).toEqual([4, 4]);
  });

  it('is proven by what was there together, as far as nothing else is named', () => {
    const [free, named] = [testLane(), testLane({ named: 5 })];
    proven(free, 7);
    proven(named, 7);
    expect([free.limit.capacity, named.limit.capacity]).toEqual([7, 5]);
  });

  it('is divided by as many as there were, where there were others', () => {
    const lane = testLane({ share: testShare() }, 8);
    goAlone(lane, 3);
    expect(lane).toMatchObject({ share: null, limit: { limit: 2, capacity: 2 } });
    goAlone(lane, 3);
    expect(lane.limit.limit).toBe(2);
  });
});
