import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allot, type Claim } from '../../../src/sharing/coordination/allotment.ts';

const claim = fc
  .record({
    floor: fc.nat(6),
    waitingInteractive: fc.nat(8),
    batch: fc.nat(8),
    ceiling: fc.integer({ min: 1, max: 12 }),
    turn: fc.nat(50),
  })
  .map(({ waitingInteractive, ...each }) => ({
    ...each,
    interactive: each.floor + waitingInteractive,
  }));
const claims = fc.array(claim, { minLength: 1, maxLength: 8 });
const limit = fc.nat(24);

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const plain = (more: Partial<Claim>): Claim => ({
  floor: 0,
  interactive: 0,
  batch: 0,
  ceiling: 64,
  turn: 0,
  ...more,
});

describe('slots are divided', () => {
  it('so that no more are out than there are, and nobody loses what it has', () => {
    fc.assert(
      fc.property(limit, claims, fc.boolean(), (slots, all, leavesOne) => {
        const { shares } = allot(slots, all, leavesOne);
        const floors = sum(all.map((each) => each.floor));
        expect(sum(shares)).toBeLessThanOrEqual(Math.max(slots, floors));
        for (const [index, share] of shares.entries()) {
          expect(share).toBeGreaterThanOrEqual(all[index]?.floor ?? 0);
        }
      }),
    );
  });

  it('max–min fair: who has more than it had has no more than one above anybody who wants', () => {
    fc.assert(
      fc.property(limit, claims, (slots, all) => {
        const { shares } = allot(slots, all, false);
        for (const [needy, one] of all.entries()) {
          const has = shares[needy] ?? 0;
          if (has >= Math.min(one.interactive, one.ceiling)) continue;
          for (const [rich, other] of all.entries()) {
            const had = shares[rich] ?? 0;
            if (had > other.floor) expect(had).toBeLessThanOrEqual(has + 1);
          }
        }
      }),
    );
  });

  it('with no slot left idle while somebody wants one', () => {
    fc.assert(
      fc.property(limit, claims, (slots, all) => {
        const { shares } = allot(slots, all, false);
        const isUnmet = all.some(
          (each, index) =>
            (shares[index] ?? 0) < Math.min(each.interactive + each.batch, each.ceiling),
        );
        if (isUnmet) expect(sum(shares)).toBeGreaterThanOrEqual(slots);
      }),
    );
  });

  it('to interactive calls before batch work', () => {
    const talk = plain({ interactive: 3 });
    const bulk = plain({ batch: 20 });
    expect(allot(3, [bulk, talk], false).shares).toEqual([0, 3]);
    expect(allot(5, [bulk, talk], false).shares).toEqual([2, 3]);
  });

  it('with one slot that batch work leaves while interactive calls are about', () => {
    expect(allot(8, [plain({ batch: 20 })], true).shares).toEqual([7]);
    expect(allot(8, [plain({ batch: 20 })], false).shares).toEqual([8]);
    expect(allot(1, [plain({ batch: 20 })], true).shares).toEqual([1]);
  });

  it('in turns where there are more processes than slots', () => {
    const served = new Map<number, number>();
    let turns = [0, 0, 0];
    for (let round = 1; round <= 30; round++) {
      const all = turns.map((turn) => plain({ interactive: 5, turn }));
      const next = allot(1, all, false).shares.indexOf(1);
      served.set(next, (served.get(next) ?? 0) + 1);
      turns = turns.map((turn, index) => (index === next ? round : turn));
    }
    expect([...served.values()]).toEqual([10, 10, 10]);
  });

  it('and the last one stays for a newcomer while nobody waits', () => {
    const { shares, isContended } = allot(8, [plain({ floor: 6, interactive: 6 })], false);
    expect(shares).toEqual([7]);
    expect(isContended).toBe(false);
  });

  it('and more out than there are counts as wanted, so that it comes back', () => {
    expect(allot(4, [plain({ floor: 6 })], false).isContended).toBe(true);
  });
});
