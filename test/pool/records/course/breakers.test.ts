/** The breakers of a key and of the provider: when they open, for how long, and what closes them. */

import { describe, expect, it } from 'vitest';
import { write } from '../../../../src/pool/records/course/course.ts';
import { fail } from '../../../../src/pool/records/course/failing.ts';
import type { Scene } from '../../../../src/pool/records/effect.ts';
import { timingFor } from '../../../../src/pool/rules/timing.ts';
import {
  attemptAt,
  failed,
  failureOf,
  place,
  sceneOf,
  type TestPlace,
  withGoodNeighbour,
} from '../scene.ts';

describe('a breaker of a key', () => {
  const open = (where: TestPlace, now: number, more: Partial<Scene> = {}): number | null => {
    const attempt = attemptAt(where, now - 60, { isKeyTrial: true });
    const [first] = where.provider.evidence;
    if (first !== undefined) where.provider.evidence[0] = { ...first, at: now };
    const failure = failureOf('server_error', { status: 500 });
    const { effects } = fail(sceneOf(where, attempt, now, more), {
      kind: 'failure',
      failure,
      isRecalled: false,
    });
    const [effect] = effects;
    return effect?.kind === 'open-key' ? effect.forMs : null;
  };

  it('opens for a trial that failed, twice as long each time, anew after a quiet spell', () => {
    const where = withGoodNeighbour();
    const { openMaxMs } = timingFor(where.provider.pace);
    const first = open(where, 60) ?? 0;
    expect(first).toBe(250);
    expect(where.key).toMatchObject({ trips: 0, trippedAt: 60, faultsInRow: 0, failures: 1 });
    expect(where.key.tripReason).toBe('server errors from DeepSeek (5xx)');
    expect(open(where, 100)).toBe(2 * first);
    expect(open(where, 200)).toBe(4 * first);
    expect(open(where, 200 + 2 * openMaxMs)).toBe(8 * first);
    expect(open(where, 201 + 4 * openMaxMs)).toBe(first);
  });

  it('stays open no longer for what was under way when it opened', () => {
    expect(open(withGoodNeighbour(), 60, { keyGate: 'open' })).toBeNull();
  });

  it('stays open within bounds, longer where a trial costs its caller long', () => {
    const where = withGoodNeighbour();
    where.key.trips = 20;
    where.key.trippedAt = 0;
    expect(open(where, 60)).toBe(timingFor(where.provider.pace).openMaxMs);
    const failure = failureOf('server_error', { status: 500 });
    const slow = attemptAt(where, 60, { isKeyTrial: true });
    const { effects } = fail(sceneOf(where, slow, 560), {
      kind: 'failure',
      failure,
      isRecalled: false,
    });
    expect(effects).toEqual([{ kind: 'open-key', forMs: 25_000 }]);
  });

  it('keeps its distance from others by chance', () => {
    expect(open(withGoodNeighbour(), 60, { chance: 0 })).toBe(200);
    expect(open(withGoodNeighbour(), 60, { chance: 1 })).toBeCloseTo(300, 6);
  });
});

describe('an outage', () => {
  /** Three calls on the one key there is were overloaded. */
  function down(where = place(), more: Partial<Scene> = {}) {
    failed('overloaded', 503, where, more);
    failed('overloaded', 503, where, more);
    return failed('overloaded', 503, where, more);
  }

  it('stops all calls for a moment, and forgives the keys what they were suspected of', () => {
    const where = place();
    where.provider.ramp = 7;
    where.key.faultsInRow = 1;
    const { effects, next, outcome } = down(where, { chance: 0 });
    expect({ next, outcome }).toEqual({ next: 'again', outcome: 'provider_error' });
    const { outageMs } = timingFor(where.provider.pace);
    expect(effects).toEqual([{ kind: 'open-provider', forMs: 0.75 * outageMs }]);
    expect(where.provider).toMatchObject({ outageSince: 60, ramp: null });
    expect(where.key).toMatchObject({ faultsInRow: 0, suspicions: 0, suspectUntil: 60 });
  });

  it('is not made of calls that were sent before the provider came back', () => {
    const where = place();
    where.provider.healedAt = 1;
    expect(down(where).effects).toEqual([]);
    expect(where.provider.outageSince).toBeNull();
  });

  it('is told by calls of its time alone', () => {
    const where = place();
    failed('overloaded', 503, where);
    failed('overloaded', 503, where);
    where.provider.healedAt = 1;
    expect(failed('overloaded', 503, where).effects).toEqual([]);
    where.provider.healedAt = 0;
    expect(failed('overloaded', 503, where).effects).toHaveLength(1);
  });

  it('goes on after a trial that was of no key', () => {
    const where = place();
    down(where);
    const attempt = attemptAt(where, 1_000, { isProviderTrial: true });
    const scene = sceneOf(where, attempt, 1_060, { providerGate: 'half-open' });
    const failure = failureOf('overloaded', { status: 503 });
    const { effects } = fail(scene, { kind: 'failure', failure, isRecalled: false });
    expect(effects).toEqual([
      { kind: 'open-provider', forMs: 1_000 / 6 },
      { kind: 'pass-provider-trial' },
    ]);
  });

  it('leaves the calls that were taken before it out of those that may come at first', () => {
    const where = place();
    where.provider.rampInFlight = 3;
    const attempt = attemptAt(where, 1_000, { isProviderTrial: true });
    const scene = sceneOf(where, attempt, 1_060, { providerGate: 'half-open' });
    write({ kind: 'survived' }, scene);
    expect(where.provider.ramp).toBe(7);
  });

  it('goes on with the same beginning while trials fail', () => {
    const where = place();
    down(where);
    const attempt = attemptAt(where, 1_000, { isKeyTrial: true, isProviderTrial: true });
    const scene = sceneOf(where, attempt, 6_060, { providerGate: 'half-open' });
    const failure = failureOf('overloaded', { status: 503 });
    const { effects, next } = fail(scene, { kind: 'failure', failure, isRecalled: false });
    expect(next).toBe('again');
    expect(effects).toEqual([
      { kind: 'pass-key-trial' },
      { kind: 'open-provider', forMs: 1_000 },
      { kind: 'pass-key-trial' },
      { kind: 'pass-provider-trial' },
    ]);
    expect(where.provider.outageSince).toBe(60);
  });

  it('ends with the trial that is answered, and is over with the first answer since', () => {
    const where = place();
    down(where);
    const attempt = attemptAt(where, 1_000, { isProviderTrial: true });
    const { effects } = write(
      { kind: 'first-byte' },
      sceneOf(where, attempt, 1_060, { providerGate: 'half-open' }),
    );
    expect(effects).toEqual([{ kind: 'close-provider' }, { kind: 'wake' }]);
    expect(where.provider).toMatchObject({ healedAt: 1_060, ramp: 4, outageSince: null });
  });

  it('ends with a trial that is not refused, and is over only with an answer', () => {
    const where = place();
    down(where);
    const attempt = attemptAt(where, 1_000, { isProviderTrial: true });
    const { effects } = write(
      { kind: 'survived' },
      sceneOf(where, attempt, 1_060, { providerGate: 'half-open' }),
    );
    expect(effects).toEqual([{ kind: 'close-provider' }, { kind: 'wake' }]);
    expect(where.provider).toMatchObject({ healedAt: 1_060, ramp: 4, outageSince: 60 });
    const older = attemptAt(where, 1_059);
    write({ kind: 'first-byte' }, sceneOf(where, older, 1_070));
    expect(where.provider.outageSince).toBe(60);
    const since = attemptAt(where, 1_060);
    write({ kind: 'first-byte' }, sceneOf(where, since, 1_080));
    expect(where.provider.outageSince).toBeNull();
  });

  it('does not end with other calls, nor with one that comes when it has ended', () => {
    const where = place();
    const event = { kind: 'first-byte' } as const;
    const other = sceneOf(where, attemptAt(where, 0), 60, { providerGate: 'half-open' });
    expect(write(event, other).effects).toEqual([{ kind: 'wake' }]);
    const late = sceneOf(where, attemptAt(where, 0, { isProviderTrial: true }), 60);
    expect(write(event, late).effects).toEqual([{ kind: 'wake' }]);
  });

  it('is followed by more and more calls, until there are as many as there may be', () => {
    const where = place();
    Object.assign(where.provider, { ramp: 4, healedAt: 100 });
    const taken = (sentAt: number) => {
      write({ kind: 'accepted' }, sceneOf(where, attemptAt(where, sentAt), 160));
      return where.provider.ramp;
    };
    expect([taken(99), taken(100), taken(101), taken(102)]).toEqual([4, 6, 8, null]);
  });
});
