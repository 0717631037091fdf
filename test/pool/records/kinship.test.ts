/** Accounts that are found to be one, and come apart again, as their calls and refusals show. */

import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../src/base/errors.ts';
import { type AttemptRecord, begin, release } from '../../../src/pool/records/attempt-record.ts';
import { mergeAccount } from '../../../src/pool/records/kinship/found-account.ts';
import { type Family, Kinship, type Visit } from '../../../src/pool/records/kinship/kinship.ts';
import type { Lane } from '../../../src/pool/records/lane.ts';
import { accept, refused, sign } from '../../../src/pool/records/lane-writer.ts';
import {
  type AccountRecord,
  createAccount,
  createKeyRecord,
  createProvider,
  laneOf,
} from '../../../src/pool/records/state.ts';
import { afterRefused } from '../../../src/pool/rules/limit.ts';
import { timingFor } from '../../../src/pool/rules/timing.ts';

const MODEL = 'deepseek-flash';
const NO_NUMBERS: Pick<Failure, 'namedInFlight' | 'namedLimit'> = {
  namedInFlight: null,
  namedLimit: null,
};

/** Keys that each look like an account of their own. Refusals come after 10 ms, calls take a second. */
class Stage implements Family {
  readonly provider = createProvider('deepseek', 5);
  accounts: readonly AccountRecord[];
  readonly slots: ReadonlyArray<{ readonly isGiven: boolean }>;
  readonly kinship: Kinship;
  readonly joined: string[][] = [];
  readonly parted: string[] = [];
  #now = 10_000;
  #turn = 0;

  constructor(labels: readonly string[], isGiven = false) {
    this.provider.pace = { ...this.provider.pace, serviceMs: 1_000, refusalMs: 10 };
    this.accounts = labels.map((label) => createAccount(label, isGiven));
    this.slots = labels.map(() => ({ isGiven }));
    this.kinship = new Kinship(this);
  }

  labelsByName(): ReadonlyMap<string, string> {
    return new Map(this.accounts.flatMap(({ members }) => members).map((each) => [each, each]));
  }

  join(one: AccountRecord, other: AccountRecord): AccountRecord {
    mergeAccount(one, other);
    this.joined.push([...one.members]);
    this.accounts = this.accounts.filter((each) => each !== other);
    return one;
  }

  part(account: AccountRecord): void {
    this.parted.push(account.label);
  }

  timing() {
    return timingFor(this.provider.pace);
  }

  now(): number {
    return this.#now;
  }

  wait(ms: number): void {
    this.#now += ms;
  }

  account(label: string): AccountRecord {
    const found = this.accounts.find(({ members }) => members.includes(label));
    if (found === undefined) throw new Error(`no account ${label}`);
    return found;
  }

  lane(label: string): Lane {
    return laneOf(this.account(label), MODEL, 64);
  }

  /** A key's call on its way. */
  send(label: string): Visit {
    const account = this.account(label);
    const key = createKeyRecord('deepseek', label, label, label);
    const place = { provider: this.provider, account, key, lane: this.lane(label) };
    this.#turn += 1;
    const trials = { isKeyTrial: false, isProviderTrial: false };
    const attempt = begin(place, {
      call: this.#turn,
      model: MODEL,
      speedClass: MODEL,
      units: 1,
      sentAt: this.#now,
      ...trials,
      turn: this.#turn,
      usedAt: 0,
    });
    return { ...place, attempt };
  }

  /** Calls that the upstream has and says so. */
  hold(label: string, count: number): Visit[] {
    return Array.from({ length: count }, () => {
      const visit = this.send(label);
      sign(visit.attempt.stay, this.#now);
      accept(visit.attempt.stay);
      return visit;
    });
  }

  end({ attempt, ...place }: Visit, how: 'ended' | 'refused' = 'ended'): void {
    release(place, attempt, this.#now, how);
  }

  /** A call of this key is refused, ten milliseconds later. */
  refuse(label: string, numbers = NO_NUMBERS): Visit {
    const visit = this.send(label);
    this.wait(10);
    this.end(visit, 'refused');
    const { sentAt } = visit.attempt;
    const refusal = { sentAt, now: this.#now, retryAfterMs: null, ...numbers };
    refused(visit.lane, refusal, this.timing());
    this.kinship.refused(visit, numbers);
    return visit;
  }

  /** So many calls of each key are there for a while, and one more of the first key is refused. */
  burst(load: Readonly<Record<string, number>>, numbers = NO_NUMBERS): void {
    const [first = ''] = Object.keys(load);
    const held = Object.entries(load).flatMap(([label, count]) => this.hold(label, count));
    this.wait(100);
    this.refuse(first, numbers);
    // What was refused is explained with the next refusal, when the fate of the others is known.
    this.wait(100);
    for (const visit of held) this.end(visit);
    this.wait(10);
  }
}

/** A full lane with this capacity, in the records of a stage. */
function fill(stage: Stage, label: string, capacity: number): Visit[] {
  const visits = stage.hold(label, capacity);
  const lane = stage.lane(label);
  const refusal = { seen: capacity, room: null, now: stage.now(), retryAfterMs: null };
  const limit = afterRefused({ ...lane.limit, limit: capacity + 1 }, refusal, stage.timing());
  stage.account(label).lanes.set(MODEL, { ...lane, limit });
  return visits;
}

function stayOf({ attempt }: Visit): AttemptRecord['stay'] {
  return attempt.stay;
}

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
    expect(stage.provider.swap?.stay).toBe(stayOf(tried));
    stage.kinship.sent(stage.send('b'));
    expect(stage.provider.swap?.stay).toBe(stayOf(tried));
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
