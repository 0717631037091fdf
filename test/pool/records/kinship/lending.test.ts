/** When a full account is tried above its capacity, alone or with a slot that another one lends. */

import { describe, expect, it } from 'vitest';
import type { Visit } from '../../../../src/pool/records/kinship/kinship.ts';
import { fill, MODEL, NO_NUMBERS, Stage } from './family.ts';

describe('a full account', () => {
  function full() {
    const stage = new Stage(['a', 'b'], true);
    return {
      stage,
      visits: fill(stage, 'a', 3),
      growsAt: () => stage.kinship.growsAt(stage.account('a'), MODEL, stage.now()),
    };
  }

  it('is tried above its capacity when its time has come', () => {
    const { stage, growsAt } = full();
    expect(growsAt()).toBe(stage.now() + stage.timing().limitProbeMs);
    stage.kinship.growDue(MODEL, growsAt() - 1);
    expect(stage.lane('a').limit.limit).toBe(3);
    stage.kinship.growDue(MODEL, growsAt());
    expect(stage.lane('a').limit.limit).toBe(4);
  });

  it('is tried by no more calls than may be refused', () => {
    for (const [tries, limit] of [
      [2.9, 5],
      [1, 4],
      [8, 7],
    ] as const) {
      const { stage, growsAt } = full();
      const lane = stage.lane('a');
      stage.account('a').lanes.set(MODEL, { ...lane, limit: { ...lane.limit, step: 4 } });
      stage.provider.tries = tries;
      stage.kinship.growDue(MODEL, growsAt());
      expect(stage.lane('a').limit.limit).toBe(limit);
    }
  });

  it('waits for a pause of its account', () => {
    const { stage, growsAt } = full();
    stage.account('a').coolUntil = 90_000;
    expect(growsAt()).toBe(90_000);
  });

  it.each<[string, (stage: Stage, visits: Visit[]) => void]>([
    ['it has room', (stage, [first]) => first !== undefined && stage.end(first)],
    ['no try is paid for', ({ provider }) => Object.assign(provider, { tries: 0.9 })],
    [
      'nothing was served yet',
      ({ provider }) => Object.assign(provider, { pace: { ...provider.pace, serviceMs: null } }),
    ],
    [
      'other processes are there',
      (stage) => {
        const share = {
          slots: 3,
          tries: 0,
          isAlone: false,
          isContended: false,
          reserve: 0,
          elsewhere: 0,
          turn: null,
        };
        stage.account('a').lanes.set(MODEL, { ...stage.lane('a'), share });
      },
    ],
    [
      'it lends a slot',
      ({ provider }) =>
        Object.assign(provider, { swap: { model: MODEL, from: 'a', to: 'b', stay: null } }),
    ],
    [
      'it is lent one',
      ({ provider }) =>
        Object.assign(provider, { swap: { model: MODEL, from: 'b', to: 'a', stay: null } }),
    ],
    ['it was never used', (stage) => stage.account('a').lanes.clear()],
  ])('is not tried while %s', (_name, change) => {
    const { stage, visits, growsAt } = full();
    // The records of a filled lane are new ones.
    change(
      stage,
      visits.map((visit) => ({ ...visit, lane: stage.lane('a') })),
    );
    expect(growsAt()).toBe(Number.POSITIVE_INFINITY);
  });

  it('is asked by one call after a pause, whatever that costs', () => {
    const { stage, growsAt } = full();
    stage.provider.tries = 0;
    const lane = stage.lane('a');
    stage
      .account('a')
      .lanes.set(MODEL, { ...lane, limit: { ...lane.limit, limit: 0, capacity: 0, probeAt: 700 } });
    expect(growsAt()).toBe(700);
    stage.kinship.growDue(MODEL, 700);
    expect(stage.lane('a').limit.limit).toBe(1);
  });

  it('is tried while others lend each other slots', () => {
    const { stage, growsAt } = full();
    stage.provider.swap = { model: MODEL, from: 'b', to: 'c', stay: null };
    expect(growsAt()).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});

describe('a slot that is lent', () => {
  /** Key `a` has a slot free, and key `b` is full. */
  function stageOf(): { readonly stage: Stage; readonly left: Visit } {
    const stage = new Stage(['a', 'b']);
    const [left] = fill(stage, 'a', 3);
    fill(stage, 'b', 2);
    if (left === undefined) throw new Error('no call');
    const visit = { ...left, lane: stage.lane('a') };
    stage.wait(10);
    stage.end(visit);
    return { stage, left: visit };
  }

  it('lets another key try, and is given back when that is taken', () => {
    const { stage, left } = stageOf();
    stage.kinship.begin(left);
    expect(stage.provider.swap).toEqual({ model: MODEL, from: 'a', to: 'b', stay: null });
    const other = stage.send('a');
    stage.kinship.sent(other);
    expect(stage.provider.swap?.stay).toBeNull();
    const tried = stage.send('b');
    stage.kinship.sent(tried);
    expect(stage.provider.swap?.stay).toBe(tried.attempt.stay);
    stage.kinship.sent(stage.send('b'));
    expect(stage.provider.swap?.stay).toBe(tried.attempt.stay);
    stage.kinship.unlessBegun();
    stage.kinship.taken(other);
    stage.kinship.left(other);
    expect(stage.provider.swap).not.toBeNull();
    stage.kinship.taken(tried);
    expect(stage.provider.swap).toBeNull();
    expect(stage.lane('a').held).toBe(0);
  });

  it('is given back when the call that tries leaves, or none was there to try', () => {
    const { stage, left } = stageOf();
    stage.kinship.begin(left);
    stage.kinship.unlessBegun();
    expect(stage.provider.swap).toBeNull();
    expect(stage.lane('b').limit.limit).toBe(2);
    stage.kinship.begin(left);
    const tried = stage.send('b');
    stage.kinship.sent(tried);
    stage.kinship.left(tried);
    expect(stage.provider.swap).toBeNull();
  });

  it('was not of its account where the try is refused, and is not lent soon again', () => {
    const { stage, left } = stageOf();
    stage.kinship.begin(left);
    const tried = stage.send('b');
    stage.kinship.sent(tried);
    stage.wait(10);
    stage.end(tried, 'refused');
    stage.kinship.refused(tried, NO_NUMBERS);
    expect(stage.provider.swap).toBeNull();
    expect(stage.provider.parted.size).toBe(1);
    stage.kinship.begin(left);
    expect(stage.provider.swap).toBeNull();
  });

  it('is awaited by a full account, for one more service', () => {
    const { stage } = stageOf();
    const growsAt = stage.kinship.growsAt(stage.account('b'), MODEL, stage.now());
    const probeAt = stage.lane('b').limit.probeAt;
    expect(growsAt).toBe(probeAt + stage.timing().limitProbeMs);
  });

  it('is not lent where somebody named every account', () => {
    const stage = new Stage(['a', 'b'], true);
    const [left] = fill(stage, 'a', 3);
    fill(stage, 'b', 2);
    if (left === undefined) throw new Error('no call');
    const visit = { ...left, lane: stage.lane('a') };
    stage.end(visit);
    stage.kinship.begin(visit);
    expect(stage.provider.swap).toBeNull();
  });
});

describe('where a refusal takes longer than half an answer', () => {
  function dear(labels = ['a', 'b'], isGiven = false): Stage {
    const stage = new Stage(labels, isGiven);
    stage.provider.pace = { ...stage.provider.pace, refusalMs: 600 };
    return stage;
  }
  const hasFreed = (stage: Stage): boolean => stage.kinship.hasFreed(stage.account('a'), MODEL);

  it('the next call goes when fewer are there than were since the refusal, on all of the keys', () => {
    const stage = dear();
    const [first] = stage.hold('a', 2);
    const [other] = stage.hold('b', 2);
    if (first === undefined || other === undefined) throw new Error('no call');
    stage.wait(10);
    expect(hasFreed(stage)).toBe(true);
    stage.refuse('a');
    expect(hasFreed(stage)).toBe(false);
    stage.end(other);
    expect(hasFreed(stage)).toBe(true);
    stage.hold('a', 1);
    expect(hasFreed(stage)).toBe(false);
  });

  it('it goes anyway where nothing of ours is there, refusals are cheap, or accounts are named', () => {
    const empty = dear();
    empty.refuse('a');
    expect(hasFreed(empty)).toBe(true);
    for (const stage of [new Stage(['a', 'b']), dear(['a', 'b'], true)]) {
      stage.hold('a', 2);
      stage.wait(10);
      stage.refuse('a');
      expect(hasFreed(stage)).toBe(true);
    }
  });
});
