import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  costOf,
  exposedRatio,
  fadedRatio,
  fadedSuccess,
  healthScore,
  learnSlowness,
  learnSpeed,
  learnSuccess,
  median,
  predictMs,
  type Slowness,
  type SpeedModel,
} from '../../../src/pool/rules/score.ts';

function learned(samples: ReadonlyArray<readonly [number, number]>): SpeedModel | undefined {
  let model: SpeedModel | undefined;
  for (const [tokens, ms] of samples) model = learnSpeed(model, tokens, ms);
  return model;
}

describe('the speed of a class of calls', () => {
  it('is learned as a fixed part and a part per token', () => {
    const lengths = Array.from({ length: 300 }, (_, index) => 50 + ((index * 37) % 900));
    const model = learned(lengths.map((tokens) => [tokens, 800 + 20 * tokens]));
    expect(predictMs(model, 100)).toBeCloseTo(2_800, -2);
    expect(predictMs(model, 900)).toBeCloseTo(18_800, -3);
  });

  it('is unknown before the first call, which then stands for those like it', () => {
    expect(predictMs(undefined)).toBeNull();
    expect(predictMs(undefined, 100)).toBeNull();
    const model = learnSpeed(undefined, 100, 1_000);
    expect(predictMs(model, 100)).toBeCloseTo(1_000, 6);
    // A fifth of it is there before any token.
    expect(predictMs(model, 0)).toBeCloseTo(200, 6);
    expect(predictMs(model, 200)).toBeCloseTo(1_800, 6);
    expect(predictMs(model)).toBeCloseTo(600, 6);
  });

  it('is the same for any length where no call told one', () => {
    const model = learned([
      [0, 1_000],
      [0, 1_000],
    ]);
    expect(predictMs(model, 0)).toBeCloseTo(1_000, 6);
    expect(predictMs(model, 5_000)).toBeCloseTo(1_000, 6);
  });

  it('never falls with the length, and never to less than a twentieth of the usual', () => {
    const falling = learned(Array.from({ length: 50 }, (_, i) => [100 + i, 3_000 - 20 * i]));
    expect(predictMs(falling, 1_000)).toBeGreaterThanOrEqual(predictMs(falling, 1) ?? 0);
    const steep = learned(Array.from({ length: 500 }, (_, i) => [1_000 + (i % 2), 500 * (i % 2)]));
    expect(predictMs(steep, 1)).toBeCloseTo(0.05 * (predictMs(steep) ?? 0), 6);
  });

  it('follows a provider that became three times faster within a hundred calls', () => {
    const lengths = Array.from({ length: 200 }, (_, index) => 50 + ((index * 37) % 900));
    const model = learned(
      lengths.map((tokens, index) => [tokens, (index < 100 ? 3 : 1) * (300 + 10 * tokens)]),
    );
    expect(predictMs(model, 500)).toBeLessThan(1.5 * 5_300);
  });

  it('is never negative, whatever was observed', () => {
    const sample = fc.tuple(fc.nat(100_000), fc.integer({ min: 1, max: 600_000 }));
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1 }), fc.nat(400_000), (samples, tokens) => {
        expect(predictMs(learned(samples), tokens)).toBeGreaterThan(0);
      }),
    );
  });
});

describe('slowness', () => {
  it('is fair to long answers: twenty times the length is not slow', () => {
    const model = learned(Array.from({ length: 100 }, (_, i) => [100 + i, 500 + 20 * (100 + i)]));
    const long = 20 * 150;
    const ratio = (500 + 20 * long) / (predictMs(model, long) ?? 1);
    expect(ratio).toBeGreaterThan(0.7);
    expect(ratio).toBeLessThan(1.4);
  });

  it('shows a key five times slower within a few calls and fades when idle', () => {
    let slowness: Slowness | null = null;
    for (let call = 0; call < 8; call++) slowness = learnSlowness(slowness, 5, 0);
    expect(fadedRatio(slowness, 0, 60_000)).toBeGreaterThan(3.5);
    expect(fadedRatio(slowness, 600_000, 60_000)).toBeCloseTo(1, 2);
  });

  it('believes a first observation by six tenths, and then rises faster than it falls', () => {
    const first = learnSlowness(null, 5, 7);
    expect(first).toEqual({ ratio: 3.4, at: 7, seen: 1, isHeard: false });
    expect(learnSlowness(first, 13.4, 9)).toEqual({ ratio: 6.4, at: 9, seen: 2, isHeard: false });
    expect(learnSlowness(first, 1.4, 9).ratio).toBeCloseTo(3.1, 6);
    expect(learnSlowness(first, 3.4, 9).ratio).toBe(3.4);
  });

  it('counts little after one observation, fades with time, and is unknown without any', () => {
    expect(fadedRatio(null, 0, 1_000)).toBeNull();
    expect(fadedRatio({ ratio: 3, at: 0, seen: 1, isHeard: false }, 0, 1_000)).toBe(2);
    expect(fadedRatio({ ratio: 3, at: 0, seen: 3, isHeard: false }, 0, 1_000)).toBe(2.5);
    expect(fadedRatio({ ratio: 3, at: 0, seen: 3, isHeard: false }, 1_000, 1_000)).toBeCloseTo(
      1 + 1.5 / Math.E,
      9,
    );
  });

  it('shows in calls under way before the first of them ends', () => {
    expect(exposedRatio(0, 0)).toBe(1);
    expect(exposedRatio(8, 0)).toBe(5);
    expect(exposedRatio(8, 8)).toBe(1);
    expect(exposedRatio(0, 6)).toBe(0.25);
  });

  it('takes nothing for faster than ten times the usual', () => {
    expect(learnSlowness(null, 0, 0).ratio).toBe(learnSlowness(null, 0.1, 0).ratio);
  });

  it('moves by a bounded amount on one absurd observation', () => {
    const slowness = learnSlowness({ ratio: 1, at: 0, seen: 9, isHeard: false }, 1e9, 0);
    expect(slowness.ratio).toBeLessThan(10);
  });
});

describe('health', () => {
  it('is between 0 and 100 and falls with faults and with slowness', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean()),
        fc.option(fc.double({ min: 0.1, max: 30, noNaN: true })),
        (outcomes, ratio) => {
          let success = { rate: 1, at: 0 };
          for (const ok of outcomes) success = learnSuccess(success, ok, 0);
          const score = healthScore(ratio, 1, fadedSuccess(success, 0, 1_000));
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(100);
        },
      ),
    );
    expect(healthScore(null, 1, 1)).toBe(100);
    expect(healthScore(5, 1, 1)).toBe(20);
    expect(healthScore(1, 1, 0.5)).toBe(50);
  });

  it('of a fast key is no better than that of an ordinary one', () => {
    expect(healthScore(0.2, 1, 1)).toBe(100);
    expect(healthScore(4, 2, 1)).toBe(50);
  });

  it('is stained by a fifth with each fault, and comes back with time and with success', () => {
    const once = learnSuccess({ rate: 1, at: 0 }, false, 5);
    expect(once).toEqual({ rate: 0.8, at: 5 });
    expect(learnSuccess(once, true, 6).rate).toBeCloseTo(0.84, 9);
    expect(fadedSuccess(once, 5, 1_000)).toBeCloseTo(0.8, 9);
    expect(fadedSuccess(once, 1_005, 1_000)).toBeCloseTo(1 - 0.2 / Math.E, 9);
  });

  it.each([
    [[], 1],
    [[3], 3],
    [[9, 1, 2], 2],
    [[10, 9, 1, 2], 5.5],
    [[30, 4], 17],
  ])('is measured against the middle one: %j', (values, middle) => {
    expect(median(values)).toBe(middle);
  });

  it('makes a key dear as it is slow and as it fails, within bounds', () => {
    expect(costOf(2, 0.5)).toBe(4);
    expect(costOf(2, 0)).toBe(40);
  });

  it('moves nobody when the whole provider is slow', () => {
    const ratios = [5, 5, 5, 5];
    expect(healthScore(5, median(ratios), 1)).toBe(100);
    expect(costOf(5 / median(ratios), 1)).toBe(1);
  });
});
