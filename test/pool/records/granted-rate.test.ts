/** Requests per time, when a word of the other processes comes while calls of ours are on their way. */

import { describe, expect, it } from 'vitest';
import type { Lane } from '../../../src/pool/records/lane.ts';
import { enter, leave, rateRefused, takeGrant } from '../../../src/pool/records/lane-writer.ts';
import { FRESH_RATE, type RateState, rateOf } from '../../../src/pool/rules/rate.ts';
import { knownRate } from '../../../src/pool/rules/told/known-rate.ts';
import { toldLimit } from '../../../src/pool/rules/told/told-limit.ts';
import { testLane, testShare } from './scene.ts';

/** What a coordinator answers to who asked at `now`, when it knew this rate. */
function grantOf(lane: Lane, rate: RateState, now: number, isAlone = true) {
  return {
    account: 'account',
    model: 'model',
    share: 4,
    tries: 0,
    isAlone,
    isContended: false,
    reserve: 0,
    elsewhere: 0,
    limit: toldLimit(lane.limit, 1, now),
    paced: { rate: knownRate(rate, now), sent: lane.sent, turn: null },
  };
}

/** Three calls were sent and a fourth was refused, before anybody had answered. */
function foundAlone(more: Partial<Lane> = {}): Lane {
  const lane = testLane(more);
  for (const sentAt of [1_000, 1_010, 1_020]) enter(lane, 'key', sentAt);
  const stay = enter(lane, 'key', 1_030);
  leave(lane, stay, 1_090, 'refused');
  rateRefused(lane, { sentAt: 1_030, units: 1, now: 1_090, retryAfterMs: null, chance: 0.5 });
  return lane;
}

const FOUND: RateState = {
  ...FRESH_RATE,
  refusedRate: 0.002,
  cuts: 3,
  room: 1,
  roomAt: 1_000,
  refusal: { sentAt: 900, at: 960 },
};

describe('a rate that was found before anybody answered', () => {
  it('stays where the others know of none', () => {
    const lane = foundAlone();
    const own = lane.rate;
    expect(rateOf(own)).toBe(0.003);
    takeGrant(lane, grantOf(lane, FRESH_RATE, 1_100), false, 1_100);
    expect(lane.rate).toBe(own);
    // It is news to them.
    expect(lane.shared?.rate).not.toBe(lane.rate);
  });

  it('gives way to what the others know, less what was sent since', () => {
    const lane = testLane();
    enter(lane, 'key', 1_100);
    enter(lane, 'key', 1_200);
    takeGrant(lane, grantOf(lane, FOUND, 1_300), false, 1_300);
    expect(lane.rate).toMatchObject({ refusedRate: 0.002, cuts: 3, roomAt: 1_200 });
    expect(lane.rate.room).toBeLessThan(0);
  });
});

describe('a rate that is ours alone again', () => {
  const bounded = { ...FOUND, fullAt: 900, refusals: 2 };

  it('is bounded by nothing from before, of which the others sent a part', () => {
    const lane = testLane({ share: testShare() });
    takeGrant(lane, grantOf(lane, bounded, 1_300), false, 1_300);
    expect(lane.rate).toMatchObject({ refusedRate: 0.002, fullAt: 1_300, refusals: 0 });
    // Nothing of that is news to the others.
    expect(lane.shared?.rate).toBe(lane.rate);
  });

  it('keeps its bounds while the others are there', () => {
    const lane = testLane({ share: testShare() });
    takeGrant(lane, grantOf(lane, bounded, 1_300, false), false, 1_300);
    expect(lane.rate).toMatchObject({ fullAt: 900, refusals: 2 });
  });
});

describe('a refusal that was not known when a word was given', () => {
  it('keeps its rate, for the word is older', () => {
    const lane = foundAlone({ share: testShare() });
    const own = lane.rate;
    takeGrant(lane, grantOf(lane, FOUND, 1_100), true, 1_100);
    expect(lane.rate).toBe(own);
  });

  it('keeps it where we are alone, whatever else is newer', () => {
    const lane = foundAlone({ share: testShare({ isAlone: true }) });
    const own = lane.rate;
    takeGrant(lane, grantOf(lane, FOUND, 1_100), false, 1_100);
    expect(lane.rate).toBe(own);
  });
});
