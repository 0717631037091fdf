import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Queued, WaitQueue } from '../../../src/pool/run/calls/queue.ts';

function entry(id: number, more: Partial<Queued> = {}): Queued {
  return { id, session: 'a', priority: 'interactive', since: 0, notBefore: 0, ...more };
}

function drain(queue: WaitQueue<Queued>, now = 0): number[] {
  const order: number[] = [];
  for (;;) {
    const [next] = queue.candidates(now);
    if (next === undefined) return order;
    queue.take(next);
    order.push(next.id);
  }
}

function queueOf(...entries: Queued[]): WaitQueue<Queued> {
  const queue = new WaitQueue<Queued>();
  for (const each of entries) queue.add(each);
  return queue;
}

describe('the queue', () => {
  it('is first in, first out within a session', () => {
    expect(drain(queueOf(entry(1), entry(2), entry(3)))).toEqual([1, 2, 3]);
  });

  it('lets sessions take turns, so that a batch of 200 holds nobody up', () => {
    const many = Array.from({ length: 5 }, (_, index) => entry(index));
    const order = drain(queueOf(...many, entry(9, { session: 'b' })));
    expect(order.indexOf(9)).toBe(1);
  });

  it('leaves a session its place when a call of it goes away, and not when it has its turn', () => {
    const gone = entry(1);
    const queue = queueOf(gone, entry(2), entry(3, { session: 'b' }));
    expect(queue.drop(gone)).toBe(true);
    expect(queue.drop(gone)).toBe(false);
    expect(queue.take(gone)).toBe(false);
    expect(drain(queue)).toEqual([2, 3]);
    const first = entry(1);
    const taking = queueOf(first, entry(2), entry(3, { session: 'b' }));
    expect(taking.take(first)).toBe(true);
    expect(drain(taking)).toEqual([3, 2]);
  });

  it('lets interactive calls before batch work', () => {
    expect(drain(queueOf(entry(1, { priority: 'batch' }), entry(2)))).toEqual([2, 1]);
  });

  it('gives a call that had its turn its old place', () => {
    const queue = queueOf(entry(5), entry(6));
    queue.addAgain(entry(4));
    queue.addAgain(entry(2));
    expect(drain(queue)).toEqual([2, 4, 5, 6]);
  });

  it('holds a call back until its back-off is over', () => {
    const queue = queueOf(entry(5));
    queue.addAgain(entry(1, { notBefore: 100 }));
    expect(queue.nextBackOff(0)).toBe(100);
    expect([...queue.candidates(0)].map((each) => each.id)).toEqual([5]);
    expect([...queue.candidates(100)].map((each) => each.id)).toEqual([1, 5]);
    // The provider came back meanwhile.
    expect([...queue.candidates(0, false, 1)].map((each) => each.id)).toEqual([1, 5]);
  });

  it('lets an interactive call pass batch work, also where that had its turn', () => {
    const queue = queueOf(entry(7), entry(6, { priority: 'batch' }));
    queue.addAgain(entry(1, { priority: 'batch' }));
    expect(drain(queue)).toEqual([7, 1, 6]);
  });

  it('loses and doubles nobody, whatever comes and goes', () => {
    const change = fc.record({
      session: fc.constantFrom('a', 'b', 'c'),
      priority: fc.constantFrom('interactive' as const, 'batch' as const),
      again: fc.boolean(),
      leaves: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const queue = new WaitQueue<Queued>();
        const expected: number[] = [];
        changes.forEach(({ session, priority, again, leaves }, id) => {
          const added = entry(id, { session, priority });
          if (again) queue.addAgain(added);
          else queue.add(added);
          if (leaves) expect(queue.drop(added)).toBe(true);
          else expected.push(id);
          expect(queue.has(added)).toBe(!leaves);
          expect(queue.size).toBe(expected.length);
        });
        expect(drain(queue).sort((a, b) => a - b)).toEqual(expected);
        expect(queue.size).toBe(0);
      }),
    );
  });
});
