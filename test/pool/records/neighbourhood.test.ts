import { describe, expect, it } from 'vitest';
import {
  createLane,
  goesAt,
  isFull,
  isTry,
  type Lane,
  roomIn,
} from '../../../src/pool/records/lane.ts';
import { NO_SHARE } from '../../../src/pool/records/lane-share.ts';
import {
  accept,
  enter,
  goAlone,
  leave,
  prepareToTell,
  takeGrant,
} from '../../../src/pool/records/lane-writer.ts';
import { rowOf } from '../../../src/pool/records/neighbourhood.ts';
import { freshLimit } from '../../../src/pool/rules/limit.ts';
import { FRESH_RATE, rateOf } from '../../../src/pool/rules/rate.ts';
import { expectedPace, timingFor } from '../../../src/pool/rules/timing.ts';
import { knownRate } from '../../../src/pool/rules/told/known-rate.ts';
import type { LaneGrant } from '../../../src/pool/sharing.ts';

const NOW = 10_000;

function laneWith(limit: number, share?: Partial<NonNullable<Lane['share']>>): Lane {
  const lane = createLane('model', { ...freshLimit(64), limit, capacity: limit, eager: false });
  if (share === undefined) return lane;
  return { ...lane, share: { ...NO_SHARE, ...share } };
}

type Said = { waiting?: number; isActive?: boolean; units?: number };

function rowFor(lane: Lane, more: Said = {}) {
  const isActive = more.isActive ?? true;
  prepareToTell(lane, isActive);
  return rowOf(lane, {
    account: 'account',
    model: 'model',
    waitingInteractive: more.waiting ?? 0,
    waitingBatch: 0,
    units: more.units ?? null,
    isInteractive: true,
    isActive,
    ceiling: 64,
    now: NOW,
    timing: timingFor(expectedPace(300)),
  });
}

function grant(more: Partial<LaneGrant> = {}, generation = 5): LaneGrant {
  return {
    account: 'account',
    model: 'model',
    share: 3,
    tries: 0,
    isAlone: false,
    isContended: false,
    reserve: 0,
    elsewhere: 4,
    limit: {
      generation,
      limit: 8,
      capacity: 8,
      isEager: false,
      refusedAgoMs: 100,
      probeInMs: 5_000,
      refusedProbes: 1,
      step: 1,
    },
    paced: null,
    ...more,
  };
}

describe('a lane that other processes use, too', () => {
  it('has room for the share, and for no more than the limit', () => {
    expect(roomIn(laneWith(8, { slots: 3 }))).toBe(3);
    expect(roomIn(laneWith(2, { slots: 3 }))).toBe(2);
    expect(roomIn(laneWith(8, { slots: 3, isAlone: true, reserve: 1 }))).toBe(7);
    expect(roomIn(laneWith(8))).toBe(8);
  });

  it('tries with the slots above what is proven for all', () => {
    const lane = laneWith(9, { slots: 3, tries: 1 });
    enter(lane, 'key', NOW);
    expect(isTry(lane)).toBe(false);
    enter(lane, 'key', NOW);
    expect(isTry(lane)).toBe(true);
  });

  it('gives a slot up with the end of a call, while others wait', () => {
    const lane = laneWith(8, { slots: 2, isContended: true });
    const [stay] = [enter(lane, 'key', NOW), enter(lane, 'key', NOW)];
    leave(lane, stay, NOW + 1, 'ended');
    expect(isFull(lane)).toBe(true);
  });
});

describe('what is said of a lane', () => {
  it('keeps the slots that may be used meanwhile', () => {
    const lane = laneWith(8, { slots: 3 });
    enter(lane, 'key', NOW);
    expect(rowFor(lane)).toMatchObject({ inFlight: 1, share: 3 });
  });

  it('gives back what is not used while others wait, before they hear of it', () => {
    const lane = laneWith(8, { slots: 3, isContended: true });
    enter(lane, 'key', NOW);
    expect(rowFor(lane)).toMatchObject({ inFlight: 1, share: 1 });
    expect(roomIn(lane)).toBe(1);
  });

  it('is nothing when there is nothing to do, and then nothing starts unasked', () => {
    const lane = laneWith(8, { slots: 3 });
    expect(rowFor(lane, { isActive: false })).toBeNull();
    expect(roomIn(lane)).toBe(0);
  });

  it('is what was sent, where requests per time are limited, until the others know of it', () => {
    const lane = laneWith(8, { slots: 3 });
    expect(rowFor(lane)?.paced).toBeNull();
    leave(lane, enter(lane, 'key', NOW - 40, 2), NOW - 10, 'ended');
    const sends = [{ number: 1, agoMs: 40, units: 2 }];
    const said = rowFor(lane, { isActive: false, units: 0 });
    expect(said).toMatchObject({ inFlight: 0, share: 0, paced: { sent: 1, sends, wants: 0 } });
    const rate = knownRate(lane.rate, NOW);
    takeGrant(lane, grant({ paced: { rate, sent: 1, turn: null } }), false, NOW);
    expect(rowFor(lane, { isActive: false, units: 0 })).toBeNull();
    expect(rowFor(lane, { units: 3 })?.paced).toMatchObject({ sent: 1, wants: 3 });
  });

  it('has a newer limit for everything that was found while nobody else was there', () => {
    const lane = laneWith(8, { isAlone: true });
    expect(rowFor(lane)?.limit.generation).toBe(0);
    expect(rowFor(lane)?.limit.generation).toBe(0);
    const raised = { ...lane, limit: { ...lane.limit, limit: 9, capacity: 9 } };
    expect(rowFor(raised)?.limit).toMatchObject({ generation: 1, limit: 9 });
  });

  it('has the limit as it was told, while it is found by all together', () => {
    const lane = laneWith(8, { slots: 2 });
    rowFor(lane);
    takeGrant(lane, grant(), false, NOW);
    const fallen = { ...lane, limit: { ...lane.limit, limit: 1, capacity: 1 } };
    expect(rowFor(fallen)?.limit).toMatchObject({ generation: 5, limit: 8 });
  });
});

describe('what is said of calls', () => {
  it('is how many are there, how many were taken, and when the latest of these was sent', () => {
    const lane = laneWith(8);
    expect(rowFor(lane)).toMatchObject({ inFlight: 0, accepted: 0, acceptedSentAgoMs: null });
    const sent = [100, 70, 50, 20].map((ago) => enter(lane, 'key', NOW - ago));
    const [first, cancelled, last, unheard] = sent;
    if (!first || !cancelled || !last || !unheard) throw new Error('no call');
    for (const stay of [first, cancelled, last]) accept(stay);
    leave(lane, cancelled, NOW - 10, 'aborted');
    expect(rowFor(lane)).toMatchObject({
      inFlight: 3,
      accepted: 2,
      acceptedSentAgoMs: 50,
      ended: 0,
    });
    leave(lane, last, NOW - 5, 'ended');
    // A cancelled one may still be there.
    expect(rowFor(lane)).toMatchObject({
      inFlight: 2,
      accepted: 1,
      acceptedSentAgoMs: 70,
      ended: 1,
    });
  });

  it('is who waits, by our own clock and limits', () => {
    const { limitProbeMs, limitProbeMaxMs } = timingFor(expectedPace(300));
    expect(rowFor(laneWith(8), { waiting: 4 })).toMatchObject({
      account: 'account',
      model: 'model',
      waitingInteractive: 4,
      waitingBatch: 0,
      isInteractive: true,
      ceiling: 64,
      probeMs: limitProbeMs,
      probeMaxMs: limitProbeMaxMs,
    });
  });

  it('keeps all but what a newcomer would get, while nobody else is there', () => {
    expect(rowFor(laneWith(8, { isAlone: true, reserve: 2 }))?.share).toBe(6);
    expect(rowFor(laneWith(8))?.share).toBe(0);
  });
});

describe('what is granted', () => {
  it('counts with its limit, on our clock and under our own ceiling', () => {
    const lane = createLane('model', freshLimit(6));
    rowFor(lane);
    takeGrant(lane, grant(), false, NOW);
    expect(lane.limit).toMatchObject({ limit: 6, capacity: 6, ceiling: 6, probeAt: NOW + 5_000 });
    expect(lane.share).toMatchObject({ slots: 3, elsewhere: 4 });
  });

  it('starts nothing while a refusal of ours is not known to who granted it', () => {
    const lane = { ...laneWith(8, { slots: 1 }), shut: { sentAt: NOW, until: NOW + 500 } };
    takeGrant(lane, grant(), true, NOW);
    expect(roomIn(lane)).toBe(0);
    expect(lane.shut).not.toBeNull();
    takeGrant(lane, grant({}, 6), false, NOW);
    expect(roomIn(lane)).toBe(3);
    expect(lane.shut).toBeNull();
  });

  it('is a turn of the next call, where requests per time are limited', () => {
    const known = { ...FRESH_RATE, refusedRate: 0.003, cuts: 1, roomAt: NOW, fullAt: NOW };
    const turned = (sent: number) =>
      grant({ paced: { rate: knownRate(known, NOW), sent, turn: { inMs: 50, units: 2 } } });
    const lane = laneWith(8);
    expect(goesAt(lane, 1, 0)).toBeLessThan(NOW);
    takeGrant(lane, turned(0), false, NOW);
    expect(lane.rate).toEqual(known);
    const never = Number.POSITIVE_INFINITY;
    expect([1, 2, 3].map((units) => goesAt(lane, units, 0))).toEqual([NOW + 50, NOW + 50, never]);
    enter(lane, 'key', NOW + 50);
    expect(goesAt(lane, 1, 0)).toBe(never);
    // An answer to what was asked before that call went, and one from before a refusal.
    takeGrant(lane, turned(0), false, NOW + 60);
    expect(goesAt(lane, 1, 0)).toBe(never);
    takeGrant(lane, turned(1), true, NOW + 60);
    expect(goesAt(lane, 1, 0)).toBe(never);
    takeGrant(lane, turned(1), false, NOW + 60);
    expect(goesAt(lane, 1, 0)).toBe(NOW + 110);
    goAlone(lane, 3);
    expect(rateOf(lane.rate)).toBeCloseTo(0.95 * 0.001, 6);
    expect(goesAt(lane, 1, 0)).toBeLessThan(never);
  });

  it('leaves what we found while alone, unless somebody knows better', () => {
    const { limit, ...rest } = laneWith(8, { isAlone: true });
    const found = { ...limit, limit: 12, capacity: 12 };
    const lane = { ...rest, limit: found, shared: { limit, rate: rest.rate, generation: 5 } };
    takeGrant(lane, grant({ isAlone: true }), false, NOW);
    expect(lane.limit.limit).toBe(12);
    takeGrant(lane, grant({ isAlone: true }, 6), false, NOW);
    expect(lane.limit.limit).toBe(8);
  });
});

describe('when nobody can be asked', () => {
  it('each goes on with its part of the limit, at least one', () => {
    const lane = laneWith(8, { slots: 1 });
    goAlone(lane, 3);
    expect(lane.share).toBeNull();
    expect(lane.limit).toMatchObject({ limit: 2, capacity: 2 });
    const narrow = laneWith(2, { slots: 1 });
    goAlone(narrow, 5);
    expect(narrow.limit).toMatchObject({ limit: 1, capacity: 1 });
  });

  it('and a pause stays one', () => {
    const lane = laneWith(0, { slots: 0 });
    goAlone(lane, 3);
    expect(lane.limit.limit).toBe(0);
  });
});
