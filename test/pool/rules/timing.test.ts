import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  doubled,
  expectedPace,
  isSignOverdue,
  jittered,
  type Pace,
  paceAfterAnswer,
  paceAfterFirstByte,
  paceAfterRefusal,
  paceAfterService,
  paceAfterSign,
  silenceOf,
  timingFor,
} from '../../../src/pool/rules/timing.ts';

const unknown = expectedPace(300);

describe('the pace of a provider', () => {
  it('is nothing but the expected answer at first', () => {
    expect(unknown).toEqual({
      serviceMs: null,
      firstByteMs: null,
      slowestFirstByteMs: null,
      signMs: null,
      answerMs: 300,
      refusalMs: null,
    });
  });

  it('is the first service, and then goes by a tenth to what each further one takes', () => {
    const once = paceAfterService(unknown, 2_000);
    expect(once).toEqual({ ...unknown, serviceMs: 2_000 });
    expect(paceAfterService(once, 4_000).serviceMs).toBe(2_200);
  });

  it('keeps the slowest first byte beside the usual one, and forgets it little by little', () => {
    const once = paceAfterFirstByte(unknown, 1_000);
    expect(once).toEqual({ ...unknown, firstByteMs: 1_000, slowestFirstByteMs: 1_000 });
    const slower = paceAfterFirstByte(once, 3_000);
    expect(slower).toMatchObject({ firstByteMs: 1_200, slowestFirstByteMs: 3_000 });
    expect(paceAfterFirstByte(slower, 1_000).slowestFirstByteMs).toBe(2_960);
  });

  it.each([
    ['a call is taken', paceAfterSign, (pace: Pace) => pace.signMs, 980],
    ['a call is refused', paceAfterRefusal, (pace: Pace) => pace.refusalMs, 900],
  ])(
    'keeps the longest time until %s, and forgets it little by little',
    (_name, after, of, next) => {
      const once = after(unknown, 1_000);
      expect(of(once)).toBe(1_000);
      expect(of(after(once, 0))).toBe(next);
      expect(of(after(once, 1_500))).toBe(1_500);
    },
  );

  it('believes a quick answer at once and a slow one by a tenth', () => {
    expect(paceAfterAnswer(unknown, 100).answerMs).toBe(100);
    expect(paceAfterAnswer(unknown, 1_300).answerMs).toBe(400);
  });

  it('tells when a sign is overdue, if there are signs at all', () => {
    const signed = paceAfterSign(unknown, 50);
    expect(isSignOverdue(signed, 51)).toBe(true);
    expect(isSignOverdue(signed, 50)).toBe(false);
    expect(isSignOverdue(unknown, 60_000)).toBe(false);
  });
});

/** Of which answers, first bytes, refusals and services are known. */
function pace(answerMs: number, refusalMs: number, firstByteMs: number, serviceMs: number): Pace {
  const slowestFirstByteMs = 2 * firstByteMs;
  return { answerMs, refusalMs, firstByteMs, slowestFirstByteMs, serviceMs, signMs: null };
}

describe('the time constants', () => {
  it('of a provider that takes two seconds are parts and multiples of these', () => {
    expect(timingFor(pace(60, 200, 300, 2_000))).toEqual({
      wayMs: 60,
      firstSignMs: 300,
      rampMs: 300,
      burstMs: 10,
      limitProbeMs: 2_000,
      limitProbeMaxMs: 4_000,
      coolMs: 250,
      coolMaxMs: 30_000,
      openMs: 500,
      openMaxMs: 8_000,
      faultWindowMs: 30_000,
      outageWindowMs: 5_000,
      outageMs: 250,
      outageMaxMs: 10_000,
      retryMs: 125,
      fadeMs: 60_000,
      checkMs: 40_000,
      checkMaxMs: 1_800_000,
      silentMs: 3_600,
      rescueMs: 250,
      leastMs: 300,
    });
  });

  it('of one whose refusals take longer than its answers wait for the refusals', () => {
    expect(timingFor(pace(40, 400, 20, 80))).toMatchObject({
      wayMs: 20,
      firstSignMs: 600,
      rampMs: 600,
      burstMs: 20,
      limitProbeMs: 1_600,
      limitProbeMaxMs: 3_200,
      silentMs: 250,
      leastMs: 20,
    });
  });

  it('of one of which nothing is known follow from how long an answer takes', () => {
    expect(timingFor(expectedPace(20))).toMatchObject({
      wayMs: 20,
      firstSignMs: 60,
      rampMs: 40,
      burstMs: 0,
      limitProbeMs: 400,
      limitProbeMaxMs: 800,
      openMs: 100,
      openMaxMs: 1_600,
      faultWindowMs: 8_000,
      outageWindowMs: 2_000,
      silentMs: 2_400,
      fadeMs: 40_000,
      checkMs: 8_000,
      rescueMs: 200,
      leastMs: 0,
    });
    expect(timingFor(expectedPace(1)).checkMs).toBe(2_000);
    expect(timingFor(expectedPace(300)).checkMs).toBe(20_000);
  });

  it('have floors and ceilings', () => {
    expect(timingFor(pace(0, 0, 0, 0))).toMatchObject({
      firstSignMs: 20,
      rampMs: 10,
      limitProbeMs: 50,
      limitProbeMaxMs: 100,
      coolMs: 50,
      openMs: 50,
      openMaxMs: 1_000,
      faultWindowMs: 2_000,
      outageWindowMs: 500,
      outageMs: 25,
      retryMs: 20,
      fadeMs: 5_000,
      checkMs: 1_000,
      silentMs: 250,
      rescueMs: 25,
      leastMs: 0,
    });
    expect(timingFor(pace(5_000, 60_000, 90_000, 600_000))).toMatchObject({
      firstSignMs: 1_000,
      rampMs: 1_000,
      burstMs: 50,
      limitProbeMs: 30_000,
      limitProbeMaxMs: 60_000,
      coolMs: 1_000,
      openMs: 2_000,
      openMaxMs: 30_000,
      outageMs: 1_000,
      retryMs: 500,
      checkMs: 60_000,
      silentMs: 60_000,
      leastMs: 1_000,
    });
  });

  it('of a slow network do not hold the first calls back for longer than a quarter of a second', () => {
    expect(timingFor(pace(4_000, 0, 0, 60_000)).rampMs).toBe(250);
  });

  it('never shrink as services take longer', () => {
    const services = fc.integer({ min: 1, max: 600_000 });
    fc.assert(
      fc.property(services, services, (one, other) => {
        const quick = timingFor(pace(50, 80, 100, Math.min(one, other)));
        const slow = timingFor(pace(50, 80, 100, Math.max(one, other)));
        for (const [index, ms] of Object.values(quick).entries()) {
          expect(ms).toBeLessThanOrEqual(Object.values(slow)[index] ?? 0);
        }
      }),
    );
  });

  it('call silence what is six of the key’s own first bytes, and of the slowest of all', () => {
    const timing = timingFor(pace(60, 200, 300, 2_000));
    expect(silenceOf(100, timing)).toBe(3_600);
    expect(silenceOf(1_000, timing)).toBe(6_000);
  });
});

describe('a timer', () => {
  it('doubles up to its longest', () => {
    expect([0, 1, 2, 3, 4].map((step) => doubled(100, step, 1_000))).toEqual([
      100, 200, 400, 800, 1_000,
    ]);
    expect(doubled(1, 5_000, Number.MAX_VALUE)).toBe(2 ** 30);
  });

  it('is kept apart from others by a share on both sides', () => {
    expect(jittered(1_000, 0.1, 0)).toBe(900);
    expect(jittered(1_000, 0.1, 0.5)).toBe(1_000);
    expect(jittered(1_000, 0.1, 1)).toBe(1_100);
  });
});
