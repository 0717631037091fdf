import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createLane,
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
  atMost,
  joinedShare,
  type LaneShare,
  NO_SHARE,
} from '../../../src/pool/records/lane-share.ts';
import {
  accept,
  awaitGrant,
  callOffTry,
  endLoan,
  enter,
  goAlone,
  joinedLane,
  leave,
  lend,
  partedLane,
  pause,
  prepareToTell,
  proven,
  refused,
  shutUntil,
  sign,
  takeGrant,
  taken,
  withdraw,
} from '../../../src/pool/records/lane-writer.ts';
import { freshLimit } from '../../../src/pool/rules/limit.ts';
import { FRESH_RATE } from '../../../src/pool/rules/rate.ts';
import { expectedPace, LINGER_MS, timingFor } from '../../../src/pool/rules/timing.ts';

const timing = timingFor(expectedPace(50));
const NEVER = Number.POSITIVE_INFINITY;

function laneOf(more: Partial<Lane> = {}, capacity: number | null = 4): Lane {
  const limit = { ...freshLimit(64), limit: capacity ?? 4, capacity };
  return { ...createLane('model', limit), ...more };
}

function shareOf(more: Partial<LaneShare> = {}): LaneShare {
  return { ...NO_SHARE, slots: 3, ...more };
}

/** Refused for too many, with these numbers where it named some. */
function refuse(lane: Lane, more: Partial<Parameters<typeof refused>[1]> = {}): number {
  const none = { retryAfterMs: null, namedInFlight: null, namedLimit: null };
  return refused(lane, { sentAt: 100, now: 160, ...none, ...more }, timing);
}

describe('a lane', () => {
  it.each<[string, Partial<Lane>, number]>([
    ['as many as its limit', {}, 4],
    ['one less while a slot is kept free', { held: 1 }, 3],
    ['its share', { share: shareOf() }, 3],
    ['its limit, if its share is larger', { share: shareOf({ slots: 9 }) }, 4],
    ['what a newcomer leaves, alone', { share: shareOf({ isAlone: true, reserve: 1 }) }, 3],
    ['its share without a slot that is kept free', { share: shareOf(), held: 1 }, 2],
  ])('has room for %s', (_name, more, room) => {
    const lane = laneOf(more);
    expect(roomIn(lane)).toBe(room);
    expect(isFull({ ...lane, inFlight: room - 1 })).toBe(false);
    expect(isFull({ ...lane, inFlight: room })).toBe(true);
  });

  it.each<[string, number | null, Partial<Lane>, number]>([
    ['its capacity', 4, {}, 4],
    ['its capacity, alone', 4, { share: shareOf({ isAlone: true, slots: 1, tries: 1 }) }, 4],
    ['its share without the tries in it', 4, { share: shareOf({ tries: 1 }) }, 2],
    ['nothing where no capacity is known', null, {}, NEVER],
    ['nothing while only a pause can help', 0, {}, NEVER],
  ])('takes for a try what goes beyond %s', (_name, capacity, more, from) => {
    for (const inFlight of [0, 1, 2, 3, 4, 5]) {
      expect(isTry(laneOf({ ...more, inFlight }, capacity))).toBe(inFlight >= from);
    }
  });

  it('is divided while other processes are there', () => {
    const shares = [null, shareOf(), shareOf({ isAlone: true })];
    expect(shares.map((share) => isDivided(laneOf({ share })))).toEqual([false, true, false]);
  });

  it('is shut from a refusal until its time, or until a call ends that was there', () => {
    const shut = { sentAt: 100, until: 200 };
    expect(isShut(laneOf(), 150)).toBe(false);
    expect(isShut(laneOf({ shut }), 199)).toBe(true);
    expect(isShut(laneOf({ shut }), 200)).toBe(false);
    expect(isShut(laneOf({ shut, endedAt: 100 }), 150)).toBe(true);
    expect(isShut(laneOf({ shut, endedAt: 101 }), 150)).toBe(false);
  });
});

describe('the calls of a lane', () => {
  it('are there from when they are sent until they end', () => {
    const lane = laneOf();
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
    const lane = laneOf();
    const [kept, gone] = [enter(lane, 'key', 90), enter(lane, 'key', 100)];
    leave(lane, gone, 150, 'refused');
    expect(lane).toMatchObject({ inFlight: 1, ended: 0, stays: [kept] });
    expect(lane.endedAt).toBe(Number.NEGATIVE_INFINITY);
    expect(gone).toMatchObject({ left: 'refused', endAt: 150 });
  });

  it('may linger when they are cancelled, and what is shut opens when they are gone', () => {
    const lane = laneOf();
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
    const lane = laneOf({ share: shareOf({ isContended: true }) });
    leave(lane, enter(lane, 'key', 100), 150, 'ended');
    expect(lane.share?.slots).toBe(0);
    const calm = laneOf({ share: shareOf() });
    leave(calm, enter(calm, 'key', 100), 150, 'ended');
    expect(calm.share?.slots).toBe(3);
  });

  it('are remembered for half a minute, the latest of them, and all that are there', () => {
    const lane = laneOf();
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
    const stay = enter(laneOf(), 'key', 100);
    expect([accept(stay), accept(stay)]).toEqual([true, false]);
    expect([sign(stay, 120), sign(stay, 130)]).toEqual([true, false]);
    expect(stay).toMatchObject({ isAccepted: true, seenAt: 120 });
  });

  it('that were taken before one of them count with it, unless they have left', () => {
    const lane = laneOf({}, null);
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
        const lane = laneOf();
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
    const lane = laneOf(more, null);
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
    expect(refuse(full({ share: shareOf({ elsewhere: 3 }) }))).toBe(7);
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
    const lane = laneOf();
    expect(refuse(lane)).toBe(0);
    pause(lane, 900);
    expect(lane.limit).toMatchObject({ limit: 0, probeAt: 900 });
    expect(isFull(lane)).toBe(true);
  });
});

describe('a limit', () => {
  it('is tried on one lane while a slot of another is kept free, and given back', () => {
    const [from, to] = [laneOf(), laneOf()];
    lend(from, to);
    expect([roomIn(from), roomIn(to)]).toEqual([3, 5]);
    endLoan(from);
    callOffTry(to);
    expect([roomIn(from), roomIn(to)]).toEqual([4, 4]);
  });

  it('is proven by what was there together, as far as nothing else is named', () => {
    const [free, named] = [laneOf(), laneOf({ named: 5 })];
    proven(free, 7);
    proven(named, 7);
    expect([free.limit.capacity, named.limit.capacity]).toEqual([7, 5]);
  });

  it('is divided by as many as there were, where there were others', () => {
    const lane = laneOf({ share: shareOf() }, 8);
    goAlone(lane, 3);
    expect(lane).toMatchObject({ share: null, limit: { limit: 2, capacity: 2 } });
    goAlone(lane, 3);
    expect(lane.limit.limit).toBe(2);
  });
});

describe('a share of a lane', () => {
  it('is nothing until something is granted, and after that is withdrawn', () => {
    const lane = laneOf();
    awaitGrant(lane);
    expect(lane.share).toEqual(NO_SHARE);
    const granted = laneOf({ share: shareOf() });
    awaitGrant(granted);
    expect(granted.share).toEqual(shareOf());
    withdraw(granted);
    expect(granted.share).toEqual(NO_SHARE);
  });

  it.each<[string, Partial<LaneShare>, boolean, number]>([
    ['all of it goes back where nothing is to be done', {}, false, 0],
    ['what is not used goes back while others wait', { isContended: true }, true, 1],
    ['all of it is kept where nobody waits', {}, true, 3],
    ['what is above the limit goes back', { slots: 9 }, true, 4],
  ])('%s', (_name, more, isActive, slots) => {
    const lane = laneOf({ share: shareOf(more), inFlight: 1 });
    prepareToTell(lane, isActive);
    expect(lane.share?.slots).toBe(slots);
  });

  it('keeps the time of a limit that was found, where it is ours to find', () => {
    const lane = laneOf({ share: shareOf({ isAlone: true }) });
    prepareToTell(lane, true);
    const told = lane.shared;
    expect(told).toEqual({ limit: lane.limit, rate: lane.rate, generation: 0 });
    prepareToTell(lane, true);
    expect(lane.shared).toBe(told);
    callOffTry(lane);
    prepareToTell(lane, true);
    expect(lane.shared).toEqual({ limit: lane.limit, rate: lane.rate, generation: 1 });
    const divided = laneOf({ share: shareOf(), shared: told });
    prepareToTell(divided, true);
    expect(divided.shared).toBe(told);
    const single = laneOf({ shared: told });
    prepareToTell(single, true);
    expect(single).toMatchObject({ shared: told, share: null });
  });

  const grant = {
    account: 'account',
    model: 'model',
    share: 3,
    tries: 1,
    isAlone: false,
    isContended: true,
    reserve: 2,
    elsewhere: 4,
    limit: {
      generation: 5,
      limit: 8,
      capacity: 8,
      isEager: false,
      refusedAgoMs: 100,
      probeInMs: 5_000,
      refusedProbes: 1,
      step: 1,
    },
    paced: null,
  };
  const shut = { sentAt: 100, until: 9_000 };

  it('is what is granted', () => {
    const lane = laneOf();
    takeGrant(lane, grant, false, 100);
    const { tries, isAlone, isContended, reserve, elsewhere } = grant;
    expect(lane.share).toEqual({
      slots: 3,
      tries,
      isAlone,
      isContended,
      reserve,
      elsewhere,
      turn: null,
    });
    expect(lane.shared).toEqual({ limit: lane.limit, rate: lane.rate, generation: 5 });
  });

  it.each<[string, Partial<Lane>, Partial<typeof grant>, boolean]>([
    ['more is granted', { share: shareOf({ slots: 2 }) }, {}, true],
    ['it is the first word', {}, {}, true],
    ['the limit is newer', { share: shareOf() }, {}, true],
    [
      'no more than before is granted',
      { share: shareOf(), shared: { limit: freshLimit(64), rate: FRESH_RATE, generation: 5 } },
      {},
      false,
    ],
    ['all that is granted is used', { inFlight: 3 }, {}, false],
    ['nobody else is there', {}, { isAlone: true }, false],
  ])('opens what was shut, or not, where %s', (_name, before, more, isOpen) => {
    const lane = laneOf({ shut, ...before });
    takeGrant(lane, { ...grant, ...more }, false, 100);
    expect(lane.shut).toBe(isOpen ? null : shut);
  });

  it('starts nothing by a word that is outdated', () => {
    const lane = laneOf({ shut, inFlight: 1 });
    takeGrant(lane, grant, true, 100);
    expect(lane).toMatchObject({ shut, share: { slots: 1 } });
    takeGrant(lane, { ...grant, share: 0 }, true, 100);
    expect(lane.share?.slots).toBe(0);
  });

  it('leaves the limit that we found alone, unless others come or know better', () => {
    const found = { ...freshLimit(64), limit: 12, capacity: 12 };
    const alone = { share: shareOf({ isAlone: true }), limit: found };
    const shared = { limit: found, rate: FRESH_RATE, generation: 5 };
    const after = (lane: Lane, more: Partial<typeof grant>): number => {
      takeGrant(lane, { ...grant, ...more }, false, 100);
      return lane.limit.limit;
    };
    expect(after(laneOf({ ...alone, shared }), { isAlone: true })).toBe(12);
    expect(after(laneOf({ ...alone, shared }), {})).toBe(8);
    expect(after(laneOf({ ...alone, shared, share: shareOf() }), { isAlone: true })).toBe(8);
    expect(after(laneOf({ ...alone, shared, share: null }), { isAlone: true })).toBe(8);
    expect(after(laneOf({ ...alone, shared: null }), { isAlone: true })).toBe(8);
  });

  it('is cut, and joined with another', () => {
    expect([atMost(shareOf(), 2).slots, atMost(shareOf(), 9).slots]).toEqual([2, 3]);
    expect(joinedShare(null, shareOf())).toEqual(shareOf());
    expect(joinedShare(shareOf(), null)).toEqual(shareOf());
    expect(joinedShare(null, null)).toBeNull();
    const one = shareOf({ tries: 1, isAlone: true, isContended: true, reserve: 1, elsewhere: 2 });
    expect(joinedShare(one, shareOf({ slots: 4, elsewhere: 3 }))).toEqual({
      slots: 7,
      tries: 0,
      turn: null,
      isAlone: false,
      isContended: true,
      reserve: 1,
      elsewhere: 5,
    });
    expect(joinedShare(one, one)).toMatchObject({ isAlone: true, isContended: true });
    expect(joinedShare(shareOf(), shareOf())).toMatchObject({ isAlone: false, isContended: false });
  });
});

describe('two lanes of one account', () => {
  it('are one with all the calls and ends of both, in the order of sending', () => {
    const [one, other] = [laneOf({ endedAt: 5, ended: 2 }), laneOf({ endedAt: 9, ended: 3 })];
    const later = enter(one, 'a', 20);
    const [first, last] = [enter(other, 'b', 10), enter(other, 'b', 30)];
    expect(joinedLane(one, other)).toMatchObject({
      model: 'model',
      inFlight: 3,
      stays: [first, later, last],
      endedAt: 9,
      ended: 5,
      limit: { limit: 8, capacity: 8 },
      share: null,
      shared: null,
      shut: null,
      held: 0,
    });
  });

  it.each<[string, Partial<Lane>, Partial<Lane>]>([
    ['the latest refusal', { shut: { sentAt: 1, until: 9 } }, { shut: { sentAt: 2, until: 5 } }],
    ['the one refusal', {}, { shut: { sentAt: 2, until: 5 } }],
    [
      'the newest shared limit',
      { shared: { limit: freshLimit(1), rate: FRESH_RATE, generation: 1 } },
      { shared: { limit: freshLimit(2), rate: FRESH_RATE, generation: 2 } },
    ],
    ['the one limit that was named', {}, { named: 8 }],
  ])('have %s, whichever has it', (_name, worse, better) => {
    expect(joinedLane(laneOf(worse), laneOf(better))).toMatchObject(better);
    expect(joinedLane(laneOf(better), laneOf(worse))).toMatchObject(better);
  });

  it('keep what each of them was when they come apart', () => {
    const lane = laneOf({ endedAt: 7, shut: { sentAt: 1, until: 9 } });
    const [own, foreign] = [enter(lane, 'a', 10), enter(lane, 'b', 20)];
    leave(lane, enter(lane, 'a', 30), 40, 'ended');
    const parted = partedLane(lane, new Set(['a']), 50);
    expect(parted).toMatchObject({
      inFlight: 1,
      endedAt: 40,
      shut: { sentAt: 1, until: 9 },
      share: null,
      limit: { limit: 1, capacity: 1, probeAt: 50, ceiling: 64 },
    });
    expect(parted.stays).toContain(own);
    expect(parted.stays).not.toContain(foreign);
    expect(parted.stays).toHaveLength(2);
    const shared = partedLane(laneOf({ share: shareOf() }), new Set(['a']), 50);
    expect(shared.share).toEqual(NO_SHARE);
  });
});
