import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, choose, waitingPays } from '../../../src/pool/rules/choose.ts';

interface Named extends Candidate {
  readonly name: string;
}

function key(name: string, more: Partial<Candidate> = {}): Named {
  const usual = { cost: 1, inFlight: 0, laneInFlight: 0, laneLimit: 10, lastTurn: 0, trial: false };
  return { name, ...usual, ...more };
}

describe('the key that serves next', () => {
  it('is none where none is free', () => {
    expect(choose([])).toBeNull();
  });

  it.each([
    ['the cheapest by far', { cost: 1, lastTurn: 9 }, { cost: 1.26, lastTurn: 1 }],
    ['of two that cost about as much the one unused for longer', { cost: 1.25 }, { lastTurn: 1 }],
    ['the one with more room', { laneInFlight: 2, lastTurn: 9 }, { laneInFlight: 4 }],
    [
      'the one with more room for its size',
      { laneInFlight: 3, laneLimit: 20, lastTurn: 9 },
      { laneInFlight: 3 },
    ],
    [
      'of two about as full the one unused for longer',
      { laneInFlight: 3 },
      { laneInFlight: 2, lastTurn: 1 },
    ],
    ['of two as long unused the one with fewer calls', { inFlight: 1 }, { inFlight: 2 }],
    ['a trial, whatever it costs', { trial: true, cost: 30, laneInFlight: 9, lastTurn: 9 }, {}],
  ])('is %s', (_name, better, worse) => {
    const [one, other] = [key('better', better), key('worse', worse)];
    expect(choose([one, other])?.name).toBe('better');
    expect(choose([other, one])?.name).toBe('better');
  });

  it('is not the emptiest one, if that is dear', () => {
    const keys = [key('dear', { cost: 2 }), key('cheap', { laneInFlight: 9 })];
    expect(choose(keys)?.name).toBe('cheap');
  });

  const candidate = fc.record({
    name: fc.string(),
    cost: fc.double({ min: 0.1, max: 20, noNaN: true }),
    inFlight: fc.nat(20),
    laneInFlight: fc.nat(20),
    laneLimit: fc.integer({ min: 1, max: 40 }),
    lastTurn: fc.nat(100),
    trial: fc.constant(false),
  });

  it('is the longest unused of those that are cheap and empty, in whatever order they stand', () => {
    fc.assert(
      fc.property(fc.array(candidate, { minLength: 1 }), (keys) => {
        const best = choose(keys);
        const cheap = keys.filter(({ cost }) => keys.every((each) => cost <= each.cost * 1.25));
        const use = (each: Candidate): number => each.laneInFlight / each.laneLimit;
        const least = Math.min(...cheap.map(use));
        const empty = cheap.filter((each) => use(each) <= least + 0.1);
        const turn = Math.min(...empty.map(({ lastTurn }) => lastTurn));
        const fresh = empty.filter(({ lastTurn }) => lastTurn === turn);
        expect(fresh).toContain(best);
        expect(best?.inFlight).toBe(Math.min(...fresh.map(({ inFlight }) => inFlight)));
      }),
    );
  });
});

describe('waiting for a faster key', () => {
  it.each([
    ['pays where a short queue drains over it first', 5, 2, 7, true],
    ['pays for nobody else in the queue', 1.5, 1, 0, true],
    ['does not where the slow one is done by then', 5, 2, 8, false],
    ['does not where the slow one is hardly slower', 1.49, 1, 0, false],
    ['does not where there is no faster one', 30, 0, 0, false],
  ])('%s', (_name, chosenCost, slots, waiting, pays) => {
    expect(waitingPays(chosenCost, { cost: 1, slots }, waiting)).toBe(pays);
  });
});
