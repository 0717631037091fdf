import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterSent,
  depthOf,
  FRESH_RATE,
  type RateState,
  rateOf,
  turnAt,
} from '../../../src/pool/rules/rate.ts';
import { afterRateRefused } from '../../../src/pool/rules/rate-refused.ts';
import { afterRateTold } from '../../../src/pool/rules/rate-told.ts';

interface Sent {
  readonly sentAt: number;
  readonly units: number;
}

/** A leaky bucket and somebody who always wants to send; every refusal is learnt of at once. */
class Play {
  state: RateState = FRESH_RATE;
  now = 0;
  taken: Sent[] = [];
  refused: number[] = [];
  #level = 0;
  #at = 0;
  #before = Number.NEGATIVE_INFINITY;

  /** @param perSecond what drains; `depth` at once */
  runTo(until: number, perSecond: number, depth: number, retryAfterMs: number | null = null): void {
    while (this.now < until) {
      this.now = Math.max(this.now + 1, turnAt(this.state, 1));
      this.#level = Math.max(0, this.#level - ((this.now - this.#at) * perSecond) / 1_000);
      this.#at = this.now;
      this.state = afterSent(this.state, 1, this.now, this.#before);
      this.#before = this.now;
      if (this.#level + 1 <= depth) {
        this.#level += 1;
        this.taken.push({ sentAt: this.now, units: 1 });
        this.taken = this.taken.slice(-200);
      } else this.#refuse(retryAfterMs);
    }
  }

  #refuse(retryAfterMs: number | null): void {
    this.refused.push(this.now);
    const refusal = { sentAt: this.now, units: 1, now: this.now + 1, retryAfterMs, chance: 0.5 };
    this.state = afterRateRefused(this.state, refusal, this.taken);
    this.now += 1;
  }
}

const bucket = fc.record({
  perSecond: fc.double({ min: 1, max: 50, noNaN: true }),
  seconds: fc.double({ min: 0, max: 2, noNaN: true }),
});

describe('the rate of an account', () => {
  it('holds nothing back before the first refusal', () => {
    expect(turnAt(FRESH_RATE, 5)).toBe(Number.NEGATIVE_INFINITY);
    expect(rateOf(FRESH_RATE)).toBeNull();
  });

  it('is found within twenty seconds, whatever it is and however much goes at once', () => {
    fc.assert(
      fc.property(bucket, ({ perSecond, seconds }) => {
        const play = new Play();
        play.runTo(20_000, perSecond, Math.max(1, perSecond * seconds));
        const from = play.refused.length;
        const before = play.now;
        play.runTo(80_000, perSecond, Math.max(1, perSecond * seconds));
        const allowed = ((play.now - before) * perSecond) / 1_000;
        // One refusal for ten calls at most, and more where a minute has few calls.
        expect(play.refused.length - from).toBeLessThanOrEqual(4 + allowed / 10);
        const rate = 1_000 * (rateOf(play.state) ?? Number.POSITIVE_INFINITY);
        expect(rate).toBeGreaterThan(0.75 * perSecond);
        expect(rate).toBeLessThan(1.5 * perSecond);
      }),
      { numRuns: 60 },
    );
  });

  it('lets nothing go faster than the found rate and what goes at once after a rest', () => {
    fc.assert(
      fc.property(bucket, fc.array(fc.nat(3_000), { maxLength: 40 }), ({ perSecond }, gaps) => {
        const play = new Play();
        play.runTo(10_000, perSecond, perSecond);
        const rate = rateOf(play.state) ?? 0;
        const depth = depthOf(play.state);
        let { state, now } = play;
        let before = now;
        const from = now;
        let sent = 0;
        for (const gap of gaps) {
          now = Math.max(now + gap, turnAt(state, 1));
          state = afterSent(state, 1, now, before);
          before = now;
          sent += 1;
        }
        const most = Math.max(rate, rateOf(state) ?? 0);
        expect(sent).toBeLessThanOrEqual(1 + depth + most * (now - from) + 1e-6);
      }),
    );
  });

  it('is never stuck: after any refusals the next turn comes within eleven seconds or a pause', () => {
    const refusals = fc.array(fc.tuple(fc.nat(5_000), fc.option(fc.nat(60_000))), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(refusals, (all) => {
        let state: RateState = FRESH_RATE;
        let now = 0;
        for (const [gap, retryAfterMs] of all) {
          const sentAt = now + gap;
          now = sentAt + 1;
          state = afterRateRefused(state, { sentAt, units: 1, now, retryAfterMs, chance: 0.9 }, []);
          const most = Math.max(11_000, 60_000 + 11_000);
          expect(turnAt(state, 1)).toBeGreaterThanOrEqual(now);
          expect(turnAt(state, 1)).toBeLessThanOrEqual(now + most);
        }
      }),
    );
  });

  it('waits for as long as the upstream asks', () => {
    const refusal = { sentAt: 100, units: 1, now: 110, retryAfterMs: 2_000, chance: 0.5 };
    const state = afterRateRefused(FRESH_RATE, refusal, [{ sentAt: 50, units: 1 }]);
    expect(turnAt(state, 1)).toBeGreaterThanOrEqual(2_110);
  });

  it.each([2, 3])('finds within a minute that it was raised %s times', (factor) => {
    const play = new Play();
    play.runTo(60_000, 3, 3);
    play.runTo(120_000, 3 * factor, 3 * factor);
    const before = play.taken.length;
    expect(before).toBeGreaterThan(0);
    expect(1_000 * (rateOf(play.state) ?? 0)).toBeGreaterThan(0.9 * 3 * factor);
  });

  it('falls within seconds where the limit fell', () => {
    const play = new Play();
    play.runTo(60_000, 9, 9);
    play.runTo(72_000, 3, 3);
    expect(1_000 * (rateOf(play.state) ?? 0)).toBeLessThan(4);
  });

  it('does not grow while nobody wants more', () => {
    const play = new Play();
    play.runTo(20_000, 3, 3);
    let { state, now } = play;
    const found = rateOf(state) ?? 0;
    for (let call = 0; call < 300; call++) {
      state = afterSent(state, 1, now + 1_000, now);
      now += 1_000;
    }
    expect(rateOf(state)).toBeLessThanOrEqual(1.2 * found);
  });

  it('does not wait for more units than ever go at once', () => {
    const play = new Play();
    play.runTo(20_000, 3, 3);
    expect(turnAt(play.state, 5)).toBeLessThan(play.now + 3_000);
  });
});

describe('what answers tell', () => {
  it('begins to hold back before the first refusal', () => {
    const taken = [{ sentAt: 0, units: 1 }];
    const told = afterRateTold(FRESH_RATE, { limit: 3, remaining: 0 }, 0, taken);
    expect(turnAt(told, 1)).toBeGreaterThan(0);
    const free = afterRateTold(FRESH_RATE, { limit: 3, remaining: 2 }, 0, taken);
    expect(rateOf(free)).toBeNull();
  });

  it('only ever holds back: a quota that is not the one we meet opens nothing', () => {
    const play = new Play();
    play.runTo(20_000, 3, 3);
    const { sentAt } = play.taken.at(-1) ?? { sentAt: 0 };
    const told = afterRateTold(play.state, { limit: null, remaining: 900 }, sentAt, play.taken);
    expect(turnAt(told, 1)).toBe(turnAt(play.state, 1));
  });

  it('follows a limit that is named higher at once', () => {
    const play = new Play();
    play.runTo(20_000, 3, 3);
    const at = play.now;
    const named = afterRateTold(play.state, { limit: 50, remaining: null }, at, []);
    const raised = afterRateTold(named, { limit: 150, remaining: null }, at, []);
    expect(rateOf(raised)).toBeCloseTo(3 * (play.state.refusedRate ?? 0), 6);
  });
});
