import { describe, expect, it } from 'vitest';
import { scenariosAt } from '../../lab/pool/scenarios.ts';
import { simulate } from '../../lab/pool/simulation/simulate.ts';
import {
  type KeySpec,
  type UpstreamSpec,
  USUAL,
} from '../../lab/pool/simulation/virtual-upstream.ts';
import { BURST_ROWS, burstCase } from '../../lab/sharing/cases.ts';
import { memberOn } from '../../lab/sharing/process.ts';
import { type SharedCase, simulateShared } from '../../lab/sharing/simulate-shared.ts';
import { LabCoordinator } from '../../lab/sharing/virtual-links.ts';

const TWO: UpstreamSpec = {
  accounts: [{ capacity: 8 }, { capacity: 8 }],
  keys: [{ account: 0 }, { account: 1 }],
  ...USUAL,
};

/** Some calls of each of so many processes, every `gapMs` one of each at the same instant. */
function callsOf(clients: number, keys: readonly KeySpec[], more: Partial<SharedCase> = {}) {
  const arrivals = Array.from({ length: clients * 6 }, (_, index) => ({
    client: index % clients,
    at: 2_500 * Math.floor(index / clients),
    work: { tokens: 100 },
    timeoutMs: 120_000,
  }));
  return { upstream: { ...TWO, keys }, clients, arrivals, maxConcurrent: 64, ...more };
}

const dead = (kind: 'invalid_key' | 'no_credit') => () => ({ kind });

describe('a process that is alone among those that may come', () => {
  it.each(['S1', 'S2', 'S4', 'S5', 'S6', 'U1', 'U2b'])(
    'does just what one without the others does: %s',
    async (name) => {
      const scenario = scenariosAt(1).find((each) => each.name === name);
      if (scenario === undefined) throw new Error('no scenario');
      const without = await simulate(scenario, 'keypool', 1);
      const hub = (clock: ConstructorParameters<typeof LabCoordinator>[0]) =>
        memberOn(new LabCoordinator(clock, () => 0.5).link('only'), 'only');
      const alone = await simulate(scenario, 'keypool', 1, hub);
      expect(Math.abs(alone.score - without.score)).toBeLessThan(0.01);
      expect(Math.abs(alone.counts.refused - without.counts.refused)).toBeLessThanOrEqual(2);
      expect(Math.abs(alone.counts.faults - without.counts.faults)).toBeLessThanOrEqual(4);
      expect(alone.leaked).toBe(0);
    },
    60_000,
  );
});

describe('what one process found out, all of them know', () => {
  it.each([
    [
      'a key of an account of its own',
      [{ account: 0 }, { account: 1, fault: dead('invalid_key') }],
    ],
    ['the second key of an account', [{ account: 0 }, { account: 0, fault: dead('invalid_key') }]],
    ['the first key', [{ account: 1, fault: dead('invalid_key') }, { account: 0 }]],
    [
      'two keys of an account without money',
      [
        { account: 0 },
        { account: 1, fault: dead('no_credit') },
        { account: 1, fault: dead('no_credit') },
      ],
    ],
  ])('a dead key costs eight processes one call: %s', async (_name, keys) => {
    const run = await simulateShared(callsOf(8, keys), 'shared', 1);
    expect(run.ends.filter((end) => !end.ok)).toEqual([]);
    expect(run.faults).toBe(1);
  });

  it('one of them asks whether a dead key is back, and then all use it', async () => {
    let asked = 0;
    const fault = (now: number) => (now < 5_000 ? { kind: 'invalid_key' as const } : null);
    const keys = [{ account: 1, fault }, { account: 0 }];
    const arrivals = Array.from({ length: 120 }, (_, index) => ({
      client: index % 8,
      at: 1_000 * index,
      work: { tokens: 100 },
      timeoutMs: 120_000,
    }));
    const probe = async (): Promise<'ok'> => {
      asked += 1;
      return 'ok';
    };
    const each = { ...callsOf(8, keys), arrivals, probe };
    const run = await simulateShared(each, 'shared', 1);
    expect(run.ends.filter((end) => !end.ok)).toEqual([]);
    expect(asked).toBe(1);
    expect(run.faults).toBe(1);
  });

  it('an outage is tried by one of them at a time', async () => {
    const fault = (now: number) =>
      now > 3_000 && now < 23_000 ? { kind: 'overloaded' as const } : null;
    const keys = [
      { account: 0, fault },
      { account: 1, fault },
    ];
    const one = await simulateShared(callsOf(1, keys), 'shared', 1);
    const shared = await simulateShared(callsOf(8, keys), 'shared', 1);
    const apart = await simulateShared(callsOf(8, keys), 'apart', 1);
    expect(shared.ends.filter((end) => !end.ok)).toEqual([]);
    // What it takes to notice is each process's own; the trials afterwards are not.
    expect(shared.faults).toBeLessThan(one.faults + 8 * 3);
    expect(shared.faults).toBeLessThan(apart.faults / 3);
  });
});

describe('keys of which nobody said whose they are', () => {
  it('are one account for a process that comes after another one has found it', async () => {
    const calls = (client: number, at: number, count: number) =>
      Array.from({ length: count }, () => ({
        client,
        at,
        work: { tokens: 300 },
        timeoutMs: 600_000,
      }));
    const upstream: UpstreamSpec = {
      ...TWO,
      accounts: [{ capacity: 5 }],
      keys: [{ account: 0 }, { account: 0 }, { account: 0 }],
      isUnlabelled: true,
      refusal: { wording: 'numbers', ms: 0 },
    };
    const arrivals = [...calls(0, 0, 60), ...calls(1, 60_000, 1)];
    const each = { upstream, clients: 2, arrivals, maxConcurrent: 64 };
    const run = await simulateShared(each, 'shared', 1);
    expect(run.ends.filter((end) => !end.ok)).toEqual([]);
    expect(run.accounts).toEqual([1, 1]);
  });
});

describe('a burst in one of three processes', () => {
  it.each(BURST_ROWS.map((row) => [row.title, row] as const))(
    'does not starve the others: %s',
    async (_title, row) => {
      const waits = async (together: 'apart' | 'shared'): Promise<number> => {
        const run = await simulateShared(burstCase(row, 3), together, 3);
        expect(run.leaked).toBe(0);
        const others = run.ends.filter(({ client }) => client !== 0);
        return others.reduce((sum, { latencyMs }) => sum + latencyMs, 0) / others.length;
      };
      const calm = await simulateShared(burstCase(row, 3, false), 'one', 3);
      const calmMs = calm.ends.reduce((sum, end) => sum + end.latencyMs, 0) / calm.ends.length;
      const sharedMs = await waits('shared');
      expect(sharedMs).toBeLessThan(await waits('apart'));
      expect(sharedMs).toBeLessThan(1.5 * calmMs);
    },
    60_000,
  );
});

describe('a coordinator that is not there', () => {
  const light = (more: Partial<SharedCase>): SharedCase => callsOf(3, TWO.keys, more);

  it.each([
    ['from the start', 0],
    ['from the middle of the run on', 4_000],
  ])('costs no call more than 50 ms, once: %s', async (_name, at) => {
    const usual = await simulateShared(light({}), 'shared', 1);
    const trouble = async (
      hub: LabCoordinator,
      clock: { sleep(ms: number): Promise<void> },
    ): Promise<void> => {
      await clock.sleep(at);
      hub.isUp = false;
    };
    const frozen = await simulateShared(light({ trouble }), 'shared', 1);
    expect(frozen.ends.filter((end) => !end.ok)).toEqual([]);
    const perCall = 80 + 800 + 100 * 20;
    for (const end of frozen.ends)
      expect(end.latencyMs).toBeLessThan(perCall * 1.05 + 2 * 50 + 200);
    expect(frozen.makespanMs).toBeLessThan(usual.makespanMs + 500);
  });

  it('and comes back: limits meet again', async () => {
    const trouble = async (
      hub: LabCoordinator,
      clock: { sleep(ms: number): Promise<void> },
    ): Promise<void> => {
      await clock.sleep(3_000);
      hub.isUp = false;
      await clock.sleep(2_000);
      hub.restart('another');
      hub.isUp = true;
    };
    const run = await simulateShared(light({ trouble }), 'shared', 1);
    expect(run.ends.filter((end) => !end.ok)).toEqual([]);
    expect(run.refused).toBeLessThan(20);
  });
});

describe('a link that loses what it carries', () => {
  const weather = { delayMs: [0, 26], lost: 0.08, doubled: 0.1 } as const;
  const perCall = 800 + 100 * 20;

  it.each([1, 2, 4])(
    'delays calls to an account of %i by its own waits alone, not by long rests',
    async (capacity) => {
      const upstream = { ...TWO, accounts: [{ capacity }], keys: [{ account: 0 }] };
      const arrivals = callsOf(8, upstream.keys).arrivals.map((each) => {
        return { ...each, at: 0, timeoutMs: 600_000 };
      });
      const run = await simulateShared(
        { ...callsOf(8, upstream.keys), upstream, arrivals, weather },
        'shared',
        1,
      );
      expect(run.ends.filter((end) => !end.ok)).toEqual([]);
      expect(run.leaked).toBe(0);
      expect(run.makespanMs).toBeLessThan((1.5 * perCall * arrivals.length) / capacity);
    },
    60_000,
  );
});

describe('what was known when the last process ended', () => {
  const keys = [{ account: 0 }, { account: 1 }, { account: 1, fault: dead('invalid_key') }];
  const arrivals = Array.from({ length: 48 }, () => ({
    client: 0,
    at: 0,
    work: { tokens: 200 },
    timeoutMs: 120_000,
  }));
  const each = { ...callsOf(1, keys), arrivals };

  it('spares the next one the search for limits, and calls to dead keys', async () => {
    const first = await simulateShared(each, 'shared', 1);
    expect(first.faults).toBe(1);
    const next = await simulateShared({ ...each, inherits: first.known }, 'shared', 2);
    expect(next.ends.filter((end) => !end.ok)).toEqual([]);
    expect(next.faults).toBe(0);
    expect(next.refused).toBeLessThanOrEqual(2 * TWO.accounts.length);
    expect(next.refused).toBeLessThan(first.refused / 3);
  });
});
