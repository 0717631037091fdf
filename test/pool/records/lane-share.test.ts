import { describe, expect, it } from 'vitest';
import type { Lane } from '../../../src/pool/records/lane.ts';
import {
  atMost,
  joinedShare,
  type LaneShare,
  NO_SHARE,
} from '../../../src/pool/records/lane-share.ts';
import {
  awaitGrant,
  callOffTry,
  enter,
  joinedLane,
  leave,
  partedLane,
  prepareToTell,
  takeGrant,
  withdraw,
} from '../../../src/pool/records/lane-writer.ts';
import { freshLimit } from '../../../src/pool/rules/limit.ts';
import { FRESH_RATE } from '../../../src/pool/rules/rate.ts';
import { testLane, testShare } from './scene.ts';

describe('a share of a lane', () => {
  it('is nothing until something is granted, and after that is withdrawn', () => {
    const lane = testLane();
    awaitGrant(lane);
    expect(lane.share).toEqual(NO_SHARE);
    const granted = testLane({ share: testShare() });
    awaitGrant(granted);
    expect(granted.share).toEqual(testShare());
    withdraw(granted);
    expect(granted.share).toEqual(NO_SHARE);
  });

  it.each<[string, Partial<LaneShare>, boolean, number]>([
    ['all of it goes back where nothing is to be done', {}, false, 0],
    ['what is not used goes back while others wait', { isContended: true }, true, 1],
    ['all of it is kept where nobody waits', {}, true, 3],
    ['what is above the limit goes back', { slots: 9 }, true, 4],
  ])('%s', (_name, more, isActive, slots) => {
    const lane = testLane({ share: testShare(more), inFlight: 1 });
    prepareToTell(lane, isActive);
    expect(lane.share?.slots).toBe(slots);
  });

  it('keeps the time of a limit that was found, where it is ours to find', () => {
    const lane = testLane({ share: testShare({ isAlone: true }) });
    prepareToTell(lane, true);
    const told = lane.shared;
    expect(told).toEqual({ limit: lane.limit, rate: lane.rate, generation: 0 });
    prepareToTell(lane, true);
    expect(lane.shared).toBe(told);
    callOffTry(lane);
    prepareToTell(lane, true);
    expect(lane.shared).toEqual({ limit: lane.limit, rate: lane.rate, generation: 1 });
    const divided = testLane({ share: testShare(), shared: told });
    prepareToTell(divided, true);
    expect(divided.shared).toBe(told);
    const single = testLane({ shared: told });
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
    const lane = testLane();
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
    ['more is granted', { share: testShare({ slots: 2 }) }, {}, true],
    ['it is the first word', {}, {}, true],
    ['the limit is newer', { share: testShare() }, {}, true],
    [
      'no more than before is granted',
      { share: testShare(), shared: { limit: freshLimit(64), rate: FRESH_RATE, generation: 5 } },
      {},
      false,
    ],
    ['all that is granted is used', { inFlight: 3 }, {}, false],
    ['nobody else is there', {}, { isAlone: true }, false],
  ])('opens what was shut, or not, where %s', (_name, before, more, isOpen) => {
    const lane = testLane({ shut, ...before });
    takeGrant(lane, { ...grant, ...more }, false, 100);
    expect(lane.shut).toBe(isOpen ? null : shut);
  });

  it('starts nothing by a word that is outdated', () => {
    const lane = testLane({ shut, inFlight: 1 });
    takeGrant(lane, grant, true, 100);
    expect(lane).toMatchObject({ shut, share: { slots: 1 } });
    takeGrant(lane, { ...grant, share: 0 }, true, 100);
    expect(lane.share?.slots).toBe(0);
  });

  it('leaves the limit that we found alone, unless others come or know better', () => {
    const found = { ...freshLimit(64), limit: 12, capacity: 12 };
    const alone = { share: testShare({ isAlone: true }), limit: found };
    const shared = { limit: found, rate: FRESH_RATE, generation: 5 };
    const after = (lane: Lane, more: Partial<typeof grant>): number => {
      takeGrant(lane, { ...grant, ...more }, false, 100);
      return lane.limit.limit;
    };
    expect(after(testLane({ ...alone, shared }), { isAlone: true })).toBe(12);
    expect(after(testLane({ ...alone, shared }), {})).toBe(8);
    expect(after(testLane({ ...alone, shared, share: testShare() }), { isAlone: true })).toBe(8);
    expect(after(testLane({ ...alone, shared, share: null }), { isAlone: true })).toBe(8);
    expect(after(testLane({ ...alone, shared: null }), { isAlone: true })).toBe(8);
  });

  it('is cut, and joined with another', () => {
    expect([atMost(testShare(), 2).slots, atMost(testShare(), 9).slots]).toEqual([2, 3]);
    expect(joinedShare(null, testShare())).toEqual(testShare());
    expect(joinedShare(testShare(), null)).toEqual(testShare());
    expect(joinedShare(null, null)).toBeNull();
    const one = testShare({ tries: 1, isAlone: true, isContended: true, reserve: 1, elsewhere: 2 });
    expect(joinedShare(one, testShare({ slots: 4, elsewhere: 3 }))).toEqual({
      slots: 7,
      tries: 0,
      turn: null,
      isAlone: false,
      isContended: true,
      reserve: 1,
      elsewhere: 5,
    });
    expect(joinedShare(one, one)).toMatchObject({ isAlone: true, isContended: true });
    expect(joinedShare(testShare(), testShare())).toMatchObject({
      isAlone: false,
      isContended: false,
    });
  });
});

describe('two lanes of one account', () => {
  it('are one with all the calls and ends of both, in the order of sending', () => {
    const [one, other] = [testLane({ endedAt: 5, ended: 2 }), testLane({ endedAt: 9, ended: 3 })];
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
    expect(joinedLane(testLane(worse), testLane(better))).toMatchObject(better);
    expect(joinedLane(testLane(better), testLane(worse))).toMatchObject(better);
  });

  it('keep what each of them was when they come apart', () => {
    const lane = testLane({ endedAt: 7, shut: { sentAt: 1, until: 9 } });
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
    const numbers = [...parted.stays, enter(parted, 'a', 60)].map(({ number }) => number);
    expect(new Set(numbers).size).toBe(3);
    const shared = partedLane(testLane({ share: testShare() }), new Set(['a']), 50);
    expect(shared.share).toEqual(NO_SHARE);
  });
});
