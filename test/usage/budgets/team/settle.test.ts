import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Budget } from '../../../../src/usage/budgets/budget.ts';
import { ScopeLine } from '../../../../src/usage/budgets/team/scope-line.ts';
import { forgetMember, settle } from '../../../../src/usage/budgets/team/settle.ts';
import { TEAM_STATE } from '../../../../src/usage/budgets/team/team-codec.ts';
import {
  NO_TEAM,
  type TeamAnswer,
  type TeamRequest,
  type TeamState,
} from '../../../../src/usage/budgets/team/team-state.ts';

const CAP_USD = 1;
const MOST_USD = 0.2;
const BUDGET: Budget = { usd: CAP_USD, per: 'day', account: null, client: null };
const LABEL = '2026-11-28';
const SCOPE = JSON.stringify(['day', null, null]);

/** The state as a Redis keeps it: every change goes through its text. */
class Kept {
  state: TeamState = NO_TEAM;
  now = 1_000_000;

  settle(id: string, request: TeamRequest): TeamAnswer {
    const { state, answer } = settle(this.state, id, request, this.now);
    const text: unknown = JSON.parse(JSON.stringify(TEAM_STATE.pack(state, this.now)));
    this.now += 5;
    this.state = TEAM_STATE.unpack(text, this.now, 5) ?? NO_TEAM;
    return answer;
  }
}

interface Call {
  readonly id: string;
  readonly usd: number;
  isUnderWay: boolean;
}

/** One process, alone in its home. */
class Machine {
  readonly line = new ScopeLine(BUDGET);
  calls: Call[] = [];
  spentUsd = 0;
  #seq = 0;
  #count = 0;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  enter(usd: number): void {
    const id = `${this.#count++}`;
    this.calls.push({ id, usd, isUnderWay: false });
    this.line.enter(id, usd, false);
  }

  request(): TeamRequest {
    const spent = this.spentUsd === 0 ? [] : [{ scope: SCOPE, label: LABEL, usd: this.spentUsd }];
    this.#seq += 1;
    return { seq: this.#seq, home: this.name, spent, rows: this.line.row(LABEL, 0) };
  }

  /** What was answered and is on its way; nothing is asked meanwhile. */
  coming: TeamAnswer | null = null;

  arrive(): boolean {
    if (this.coming === null) return false;
    this.hear(this.coming);
    this.coming = null;
    this.start();
    return true;
  }

  hear({ scopes }: TeamAnswer): void {
    const told = scopes.find(({ scope }) => scope === SCOPE);
    this.line.hear(told?.roomUsd ?? 0, told?.isWanted ?? false);
  }

  start(): void {
    for (const call of this.calls) {
      if (call.isUnderWay || !this.line.isClear(call.id)) continue;
      call.isUnderWay = true;
      this.line.start(call.id);
    }
  }

  /** The first one under way ends, and has cost a part of what it may. */
  end(part: number): void {
    const call = this.calls.find(({ isUnderWay }) => isUnderWay);
    if (call === undefined) return;
    this.calls = this.calls.filter((each) => each !== call);
    this.spentUsd += call.usd * part;
    this.line.spend(call.usd * part);
    this.line.exit(call.id);
  }

  get isWaiting(): boolean {
    return this.calls.length > 0;
  }
}

const machines = fc.integer({ min: 0, max: 3 });
/** Mostly whole, and now and then nothing. */
const PART = fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }));
const STEP = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('enter'),
      by: machines,
      size: fc.double({ min: 0.2, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('asks'),
      by: machines,
      fate: fc.constantFrom('heard', 'heard', 'slow', 'slow', 'lost', 'unheard'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ends'), by: machines, part: PART }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('starts'), by: machines }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('late'), by: machines }) },
);
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;

const isUnderWay = (call: Call): boolean => call.isUnderWay;

/** What all may come to have spent when everything under way costs as much as it may. */
function mostSpent(all: readonly Machine[]): number {
  return all.reduce(
    (sum, { spentUsd, calls }) =>
      sum + spentUsd + calls.reduce((own, call) => own + (call.isUnderWay ? call.usd : 0), 0),
    0,
  );
}

function act(
  kept: Kept,
  all: readonly Machine[],
  requests: Array<[string, TeamRequest]>,
  step: Step,
): void {
  const machine = all[step.by];
  if (machine === undefined) return;
  if ('size' in step) machine.enter(step.size * MOST_USD);
  else if ('part' in step) machine.end(step.part);
  else if ('fate' in step) {
    if (machine.arrive()) return;
    const request = machine.request();
    requests.push([machine.name, request]);
    if (step.fate === 'lost') return;
    const answer = kept.settle(machine.name, request);
    if (step.fate === 'unheard') return;
    machine.coming = answer;
    if (step.fate === 'heard') machine.arrive();
  } else if (step.kind === 'starts') machine.start();
  else {
    // What was sent long ago arrives now, perhaps once more.
    const [name, request] = requests.at(-2) ?? [];
    if (name !== undefined && request !== undefined) kept.settle(name, request);
  }
}

describe('homes that spend from one budget', () => {
  it('never have more under way than one call above the cap, whatever is lost, late or doubled', () => {
    fc.assert(
      fc.property(fc.array(STEP, { minLength: 40, maxLength: 160 }), (steps) => {
        const kept = new Kept();
        const all = ['a', 'b', 'c', 'd'].map((name) => new Machine(name));
        const requests: Array<[string, TeamRequest]> = [];
        for (const step of steps) {
          act(kept, all, requests, step);
          // Only who is alone may go over it.
          const isAlone = all.flatMap(({ calls }) => calls.filter(isUnderWay)).length < 2;
          expect(mostSpent(all)).toBeLessThanOrEqual(CAP_USD + (isAlone ? MOST_USD : 0) + 1e-6);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('serve every call until the money is spent', () => {
    fc.assert(
      fc.property(
        fc.array(STEP, { maxLength: 60 }),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        (steps, part) => {
          const kept = new Kept();
          const all = ['a', 'b', 'c', 'd'].map((name) => new Machine(name));
          for (const step of steps) act(kept, all, [], step);
          for (let round = 0; round < 400 && all.some((each) => each.isWaiting); round++) {
            for (const each of all) {
              each.hear(kept.settle(each.name, each.request()));
              each.start();
              each.end(part);
            }
          }
          const spent = all.reduce((sum, { spentUsd }) => sum + spentUsd, 0);
          const isServed = all.every(({ isWaiting }) => !isWaiting);
          expect(isServed || spent >= CAP_USD - 1e-6).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('let one call at a time over the cap, of who has waited longest', () => {
    const kept = new Kept();
    const [a, b] = [new Machine('a'), new Machine('b')];
    const ask = (each: Machine): void => each.hear(kept.settle(each.name, each.request()));
    a.enter(0.95);
    ask(a);
    a.start();
    for (const each of [b, a]) {
      each.enter(0.2);
      ask(each);
      each.start();
    }
    expect(a.calls.filter(({ isUnderWay }) => isUnderWay)).toHaveLength(1);
    a.end(1);
    // The one that came later asks first.
    for (const each of [a, b, a]) {
      ask(each);
      each.start();
    }
    expect(a.calls.some(({ isUnderWay }) => isUnderWay)).toBe(false);
    expect(b.calls.some(({ isUnderWay }) => isUnderWay)).toBe(true);
  });

  it('do without the room of a process that fell silent, and count what its home spent', () => {
    const kept = new Kept();
    const [a, b] = [new Machine('a'), new Machine('b')];
    a.enter(0.4);
    a.hear(kept.settle('a', a.request()));
    a.start();
    a.end(1);
    a.enter(0.5);
    a.hear(kept.settle('a', a.request()));
    a.start();
    b.enter(0.3);
    b.hear(kept.settle('b', b.request()));
    b.start();
    expect(b.calls[0]?.isUnderWay).toBe(false);
    kept.now += 11_000;
    const answer = kept.settle('b', b.request());
    b.hear(answer);
    b.start();
    expect(b.calls[0]?.isUnderWay).toBe(true);
    expect(answer.spentElsewhere).toEqual([{ scope: SCOPE, label: LABEL, usd: 0.4 }]);
  });

  it('of which one has left share what is left among those that are there', () => {
    const kept = new Kept();
    for (const name of ['a', 'b', 'c']) kept.settle(name, new Machine(name).request());
    const late = new Machine('d');
    expect(kept.settle('d', late.request()).homes).toBe(4);
    kept.state = forgetMember(kept.state, 'b');
    expect(kept.settle('d', late.request()).homes).toBe(3);
  });

  it('keep the sum of homes that are long gone, however many there were', () => {
    const kept = new Kept();
    for (let at = 0; at < 100; at++) {
      const machine = new Machine(`home-${at}`);
      machine.spentUsd = 0.01;
      kept.settle(machine.name, machine.request());
    }
    const { spentElsewhere } = kept.settle('last', new Machine('last').request());
    expect(spentElsewhere[0]?.usd).toBeCloseTo(1, 9);
    expect(kept.state.homes.size).toBeLessThanOrEqual(33);
  });
});
