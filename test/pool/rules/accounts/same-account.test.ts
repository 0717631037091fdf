import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accountOf,
  fitOf,
  isMistaken,
  type Named,
  namedBy,
  type Sightings,
  surelyTaken,
  withRefusal,
} from '../../../../src/pool/rules/accounts/same-account.ts';

type Load = Readonly<Record<string, number>>;

const counts = (load: Load): ReadonlyMap<string, number> => new Map(Object.entries(load));

/** A refusal of which all is known: so many were there, all the time. */
function refused(seen: Sightings, label: string, load: Load, named: Named | null = null) {
  const there = counts(load);
  return withRefusal(seen, { at: 0, label, least: there, most: [there], named }, -1);
}

const OTHERS = ['b', 'c', 'd'];

describe('which keys are of one account', () => {
  it('are those whose calls together are as many at every refusal', () => {
    let seen = refused([], 'a', { a: 3, b: 2, c: 4 });
    seen = refused(seen, 'a', { a: 1, b: 4, c: 1 });
    expect(accountOf(seen, ['a'], OTHERS)).toBeNull();
    seen = refused(seen, 'a', { a: 2, b: 3, c: 5 });
    expect(accountOf(seen, ['a'], OTHERS)).toEqual(['a', 'b']);
  });

  it('are those that make up the number which the refusal names', () => {
    const five = namedBy(6, 5);
    let seen = refused([], 'a', { a: 1, b: 1, c: 2, d: 4 }, five);
    seen = refused(seen, 'a', { a: 2, b: 1, c: 4, d: 2 }, five);
    expect(accountOf(seen, ['a'], OTHERS)).toBeNull();
    seen = refused([], 'a', { a: 1, b: 4, c: 1, d: 0 }, five);
    seen = refused(seen, 'a', { a: 2, b: 3, c: 1, d: 1 }, five);
    expect(accountOf(seen, ['a'], OTHERS)).toEqual(['a', 'b']);
  });

  it('stay apart while two answers are as good', () => {
    let seen = refused([], 'a', { a: 4, b: 1, c: 1 });
    seen = refused(seen, 'a', { a: 2, b: 3, c: 3 });
    seen = refused(seen, 'a', { a: 1, b: 4, c: 4 });
    expect(accountOf(seen, ['a'], OTHERS)).toBeNull();
  });

  it('stay apart when somebody else is on the account of one', () => {
    const eight = namedBy(9, 8);
    let seen = refused([], 'a', { a: 2, b: 1 }, eight);
    seen = refused(seen, 'a', { a: 3, b: 1 }, eight);
    expect(accountOf(seen, ['a'], ['b'])).toBeNull();
  });

  it('stay apart while another pair is possible, however well the first one fits', () => {
    const five = namedBy(6, 5);
    let seen: Sightings = [];
    for (const a of [1, 2]) {
      // With c there were just five; with b there may have been five at some instant.
      const least = counts({ a, b: 1, c: 5 - a });
      const most = [counts({ a, b: 7, c: 5 - a })];
      seen = withRefusal(seen, { at: 0, label: 'a', least, most, named: five }, -1);
    }
    expect(accountOf(seen, ['a'], ['b', 'c'])).toBeNull();
    expect(accountOf(seen, ['a'], ['c'])).toEqual(['a', 'c']);
  });

  it('are never found in refusals of accounts that are each their own', () => {
    const load = fc.record({ a: fc.nat(8), b: fc.nat(8), c: fc.nat(8), d: fc.nat(8) });
    const event = fc.record({ label: fc.constantFrom('a', 'b', 'c', 'd'), load });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.boolean(), (events, isNamed) => {
        let seen: Sightings = [];
        for (const { label, load: there } of events) {
          const full = { ...there, [label]: 8 };
          seen = refused(seen, label, full, isNamed ? namedBy(9, 8) : null);
        }
        for (const label of ['a', 'b', 'c', 'd']) {
          const others = ['a', 'b', 'c', 'd'].filter((each) => each !== label);
          expect(accountOf(seen, [label], others)).toBeNull();
        }
      }),
    );
  });

  it('come apart when the upstream names fewer calls than they surely have', () => {
    const eight = namedBy(9, 8);
    let seen = refused([], 'a', { a: 8, b: 4 }, eight);
    expect(isMistaken(seen, ['a', 'b'])).toBe(false);
    seen = refused(seen, 'b', { a: 5, b: 8 }, eight);
    expect(isMistaken(seen, ['a', 'b'])).toBe(true);
  });

  it('come apart when each alone explains its refusals, and both together do not', () => {
    let seen: Sightings = [];
    for (const b of [8, 2, 3, 1]) seen = refused(seen, 'a', { a: 8, b });
    expect(isMistaken(seen, ['a', 'b'])).toBe(true);
    let shared = refused([], 'a', { a: 8, b: 0 });
    for (const a of [3, 4, 6]) shared = refused(shared, 'a', { a, b: 8 - a });
    expect(isMistaken(shared, ['a', 'b'])).toBe(false);
  });

  it('stay one while the refusals of some of them are not explained otherwise', () => {
    let seen: Sightings = [];
    for (const b of [3, 2, 1, 0]) {
      // Of `a` alone there were as many each time; of `b` there were not, with `a` or without.
      seen = refused(seen, 'a', { a: 4, b });
      seen = refused(seen, 'b', { a: 4 - b, b: 2 + b });
    }
    expect(isMistaken(seen, ['a', 'b'])).toBe(false);
  });

  it('come apart when some of them explain the refusals, and one is not of it', () => {
    let seen: Sightings = [];
    for (const c of [4, 1, 0, 2]) {
      seen = refused(seen, 'a', { a: 4 - c, b: 1 + c, c });
      seen = refused(seen, 'c', { a: 1, b: 4, c: 5 });
    }
    expect(isMistaken(seen, ['a', 'b', 'c'])).toBe(true);
  });
});

describe('what was seen of refusals', () => {
  it('is kept in order, the latest two dozen of those that are recent', () => {
    const at = (instant: number) => ({
      at: instant,
      label: 'a',
      least: counts({}),
      most: [],
      named: null,
    });
    let seen: Sightings = [];
    for (let instant = 0; instant < 40; instant++) seen = withRefusal(seen, at(instant), 0);
    expect(seen.map((each) => each.at)).toEqual(Array.from({ length: 24 }, (_, i) => 16 + i));
    expect(withRefusal(seen, at(40), 39).map((each) => each.at)).toEqual([39, 40]);
  });

  it('tells the most that labels surely had there when one of them was refused', () => {
    let seen = refused([], 'a', { a: 3, b: 2, c: 9 });
    seen = refused(seen, 'b', { a: 1, b: 5 });
    seen = refused(seen, 'c', { a: 8, b: 8, c: 1 });
    expect(surelyTaken(seen, ['a', 'b'])).toBe(6);
    expect(surelyTaken(seen, ['a'])).toBe(3);
    expect(surelyTaken(seen, ['d'])).toBe(0);
  });

  it('fits one account where as many are there each time, give or take one', () => {
    let seen = refused([], 'a', { a: 3, b: 2 });
    seen = refused(seen, 'b', { a: 1, b: 4 });
    expect(fitOf(seen, new Set(['a', 'b']))).toEqual({ odd: 0, over: 0, exact: 2 });
    seen = refused(seen, 'b', { a: 3, b: 3 });
    expect(fitOf(seen, new Set(['a', 'b']))).toEqual({ odd: 2, over: 0, exact: 1 });
    expect(fitOf(seen, new Set(['b']))).toEqual({ odd: 1, over: 0, exact: 1 });
  });

  it('fits a number that is named where just as many can have been there', () => {
    const five = namedBy(6, 5);
    const ends = (least: Load, ...most: Load[]): Sightings =>
      withRefusal(
        [],
        { at: 0, label: 'a', least: counts(least), most: most.map(counts), named: five },
        -1,
      );
    const group = new Set(['a', 'b']);
    expect(fitOf(ends({ a: 1, b: 1 }, { a: 1 }, { a: 3, b: 2 }), group)).toMatchObject({
      exact: 1,
    });
    expect(fitOf(ends({ a: 1, b: 1 }, { a: 3, b: 3 }), group)).toMatchObject({ odd: 0, exact: 1 });
    expect(fitOf(ends({ a: 1, b: 1 }, { a: 4, b: 3 }), group)).toMatchObject({ odd: 0, exact: 0 });
    expect(fitOf(ends({ a: 1 }, { a: 3, b: 1 }), group)).toMatchObject({ odd: 1, over: 0 });
    expect(fitOf(ends({ a: 3, b: 3 }, { a: 3, b: 3 }), group)).toMatchObject({ odd: 1, over: 1 });
  });

  it('speaks for an account of several keys, and of many, with those already known', () => {
    const labels = Array.from({ length: 12 }, (_, index) => `k${index}`);
    const load = (label: string): Load =>
      Object.fromEntries(labels.map((each) => [each, each === label ? 9 : 1]));
    let seen: Sightings = [];
    // All twelve together are twenty each time, whoever of them has most.
    for (const label of labels) seen = refused(seen, 'k0', load(label));
    expect(accountOf(seen, ['k0'], labels.slice(1))).toEqual(labels);
    let three = refused([], 'a', { a: 3, b: 2, c: 4, d: 9 });
    three = refused(three, 'a', { a: 1, b: 6, c: 2, d: 1 });
    three = refused(three, 'a', { a: 2, b: 1, c: 6, d: 4 });
    expect(accountOf(three, ['a'], OTHERS)).toEqual(['a', 'b', 'c']);
    expect(accountOf(three, ['a', 'b'], ['c', 'd'])).toEqual(['a', 'b', 'c']);
  });

  it('says nothing of keys without calls', () => {
    let seen = refused([], 'a', { a: 3, b: 2 });
    seen = refused(seen, 'a', { a: 1, b: 4 });
    seen = refused(seen, 'a', { a: 2, b: 3 });
    expect(accountOf(seen, ['a'], ['b', 'idle'])).toEqual(['a', 'b']);
    expect(accountOf(seen, ['a'], ['idle'])).toBeNull();
  });
});

describe("the refusal's own numbers", () => {
  it('count the refused call, unless they name no more than the limit', () => {
    expect(namedBy(26, 25)).toEqual({ least: 25, most: 25 });
    expect(namedBy(17, 17)).toEqual({ least: 16, most: 17 });
    expect(namedBy(null, 5)).toBeNull();
  });
});
