import { beforeAll, describe, expect, it } from 'vitest';
import type { VirtualClock } from '../../lab/pool/simulation/virtual-clock.ts';
import { type UpstreamSpec, USUAL } from '../../lab/pool/simulation/virtual-upstream.ts';
import { type SharedRun, simulateShared } from '../../lab/sharing/simulate-shared.ts';
import type { LabCoordinator } from '../../lab/sharing/virtual-links.ts';
import { exchange } from '../../src/sharing/coordination/coordination.ts';
import { packState, unpackState } from '../../src/sharing/coordination/packed-state.ts';
import { speedsOf } from '../../src/sharing/coordination/shared-speeds.ts';
import { createState, type SharedState } from '../../src/sharing/coordination/shared-state.ts';
import { says } from './exchanges.ts';

const MINUTE = 60_000;
const SEED = 1;

/** Two accounts of one key each, so many times as slow as usual. */
function accounts(...slow: readonly number[]): UpstreamSpec {
  return {
    accounts: slow.map(() => ({ capacity: 8 })),
    keys: slow.map((factor, account) => ({ account, slow: factor })),
    ...USUAL,
  };
}

function calls(count: number, gapMs: number) {
  return Array.from({ length: count }, (_, index) => ({
    client: 0,
    at: gapMs * index,
    work: { tokens: 50 + ((37 * index) % 200) },
    timeoutMs: 300_000,
  }));
}

function run(
  upstream: UpstreamSpec,
  arrivals: ReturnType<typeof calls>,
  inherits?: SharedState,
): Promise<SharedRun> {
  const each = { upstream, clients: 1, arrivals, maxConcurrent: 64 };
  return simulateShared(inherits ? { ...each, inherits } : each, 'shared', SEED);
}

/** As read by a process that is started so much later. */
function keptFor(ageMs: number, { known }: SharedRun): SharedState {
  const kept = unpackState(JSON.parse(JSON.stringify(packState(known, MINUTE))), 0, ageMs);
  if (kept === null) throw new Error('not believed');
  return kept;
}

const withoutSpeeds = (state: SharedState): SharedState => ({ ...state, speeds: new Map() });

describe('how fast accounts were when the last process ended', () => {
  let before: SharedRun;
  beforeAll(async () => {
    before = await run(accounts(5, 1), calls(40, 1_000));
  });

  it.each([
    ['all at once', 0],
    ['one a second', 1_000],
  ])('sends the first calls of the next one to the fast one: %s', async (_name, gapMs) => {
    const kept = keptFor(10 * MINUTE, before);
    const [slow] = (await run(accounts(5, 1), calls(8, gapMs), kept)).byKey;
    expect(slow).toBe(0);
    const [blind] = (await run(accounts(5, 1), calls(8, gapMs), withoutSpeeds(kept))).byKey;
    expect(blind).toBeGreaterThanOrEqual(4);
  });

  it('is not forgotten for calls that have not ended yet', async () => {
    const kept = keptFor(10 * MINUTE, before);
    const arrivals = calls(16, 0);
    const during: SharedState[] = [];
    const trouble = async (hub: LabCoordinator, clock: VirtualClock): Promise<void> => {
      await clock.sleep(800);
      during.push(hub.state);
    };
    const each = { upstream: accounts(5, 1), clients: 1, arrivals, maxConcurrent: 64 };
    const { byKey } = await simulateShared({ ...each, inherits: kept, trouble }, 'shared', SEED);
    expect(byKey[0]).toBeGreaterThan(0);
    expect(during[0]?.members.size).toBe(1);
    expect(during[0]?.speeds).toEqual(kept.speeds);
  });

  it('leaves no slot of the slow one unused while calls wait', async () => {
    const kept = keptFor(10 * MINUTE, before);
    const { byKey, ends } = await run(accounts(5, 1), calls(16, 0), kept);
    expect(ends.every(({ ok }) => ok)).toBe(true);
    expect(byKey[0]).toBeGreaterThan(4);
  });

  it.each([
    ['eight at once', 8, 0],
    ['sixteen at once', 16, 0],
    ['eight, one a second', 8, 1_000],
    ['thirty, one a second', 30, 1_000],
  ])(
    'costs a few calls where the fast one has become the slow one: %s',
    async (_name, count, gapMs) => {
      const kept = keptFor(MINUTE, before);
      const misled = await run(accounts(1, 5), calls(count, gapMs), kept);
      const blind = await run(accounts(1, 5), calls(count, gapMs), withoutSpeeds(kept));
      expect(misled.ends.every(({ ok }) => ok)).toBe(true);
      const [, slow = 0] = misled.byKey;
      expect(slow).toBeLessThanOrEqual((blind.byKey[1] ?? 0) + 5);
    },
  );

  it('says less every hour, and nothing after six', async () => {
    const [key = ''] = [...before.known.speeds.values()]
      .filter(({ speed }) => speed.kind === 'key' && speed.ratio > 2)
      .map(({ speed }) => speed.id);
    const after = (hours: number) => speedsOf(keptFor(hours * 60 * MINUTE, before), [key], 0)[0];
    const ratios = [0, 1, 3, 5]
      .map((hours) => after(hours))
      .map((told) => {
        return told?.kind === 'key' ? told.ratio : null;
      });
    expect(ratios[0]).toBeGreaterThan(4);
    expect(ratios).toEqual([...ratios].sort((a, b) => Number(b) - Number(a)));
    expect(ratios[3]).toBeLessThan(1.1);
    expect(after(7)).toBeUndefined();
  });
});

describe('how fast accounts are', () => {
  it('is what was measured last, whichever word comes last', () => {
    const word = (ratio: number, agoMs: number) =>
      ({ kind: 'key', id: 'key', agoMs, ratio }) as const;
    const after = (...words: ReadonlyArray<readonly ReturnType<typeof word>[]>) =>
      words.reduce((state, measured, index) => {
        const { state: next } = exchange(state, `process-${index}`, says(1, { measured }), 1_000);
        return next;
      }, createState('here'));
    for (const words of [
      [[word(3, 10)], [word(1, 500)]],
      [[word(1, 500)], [word(3, 10)]],
    ]) {
      expect(after(...words).speeds.get('key')).toMatchObject({ at: 990, speed: { ratio: 3 } });
    }
  });

  it('a process that comes later knows from the one that is there', async () => {
    const arrivals = [
      ...calls(40, 1_000),
      ...calls(8, 0).map((call) => ({ ...call, client: 1, at: 60_000 })),
    ];
    const each = { upstream: accounts(5, 1), clients: 2, arrivals, maxConcurrent: 64 };
    const shared = await simulateShared(each, 'shared', SEED);
    const alone = await simulateShared({ ...each, arrivals: calls(40, 1_000) }, 'shared', SEED);
    expect((shared.byKey[0] ?? 0) - (alone.byKey[0] ?? 0)).toBeLessThanOrEqual(1);
  });
});
