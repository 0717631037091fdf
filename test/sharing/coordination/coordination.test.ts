import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exchange, forget, SILENCE_MS } from '../../../src/sharing/coordination/coordination.ts';
import {
  createState,
  inherited,
  type SharedState,
} from '../../../src/sharing/coordination/shared-state.ts';
import type { Exchange, ExchangeAnswer } from '../../../src/sharing/protocol.ts';
import { reports, row, says, told } from '../exchanges.ts';

/** Several exchanges one after the other. */
class Hub {
  state: SharedState = createState('here');
  now = 1_000;

  says(member: string, request: Exchange): ExchangeAnswer {
    const { state, answer } = exchange(this.state, member, request, this.now);
    this.state = state;
    return answer;
  }

  share(member: string, request: Exchange): number {
    return this.says(member, request).grants[0]?.share ?? 0;
  }

  get held(): number {
    let held = 0;
    for (const { stakes } of this.state.members.values()) {
      for (const stake of stakes.values()) held += stake.held;
    }
    return held;
  }
}

describe('a process that is alone on a lane', () => {
  it('keeps finding the limit itself, and its word counts', () => {
    const hub = new Hub();
    const first = hub.says('a', says(1, { rows: [row({ inFlight: 2 })] }));
    expect(first.grants[0]).toMatchObject({ isAlone: true, reserve: 0 });
    const limit = told({ generation: 2, limit: 11, capacity: 11 });
    hub.says('a', says(2, { rows: [row({ inFlight: 9, limit })] }));
    expect([...hub.state.lanes.values()][0]?.limit.limit).toBe(11);
  });

  it('leaves a slot for a newcomer, who has it after one exchange', () => {
    const hub = new Hub();
    hub.says('b', says(1));
    const { grants } = hub.says('a', says(1, { rows: [row({ inFlight: 2 })] }));
    expect(grants[0]).toMatchObject({ isAlone: true, reserve: 1 });
    expect(hub.share('b', says(2, { rows: [row({ waitingInteractive: 1 })] }))).toBe(1);
  });

  it('has all of it while its own calls wait', () => {
    const hub = new Hub();
    hub.says('b', says(1));
    const rows = [row({ inFlight: 8, waitingInteractive: 20 })];
    expect(hub.says('a', says(1, { rows })).grants[0]).toMatchObject({ isAlone: true, reserve: 0 });
  });
});

describe('two processes on one lane', () => {
  it('meet in the middle as the calls of the first one end', () => {
    const hub = new Hub();
    hub.says('a', says(1, { rows: [row({ inFlight: 8, waitingInteractive: 50 })] }));
    expect(hub.share('b', says(1, { rows: [row({ waitingInteractive: 50 })] }))).toBe(0);
    let [a, b] = [8, 0];
    for (let seq = 2; seq < 12; seq++) {
      // One call of the first ended; it has to ask before the next.
      const left = hub.share(
        'a',
        says(seq, { rows: [row({ inFlight: a - 1, waitingInteractive: 50 })] }),
      );
      b = hub.share('b', says(seq, { rows: [row({ inFlight: b, waitingInteractive: 50 })] }));
      a = left;
      expect(hub.held).toBeLessThanOrEqual(8);
    }
    expect([a, b]).toEqual([4, 4]);
  });

  it('take a refusal as one of all their calls', () => {
    const hub = new Hub();
    hub.says('a', says(1, { rows: [row({ inFlight: 5, waitingInteractive: 5 })] }));
    hub.says('b', says(1, { rows: [row({ inFlight: 1, waitingInteractive: 1 })] }));
    const refused = {
      kind: 'refused',
      account: 'account',
      model: 'model',
      sentAgoMs: 80,
      seen: 1,
      namedInFlight: null,
      namedLimit: null,
      retryAfterMs: null,
      isTry: false,
    } as const;
    const rows = [row({ inFlight: 1, waitingInteractive: 1 })];
    const { grants } = hub.says('b', says(2, { rows, reports: reports(refused) }));
    expect(grants[0]?.limit).toMatchObject({ limit: 6, capacity: 6, generation: 2 });
  });

  it('are told of a pause, and one call of all goes when it is over', () => {
    const hub = new Hub();
    const rows = [row({ waitingInteractive: 3 })];
    hub.says('a', says(1, { rows }));
    hub.says('b', says(1, { rows }));
    const pause = { kind: 'resting', id: 'account', forMs: 1_000 } as const;
    hub.says('a', says(2, { reports: reports(pause) }));
    const { facts } = hub.says('b', says(2));
    expect(facts).toMatchObject([{ id: 'account', restsMs: 1_000 }]);
    const idle = (seq: number) => says(seq, { rows });
    expect(hub.share('a', idle(3))).toBe(0);
    expect(hub.share('b', idle(3))).toBe(0);
    hub.now += 1_001;
    expect(hub.share('a', idle(4))).toBe(1);
    const trying = [row({ inFlight: 1, waitingInteractive: 2 })];
    expect(hub.share('b', idle(4))).toBe(0);
    expect(hub.share('a', says(5, { rows: trying }))).toBe(1);
    expect(hub.held).toBe(1);
  });

  it('each ask for that one call, though nobody says during a pause that calls wait', () => {
    const hub = new Hub();
    const limit = told({ limit: 0, capacity: 0, probeInMs: 1_000 });
    const paused = (seq: number) => says(seq, { rows: [row({ limit })] });
    for (const seq of [1, 2]) {
      for (const member of ['a', 'b']) {
        expect(hub.says(member, paused(seq)).grants[0]).toMatchObject({
          isAlone: seq < 2 && member === 'a',
          share: 0,
        });
      }
    }
    hub.now += 1_001;
    const waiting = says(3, { rows: [row({ limit, waitingInteractive: 1 })] });
    expect(hub.share('b', waiting)).toBe(1);
    expect(hub.share('a', waiting)).toBe(0);
  });
});

describe('of what only one may try', () => {
  it('one process has it, as long as it asks', () => {
    const hub = new Hub();
    expect(hub.says('a', says(1, { asks: ['key'] })).trials).toEqual(['key']);
    expect(hub.says('b', says(1, { asks: ['key'] })).trials).toEqual([]);
    expect(hub.says('a', says(2, { asks: ['key'] })).trials).toEqual(['key']);
    hub.says('a', says(3));
    expect(hub.says('b', says(2, { asks: ['key'] })).trials).toEqual(['key']);
  });

  it('a dead process has nothing any more', () => {
    const hub = new Hub();
    hub.says('a', says(1, { asks: ['key'], rows: [row({ inFlight: 8 })] }));
    hub.state = forget(hub.state, 'a');
    expect(hub.says('b', says(1, { asks: ['key'] })).trials).toEqual(['key']);
    expect(hub.share('b', says(2, { rows: [row({ waitingInteractive: 20 })] }))).toBe(8);
  });

  it('a silent one neither, after ten seconds', () => {
    const hub = new Hub();
    hub.says('a', says(1, { rows: [row({ inFlight: 8 })] }));
    hub.now += SILENCE_MS - 1;
    expect(hub.share('b', says(1, { rows: [row({ waitingInteractive: 20 })] }))).toBe(0);
    hub.now += 2;
    expect(hub.share('b', says(2, { rows: [row({ waitingInteractive: 20 })] }))).toBe(8);
  });

  it('a dead key is tried by nobody before its check, and then by one', () => {
    const hub = new Hub();
    const out = { kind: 'out', id: 'key', checks: 0, checkInMs: 5_000 } as const;
    hub.says('a', says(1, { asks: ['key'], reports: reports(out) }));
    const { facts, trials } = hub.says('b', says(1, { asks: ['key'] }));
    expect(trials).toEqual([]);
    expect(facts).toMatchObject([{ id: 'key', isOut: true, checkInMs: 5_000 }]);
    hub.now += 5_000;
    expect(hub.says('b', says(2, { asks: ['key'] })).trials).toEqual(['key']);
    expect(hub.says('a', says(2, { asks: ['key'] })).trials).toEqual([]);
  });
});

describe('a new coordinator', () => {
  it('takes the newest word on a limit, and nobody has more than before until all were heard', () => {
    const hub = new Hub();
    const heard = { epoch: 'before', version: 9 };
    const old = told({ generation: 3, limit: 20, capacity: 20 });
    const rows = [row({ inFlight: 2, share: 3, waitingInteractive: 9, limit: old })];
    expect(hub.share('a', says(1, { rows, heard }))).toBe(3);
    const newer = told({ generation: 5, limit: 6, capacity: 6 });
    const others = [row({ inFlight: 3, share: 3, limit: newer })];
    hub.says('b', says(1, { rows: others, heard }));
    hub.now += 400;
    const { grants } = hub.says('a', says(2, { rows }));
    expect(grants[0]?.limit).toMatchObject({ generation: 5, limit: 6 });
    expect(hub.held).toBeLessThanOrEqual(6);
  });

  it('is told of dead keys by who knows them', () => {
    const hub = new Hub();
    const heard = { epoch: 'before', version: 9 };
    const fact = {
      id: 'key',
      generation: 2,
      isOut: true,
      checks: 1,
      checkInMs: 9_000,
      restsMs: 0,
      works: false,
    };
    hub.says('a', says(1, { heard, facts: [fact], joined: [['one', 'two']] }));
    const { facts, joined } = hub.says('b', says(1, { heard: { epoch: '', version: 0 } }));
    expect(facts).toMatchObject([{ id: 'key', isOut: true, checkInMs: 9_000 }]);
    expect(joined).toEqual([['one', 'two']]);
  });

  it('inherits limits and facts, and no processes', () => {
    const hub = new Hub();
    hub.says('a', says(1, { rows: [row({ inFlight: 8 })] }));
    const next = inherited(hub.state, 'later');
    expect(next.members.size).toBe(0);
    expect([...next.lanes.values()][0]?.limit.limit).toBe(8);
  });
});

describe('accounts that are one', () => {
  it('are one lane for everybody, also for who does not know it yet', () => {
    const hub = new Hub();
    const joined = { kind: 'joined', accounts: ['one', 'two'] } as const;
    hub.says(
      'a',
      says(1, { reports: reports(joined), rows: [row({ account: 'one', inFlight: 5 })] }),
    );
    const rows = [
      row({ account: 'one', waitingInteractive: 9 }),
      row({ account: 'two', waitingInteractive: 9 }),
    ];
    hub.says('a', says(2, { rows: [row({ account: 'one', inFlight: 5 })] }));
    const { grants, joined: groups } = hub.says('b', says(1, { rows }));
    expect(groups).toEqual([['one', 'two']]);
    expect(grants.map((grant) => grant.account)).toEqual(['one', 'two']);
    expect(hub.held).toBeLessThanOrEqual(8);
  });

  it('have the limits of both, and a refusal before they were one counts for the lane it met', () => {
    const hub = new Hub();
    const rows = [row({ account: 'one', inFlight: 5 }), row({ account: 'two', inFlight: 3 })];
    hub.says('b', says(1, { rows }));
    hub.says('a', says(1, { rows: [row({ account: 'two', inFlight: 2, waitingInteractive: 1 })] }));
    const refused = {
      kind: 'refused',
      account: 'two',
      model: 'model',
      sentAgoMs: 80,
      seen: 1,
      namedInFlight: null,
      namedLimit: null,
      retryAfterMs: null,
      isTry: false,
    } as const;
    const told = reports(refused, { kind: 'joined', accounts: ['one', 'two'] });
    const mine = [row({ account: 'one', inFlight: 1, waitingInteractive: 1 })];
    const { grants } = hub.says('a', says(2, { rows: mine, reports: told }));
    // Four calls were on the second account, eight fit on the first.
    expect(grants[0]?.limit).toMatchObject({ limit: 12, capacity: 12 });
    expect(grants[0]?.elsewhere).toBe(8);
  });

  it('come apart for everybody', () => {
    const hub = new Hub();
    hub.says('a', says(1, { reports: reports({ kind: 'joined', accounts: ['one', 'two'] }) }));
    const parted = { number: 2, report: { kind: 'parted', accounts: ['two'] } } as const;
    hub.says('a', says(2, { reports: [parted] }));
    expect(hub.says('b', says(1)).joined).toEqual([]);
  });
});

const step = fc.record({
  member: fc.nat(4),
  inFlight: fc.nat(9),
  waits: fc.nat(9),
  batch: fc.nat(9),
  isEnd: fc.boolean(),
  isStale: fc.boolean(),
  isDouble: fc.boolean(),
  passes: fc.nat(400),
  isDead: fc.integer({ min: 0, max: 19 }).map((roll) => roll === 0),
});

describe('whatever is lost, doubled or late', () => {
  it('no more slots are out than there are, and a repeated exchange changes nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const hub = new Hub();
        const had = new Map<number, number>();
        const said = new Map<number, Exchange[]>();
        let seq = 0;
        let last: Exchange | null = null;
        for (const each of steps) {
          hub.now += each.passes;
          seq += 1;
          const name = `member-${each.member}`;
          if (each.isDead) {
            hub.state = forget(hub.state, name);
            had.delete(each.member);
            said.delete(each.member);
            continue;
          }
          const before = said.get(each.member) ?? [];
          if (each.isStale) {
            // What it said before its last word comes late, as it was.
            const late = before.at(-2);
            if (late !== undefined) hub.says(name, late);
            expect(hub.held).toBeLessThanOrEqual(8);
            continue;
          }
          // As a member does: it starts calls within what it was given, and says what it keeps.
          const share = had.get(each.member) ?? 0;
          const inFlight = Math.min(each.inFlight, share);
          const rows = [
            row({
              inFlight,
              share: each.isEnd ? inFlight : share,
              waitingInteractive: each.waits,
              waitingBatch: each.batch,
              // Refused of late, and not to be tried: the limit stays what it is.
              limit: told({ generation: 1, probeInMs: 100_000_000 }),
            }),
          ];
          const request = says(seq, { rows });
          said.set(each.member, [...before, request]);
          const granted = hub.says(name, request).grants[0];
          if (granted !== undefined) {
            had.set(each.member, granted.isAlone ? 8 - granted.reserve : granted.share);
          }
          expect(hub.held).toBeLessThanOrEqual(8);
          if (each.isDouble) {
            const once = hub.state;
            hub.says(name, request);
            expect(hub.state).toEqual(once);
          }
          last = request;
        }
        expect(last === null || hub.held <= 8).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('a report counts once', () => {
    const hub = new Hub();
    hub.says('a', says(1, { rows: [row({ inFlight: 4 })] }));
    const out = reports({ kind: 'out', id: 'key', checks: 0, checkInMs: 1_000 });
    hub.says('a', says(2, { reports: out }));
    const { version } = hub.state;
    expect(hub.says('a', says(3, { reports: out })).reported).toBe(1);
    expect(hub.state.version).toBe(version);
  });
});
