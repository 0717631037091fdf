import { describe, expect, it } from 'vitest';
import { type Flight, isSettled, refusalOf } from '../../../src/pool/records/flight.ts';
import type { Stay } from '../../../src/pool/records/lane.ts';
import { sign } from '../../../src/pool/records/lane-writer.ts';

const NEVER = Number.POSITIVE_INFINITY;
const WAY_MS = 2;

function stay(more: Partial<Stay> = {}): Stay {
  const open = { isAccepted: false, seenAt: NEVER, endAt: NEVER, left: null };
  return { key: 'K', sentAt: 0, number: 1, units: 1, isTry: false, ...open, ...more };
}

const served = (sentAt: number, endAt: number): Stay =>
  stay({ sentAt, seenAt: endAt - 1, endAt, left: 'ended' });

/** A call of `a` that was sent at 100 and refused at 110, beside these. */
function flightBeside(stays: Readonly<Record<string, readonly Stay[]>>): Flight {
  const companions = Object.entries(stays).flatMap(([label, list]) =>
    list.map((each) => ({ label, stay: each })),
  );
  return { label: 'a', sentAt: 100, refusedAt: 110, named: null, companions };
}

describe('what was there while a refused call was on its way', () => {
  it('is open until each of the others was seen to be taken, or has left', () => {
    const other = stay({ sentAt: 90 });
    const flight = flightBeside({ b: [other] });
    expect(isSettled(flight, 120, WAY_MS)).toBe(false);
    sign(other, 130);
    expect(isSettled(flight, 130, WAY_MS)).toBe(true);
    expect(isSettled(flightBeside({ b: [served(90, 105)] }), 111, WAY_MS)).toBe(false);
    expect(isSettled(flightBeside({ b: [served(90, 105)] }), 112, WAY_MS)).toBe(true);
  });

  it('surely holds a call that was there before and after', () => {
    const { least } = refusalOf(flightBeside({ a: [served(50, 200)] }), WAY_MS);
    expect(Object.fromEntries(least)).toEqual({ a: 1 });
  });

  it.each([
    ['was refused itself', stay({ sentAt: 50, endAt: 160, left: 'refused' })],
    ['was cancelled', stay({ sentAt: 50, seenAt: 60, endAt: 400, left: 'aborted' })],
    ['may have come later', served(99, 200)],
    ['may have left before', served(50, 111)],
  ])('does not surely hold one that %s', (_what, other) => {
    expect(refusalOf(flightBeside({ b: [other] }), WAY_MS).least.size).toBe(0);
  });

  it('may hold all that were there at one instant, and not those that never met', () => {
    const { most } = refusalOf(
      flightBeside({ a: [served(50, 104)], b: [served(103, 200), served(106, 200)] }),
      WAY_MS,
    );
    expect(most.map((counts) => Object.fromEntries(counts))).toEqual([
      { a: 1 },
      { a: 1, b: 1 },
      { b: 2 },
    ]);
  });

  it('never held a call that was refused', () => {
    const refused = stay({ sentAt: 101, endAt: 111, left: 'refused' });
    const { most } = refusalOf(flightBeside({ b: [refused, served(50, 200)] }), WAY_MS);
    expect(most.map((counts) => Object.fromEntries(counts))).toEqual([{ b: 1 }]);
  });
  it('is open until every one of the others is known, whatever is known of some', () => {
    const flight = flightBeside({ b: [served(90, 105), stay({ sentAt: 90 })] });
    expect(isSettled(flight, 200, WAY_MS)).toBe(false);
    const gone = stay({ sentAt: 90, endAt: 150, left: 'aborted' });
    expect(isSettled(flightBeside({ b: [gone] }), 200, WAY_MS)).toBe(true);
  });

  it('surely holds one that was on its way for long enough, or said so in time', () => {
    const least = (other: Stay) => refusalOf(flightBeside({ b: [other] }), WAY_MS).least.size;
    expect(least(served(98, 112))).toBe(1);
    expect(least(stay({ sentAt: 99, seenAt: 100 }))).toBe(1);
    expect(least(stay({ sentAt: 50 }))).toBe(0);
    expect(least(stay({ sentAt: 50, seenAt: 60, endAt: 400, left: 'refused' }))).toBe(0);
  });

  it('tells of no instant at which less was there of all', () => {
    const { most } = refusalOf(
      flightBeside({
        a: [served(50, 200), served(104, 200)],
        b: [served(50, 102), served(60, 104)],
      }),
      WAY_MS,
    );
    expect(most.map((counts) => Object.fromEntries(counts))).toEqual([{ a: 1, b: 2 }, { a: 2 }]);
    const few = refusalOf(flightBeside({ b: [served(50, 101), served(102, 200)] }), WAY_MS);
    expect(few.most.map((counts) => Object.fromEntries(counts))).toEqual([{ b: 1 }]);
  });
});
