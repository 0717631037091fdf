import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FaultQueue } from '../../src/simulator/faults.ts';
import { hashText, seededRandom } from '../../src/simulator/random.ts';

const CHAT = '/chat/completions';

describe('a fault script', () => {
  it('strikes as often as its steps say, in order, and then no more', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 6 }), (counts) => {
        const faults = ['overloaded', 'cut', 'reset'] as const;
        const script = counts.map((times, at) => ({ fault: faults[at % 3] ?? 'cut', times }));
        const queue = new FaultQueue(script, 0);
        const struck = [];
        for (let step = queue.next(CHAT, false, 1); step !== null; ) {
          struck.push(step.fault);
          step = queue.next(CHAT, false, 1);
        }
        expect(struck).toEqual(script.flatMap(({ fault, times }) => Array(times).fill(fault)));
      }),
    );
  });

  it('keeps to its window, and lets later steps through outside of it', () => {
    const script = [
      { fault: 'overloaded', fromMs: 2_000, untilMs: 22_000 },
      { fault: 'cut', times: Infinity },
    ] as const;
    const queue = new FaultQueue(script, 1_000);
    const at = (elapsed: number) => queue.next(CHAT, false, 1_000 + elapsed)?.fault;
    expect([0, 1_999, 2_000, 21_999, 22_000].map(at)).toEqual([
      'cut',
      'cut',
      'overloaded',
      'overloaded',
      'cut',
    ]);
  });

  it('strikes only the endpoint that a step names', () => {
    const queue = new FaultQueue([{ fault: 'overloaded', endpoint: '/user/balance' }], 0);
    expect(queue.next(CHAT, false, 0)).toBeNull();
    expect(queue.next('/user/balance', true, 0)?.fault).toBe('overloaded');
  });
});

describe('seeded randomness', () => {
  it('repeats itself for a seed and stays below one', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [a, b] = [seededRandom(seed), seededRandom(seed)];
        for (let draw = 0; draw < 20; draw++) {
          const value = a();
          expect(value).toBe(b());
          expect(value >= 0 && value < 1).toBe(true);
        }
      }),
    );
    expect(hashText('a')).not.toBe(hashText('b'));
  });
});
