import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  costOf,
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

  it('moves by a bounded amount on one absurd observation', () => {
    const slowness = learnSlowness({ ratio: 1, at: 0, seen: 9 }, 1e9, 0);
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

  it('moves nobody when the whole provider is slow', () => {
    const ratios = [5, 5, 5, 5];
    expect(healthScore(5, median(ratios), 1)).toBe(100);
    expect(costOf(5 / median(ratios), 1)).toBe(1);
  });
});
