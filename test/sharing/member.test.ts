import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from '../../src/base/logger.ts';
import { Redactor } from '../../src/base/redact.ts';
import type { Fact, Membership, Statement, Told } from '../../src/pool/sharing.ts';
import { exchange } from '../../src/sharing/coordination/coordination.ts';
import { createState, type SharedState } from '../../src/sharing/coordination/shared-state.ts';
import { Member } from '../../src/sharing/member.ts';
import {
  type Exchange,
  type ExchangeAnswer,
  type Link,
  LinkDown,
} from '../../src/sharing/protocol.ts';
import { row } from './exchanges.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const NOTHING: Statement = {
  rows: [],
  measured: [],
  unmeasured: [],
  tries: [],
  asks: [],
  waits: false,
};
const BUSY: Statement = { ...NOTHING, rows: [row({ inFlight: 1 })] };

/** A member with one pool that says what it is told to, on a link to the pure coordinator. */
class Desk {
  state: SharedState = createState('first');
  isUp = true;
  statement: Statement = NOTHING;
  known: readonly Fact[] = [];
  readonly asked: Exchange[] = [];
  readonly told: Told[] = [];
  readonly lost: number[] = [];
  readonly lines: string[] = [];
  readonly member: Member;
  readonly membership: Membership;

  constructor() {
    const link: Link = {
      exchange: (request) => this.#answer(request),
      leave: async () => {},
      view: { kind: 'socket', isUp: true, since: 0, role: 'member', problem: null },
    };
    const write = (line: string): void => {
      this.lines.push(line);
    };
    this.member = new Member({
      link,
      logger: createLogger({ level: 'info', redactor: new Redactor(), write }),
      idOf: (words) => words.join('-'),
    });
    this.membership = this.member.join({
      provider: 'deepseek',
      state: () => this.statement,
      hear: (told) => void this.told.push(told),
      lost: (processes) => void this.lost.push(processes),
      facts: () => this.known,
      joined: () => [],
    });
  }

  async #answer(request: Exchange): Promise<ExchangeAnswer> {
    this.asked.push(request);
    if (!this.isUp) throw new LinkDown('nobody answers');
    const { state, answer } = exchange(this.state, 'me', request, Date.now());
    this.state = state;
    return answer;
  }

  pass(ms: number): Promise<unknown> {
    return vi.advanceTimersByTimeAsync(ms);
  }
}

describe('a member', () => {
  it('asks once for everything that happens in one turn', async () => {
    const desk = new Desk();
    for (let turn = 0; turn < 5; turn++) desk.membership.ask();
    await desk.pass(0);
    expect(desk.asked.length).toBe(1);
  });

  it('speaks four times a second while it is busy, and not at all while it is not', async () => {
    const desk = new Desk();
    desk.statement = BUSY;
    desk.membership.ask();
    await desk.pass(1_000);
    expect(desk.asked.length).toBe(5);
    desk.statement = NOTHING;
    await desk.pass(250);
    const last = desk.asked.length;
    await desk.pass(60_000);
    expect(desk.asked.length).toBe(last);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('asks again soon while calls wait', async () => {
    const desk = new Desk();
    const rows = [row({ waitingInteractive: 1, probeMs: 640 })];
    desk.statement = { ...NOTHING, rows, waits: true };
    desk.membership.ask();
    await desk.pass(100);
    expect(desk.asked.length).toBe(11);
  });

  it('tells a report until it is taken in, and once', async () => {
    const desk = new Desk();
    desk.isUp = false;
    desk.membership.report({ kind: 'works', id: 'key' });
    await desk.pass(0);
    desk.isUp = true;
    await desk.pass(2_000);
    expect(desk.state.facts.get('key')?.works).toBe(true);
    const withReports = desk.asked.filter(({ reports }) => reports.length > 0);
    expect(withReports.length).toBe(2);
  });

  it('is not told of what it has told otherwise since', async () => {
    const desk = new Desk();
    desk.membership.report({ kind: 'works', id: 'key' });
    desk.membership.ask();
    // Between question and answer the key was found dead.
    void Promise.resolve()
      .then(() => {})
      .then(() => desk.membership.report({ kind: 'out', id: 'key', checks: 0, checkInMs: 9 }));
    await desk.pass(10);
    const facts = desk.told.flatMap((told) => told.facts);
    expect(facts.at(-1)).toMatchObject({ id: 'key', isOut: true });
  });

  it('tells a new coordinator what it knows', async () => {
    const desk = new Desk();
    desk.statement = BUSY;
    desk.membership.ask();
    await desk.pass(0);
    desk.known = [
      {
        id: 'key',
        generation: 4,
        isOut: true,
        checks: 1,
        checkInMs: 5_000,
        restsMs: 0,
        works: false,
      },
    ];
    desk.state = createState('second');
    await desk.pass(300);
    expect(desk.state.facts.get('key')).toMatchObject({ isOut: true, generation: 4 });
  });

  it('lets its pools go on alone when nobody answers, and comes back; the link says so, and it does not say it again', async () => {
    const desk = new Desk();
    desk.statement = BUSY;
    desk.membership.ask();
    await desk.pass(0);
    expect(desk.membership.isShared).toBe(true);
    desk.isUp = false;
    await desk.pass(10_000);
    expect(desk.membership.isShared).toBe(false);
    expect(desk.lost).toEqual([1]);
    expect(desk.member.view.isUp).toBe(false);
    desk.isUp = true;
    await desk.pass(1_100);
    expect(desk.membership.isShared).toBe(true);
    expect(desk.lines).toEqual([]);
  });

  it('says and hears nothing any more when it has left', async () => {
    const desk = new Desk();
    desk.statement = BUSY;
    desk.membership.ask();
    await desk.pass(0);
    await desk.member.leave();
    desk.membership.report({ kind: 'works', id: 'key' });
    await desk.pass(10_000);
    expect(desk.asked.length).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
