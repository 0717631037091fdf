/** Accounts that are found to be one, and come apart again, as their calls and refusals show. */

import { describe, expect, it } from 'vitest';
import { MODEL, Stage } from './family.ts';

describe('keys of one account', () => {
  it('are found when their calls together are as many at each refusal', () => {
    const stage = new Stage(['a', 'b', 'c']);
    for (const [a, b, c] of [
      [3, 2, 4],
      [1, 4, 1],
      [2, 3, 5],
      [4, 1, 2],
      [3, 2, 1],
    ] as const) {
      stage.burst({ a, b, c });
    }
    expect(stage.joined).toEqual([['a', 'b']]);
    expect(stage.lane('a').limit.capacity).toBeGreaterThanOrEqual(5);
    expect(stage.accounts.map(({ label }) => label)).toEqual(['a', 'c']);
  });

  it('are found by the number that their refusals name', () => {
    const stage = new Stage(['a', 'b', 'c']);
    const five = { namedInFlight: 6, namedLimit: 5 };
    for (const [a, b, c] of [
      [1, 4, 1],
      [2, 3, 1],
      [3, 2, 7],
      [4, 1, 2],
    ] as const) {
      stage.burst({ a, b, c }, five);
    }
    expect(stage.joined).toEqual([['a', 'b']]);
    expect(stage.lane('a').limit.capacity).toBe(5);
  });

  it('are not looked for where somebody named every account, or there is one key', () => {
    const load = [
      [3, 2],
      [1, 4],
      [2, 3],
      [4, 1],
    ] as const;
    const given = new Stage(['a', 'b'], true);
    for (const [a, b] of load) given.burst({ a, b });
    const single = new Stage(['a']);
    for (const [a] of load) single.burst({ a });
    for (const stage of [given, single]) {
      expect(stage.joined).toEqual([]);
      expect(stage.provider.flights.size).toBe(0);
    }
  });

  it('are not looked for among more than thirty-two', () => {
    const labels = Array.from({ length: 33 }, (_, index) => `k${index}`);
    const [many, fewer] = [new Stage(labels), new Stage(labels.slice(1))];
    many.burst({ k1: 1, k2: 1 });
    fewer.burst({ k1: 1, k2: 1 });
    expect([many.provider.flights.size, fewer.provider.flights.size]).toEqual([0, 1]);
  });

  it('are not those that are out of money', () => {
    const stage = new Stage(['a', 'b']);
    stage.account('b').disabled = { reason: 'no money', since: 0, checks: 0, nextCheckAt: 0 };
    for (const [a, b] of [
      [3, 2],
      [1, 4],
      [2, 3],
      [4, 1],
    ] as const)
      stage.burst({ a, b });
    expect(stage.joined).toEqual([]);
  });

  it('come apart when what is seen later speaks against it', () => {
    const stage = new Stage(['a', 'b']);
    stage.join(stage.account('a'), stage.account('b'));
    const two = { namedInFlight: 3, namedLimit: 2 };
    for (let times = 0; times < 4; times++) stage.burst({ a: 2, b: 2 }, two);
    expect(stage.parted[0]).toBe('a');
    expect(stage.provider.swap).toBeNull();
  });

  it('are not explained by what was seen long ago', () => {
    for (const [services, joined] of [
      [39, []],
      [5, [['a', 'b']]],
    ] as const) {
      const stage = new Stage(['a', 'b', 'c']);
      for (const [a, b, c] of [
        [3, 2, 4],
        [1, 4, 1],
        [2, 3, 5],
        [4, 1, 2],
        [3, 2, 1],
      ] as const) {
        stage.burst({ a, b, c });
        stage.wait(services * stage.timing().limitProbeMs);
      }
      expect(stage.joined).toEqual(joined);
    }
  });

  it('go on one by one when a call of another one is refused', () => {
    const stage = new Stage(['a', 'b']);
    stage.hold('b', 1);
    expect(stage.lane('b').limit.eager).toBe(true);
    stage.refuse('a');
    expect(stage.lane('b').limit).toMatchObject({ eager: false, limit: 1 });
    const given = new Stage(['a', 'b'], true);
    given.hold('b', 1);
    given.refuse('a');
    expect(given.lane('b').limit.eager).toBe(true);
  });
});

describe('a refusal that is not explained yet', () => {
  it('waits until it is known what was there, and is then one of those that were seen', () => {
    const stage = new Stage(['a', 'b']);
    const unheard = stage.send('b');
    stage.wait(100);
    stage.refuse('a');
    stage.refuse('a');
    expect(stage.provider.flights.get(MODEL)).toHaveLength(2);
    expect(stage.provider.sightings.size).toBe(0);
    stage.end(unheard);
    stage.wait(50);
    stage.refuse('a');
    expect(stage.provider.flights.get(MODEL)).toHaveLength(1);
    expect(stage.provider.sightings.get(MODEL)).toHaveLength(2);
  });

  it('is one of two dozen at most', () => {
    const stage = new Stage(['a', 'b']);
    stage.send('b');
    for (let times = 0; times < 40; times++) stage.refuse('a');
    expect(stage.provider.flights.get(MODEL)).toHaveLength(24);
  });
});
