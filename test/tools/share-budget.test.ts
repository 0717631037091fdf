import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shareBudget } from '../../src/tools/share-budget.ts';

it('cuts only the longest, all to the same length', () => {
  expect(shareBudget([10, 100, 50, 200], 160)).toEqual([10, 50, 50, 50]);
  expect(shareBudget([10, 20], 100)).toEqual([10, 20]);
  expect(shareBudget([], 100)).toEqual([]);
});

it('never gives more than there is, nor leaves anything while somebody is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000)), fc.nat(5000), (sizes, total) => {
      const shares = shareBudget(sizes, total);
      const given = shares.reduce((sum, share) => sum + share, 0);
      expect(given).toBeLessThanOrEqual(total);
      const wanted = sizes.reduce((sum, size) => sum + size, 0);
      expect(given).toBeGreaterThan(Math.min(wanted, total) - Math.max(1, sizes.length));
    }),
  );
});
