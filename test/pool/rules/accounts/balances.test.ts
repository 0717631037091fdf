import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areApart,
  type BalanceRead,
  type Balances,
  withBalance,
} from '../../../../src/pool/rules/accounts/balances.ts';

function told(amount: number, more: Partial<BalanceRead> = {}): Balances {
  return withBalance(undefined, { at: 0, account: 'a', currency: 'USD', amount, ...more });
}

describe('two balances', () => {
  it.each([
    ['far apart', told(47.44), told(12.1), true],
    ['just as far apart as calls in between may cost', told(10), told(5), false],
    ['a little further apart', told(10), told(4.99), true],
    ['equal', told(47.44), told(47.44), false],
    ['large, and within a twentieth of each other', told(1_000), told(951), false],
    ['large, and further apart than that', told(1_000), told(949), true],
    ['read ten seconds apart', told(47.44), told(12.1, { at: 10_000 }), true],
    ['read longer apart, in either order', told(47.44, { at: 10_001 }), told(12.1), false],
    ['of two currencies', told(47.44), told(12.1, { currency: 'CNY' }), false],
  ])('that are %s', (_what, one, other, expected) => {
    expect(areApart(one, other)).toBe(expected);
    expect(areApart(other, one)).toBe(expected);
  });

  it('tell nothing while one of them is not known', () => {
    expect(areApart(undefined, told(5))).toBe(false);
    expect(areApart(told(50), undefined)).toBe(false);
  });

  it('are compared by their newest reading, and by any currency of both', () => {
    const both = withBalance(told(1, { currency: 'CNY' }), [...told(9).values()][0] ?? never());
    expect(areApart(both, told(100, { currency: 'CNY' }))).toBe(true);
    const newer = withBalance(both, { at: 1, account: 'a', currency: 'CNY', amount: 100 });
    expect(areApart(newer, told(100, { currency: 'CNY' }))).toBe(false);
  });

  it('of one account are never apart, whatever its calls of a few seconds cost', () => {
    const money = fc.double({ min: 0, max: 1e6, noNaN: true });
    const cost = fc.double({ min: 0, max: 4.99, noNaN: true });
    fc.assert(
      fc.property(money, cost, fc.nat(60_000), (amount, spent, at) => {
        expect(areApart(told(amount), told(Math.max(0, amount - spent), { at }))).toBe(false);
      }),
    );
  });
});

function never(): never {
  throw new Error('no reading');
}
