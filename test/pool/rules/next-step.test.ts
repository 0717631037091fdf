import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../../src/base/errors.ts';
import { type Course, nextAttemptMs } from '../../../src/pool/rules/next-step.ts';

/** The first attempt of a call with a minute left broke, on the only key; half the jitter. */
function after(more: Partial<Course> = {}): number | null {
  return nextAttemptMs({
    kind: 'server_error',
    faults: 1,
    billed: 0,
    hasUntried: false,
    isKeys: false,
    isDown: false,
    hasServed: true,
    isAlive: true,
    failingMs: 0,
    billedMs: 0,
    leftMs: 60_000,
    chance: 0.5,
    ...more,
  });
}

describe('the pause before the next attempt', () => {
  it.each<[string, Partial<Course>, number]>([
    ['none where another key may do better', { hasUntried: true }, 0],
    [
      'none for a second key, if the first was to blame',
      { hasUntried: true, isKeys: true, faults: 2 },
      0,
    ],
    ['some before a third key', { hasUntried: true, isKeys: true, faults: 3 }, 900],
    ['some before a second key that will hardly do better', { hasUntried: true, faults: 2 }, 600],
    ['some while the provider is down', { hasUntried: true, isDown: true }, 300],
    ['short at first', {}, 300],
    ['longer with each fault', { faults: 4 }, 1_200],
    ['longer the longer it fails', { failingMs: 10_000 }, 4_000],
    ['never longer than twenty seconds', { failingMs: 3_600_000, leftMs: 60_000 }, 20_000],
    ['shorter by chance', { chance: 0 }, 255],
    ['longer by chance', { chance: 1 }, 345],
    ['what leaves a second for the answer', { failingMs: 20_000, leftMs: 3_000 }, 2_000],
    ['none for another key, however short the time', { hasUntried: true, leftMs: 500 }, 0],
  ])('is %s', (_name, course, pauseMs) => {
    expect(after(course)).toBeCloseTo(pauseMs, 6);
  });

  it.each<[string, Partial<Course>, number]>([
    ['five seconds, for a short outage to pass', {}, 5_000],
    ['what is left of the five seconds', { billedMs: 2_000 }, 3_000],
    ['a third of a shorter time', { leftMs: 9_000 }, 3_000],
    ['a third of it, what has passed of it included', { leftMs: 7_000, billedMs: 2_000 }, 1_000],
    ['the usual pause where five seconds have passed', { billedMs: 6_000 }, 300],
    ['five seconds for another key, too', { hasUntried: true }, 5_000],
    ['the usual pause where the provider answers', { isAlive: true }, 300],
    ['the usual pause where nothing was billed', { billed: 0 }, 300],
  ])('is before the last send that may be billed %s', (_name, course, pauseMs) => {
    expect(after({ billed: 1, isAlive: false, ...course })).toBeCloseTo(pauseMs, 6);
  });
});

describe('there is no next attempt', () => {
  const lost = { kind: 'unreachable', hasServed: false, failingMs: 15_001 } as const;

  it.each<[string, Partial<Course>]>([
    ['after two sends that may have been billed', { billed: 2 }],
    ['after two of them, with another key at hand', { billed: 2, hasUntried: true }],
    ['where a provider that never served cannot be reached', lost],
    ['where something on the way to it refuses', { ...lost, kind: 'blocked' }],
    ['with hardly any time left', { leftMs: 1_000 }],
  ])('%s', (_name, course) => {
    expect(after(course)).toBeNull();
  });

  it.each<[string, Partial<Course>]>([
    ['it served before', { ...lost, hasServed: true }],
    ['it is tried for less than fifteen seconds', { ...lost, failingMs: 15_000 }],
    ['it answers with errors', { ...lost, kind: 'server_error' }],
    ['there is time for one', { leftMs: 1_001 }],
  ])('but there is one while %s', (_name, course) => {
    expect(after(course)).not.toBeNull();
  });

  it('that would begin after the deadline', () => {
    const course = fc.record({
      kind: fc.constantFrom<FailureKind>('server_error', 'unreachable', 'cut'),
      faults: fc.integer({ min: 1, max: 40 }),
      billed: fc.nat(2),
      hasUntried: fc.boolean(),
      isKeys: fc.boolean(),
      isDown: fc.boolean(),
      isAlive: fc.boolean(),
      failingMs: fc.nat(600_000),
      billedMs: fc.nat(600_000),
      leftMs: fc.nat(600_000),
      chance: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(course, (each) => {
        const pauseMs = after(each) ?? 0;
        expect(pauseMs).toBeGreaterThanOrEqual(0);
        expect(pauseMs).toBeLessThanOrEqual(Math.max(0, each.leftMs - 1_000));
      }),
    );
  });
});
