import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../../src/base/errors.ts';
import { fail } from '../../../src/pool/records/course/failing.ts';
import type { Scene } from '../../../src/pool/records/effect.ts';
import { attemptAt, failureOf, place, sceneOf, type TestPlace } from './scene.ts';

/** The one attempt of a fresh pool fails after 60 ms. */
function failed(
  kind: FailureKind,
  status: number | null,
  where = place(),
  more: Partial<Scene> = {},
) {
  const failure = failureOf(kind, { status });
  const scene = sceneOf(where, attemptAt(where, 0), 60, more);
  return { ...fail(scene, { kind: 'failure', failure, isRecalled: false }), where };
}

/** Another key was answered a moment ago. */
function withGoodNeighbour(): TestPlace {
  const where = place();
  const { evidence } = where.provider;
  const seen = { at: 50, sentAt: 10, call: 7, speedClass: 'deepseek-flash', outageKind: false };
  evidence.push({ ...seen, key: 'DEEPSEEK_API_KEY_2', ok: true });
  return where;
}

describe('whose fault it was', () => {
  it('a rejected key is out until a check says otherwise, and another one tries', () => {
    const { next, effects, where } = failed('invalid_key', 401);
    expect(next).toBe('again');
    expect(effects).toEqual([{ kind: 'open-key', forMs: null }]);
    expect(where.key.disabled).not.toBeNull();
    expect(where.account.disabled).toBeNull();
  });

  it('no money is the account’s, not the key’s', () => {
    const { next, effects, where } = failed('no_credit', 402);
    expect(next).toBe('again');
    expect(effects).toEqual([{ kind: 'open-account' }]);
    expect(where.account.disabled).not.toBeNull();
    expect(where.key.disabled).toBeNull();
  });

  it('a bad request ends its call, and costs the key nothing but proves it', () => {
    const { next, effects, where } = failed('bad_request', 400);
    expect(next).toBe('end');
    expect(effects).toEqual([]);
    expect(where.key).toMatchObject({ failures: 0, proven: true, disabled: null });
  });

  it('a limit is nobody’s fault, and gives the slot back as if the call had never been there', () => {
    const { next, outcome, where } = failed('concurrency', 429);
    expect(next).toBe('again');
    expect(outcome).toMatch(/^account_/);
    expect(where.key.failures).toBe(0);
    expect(where.lane.stays).toEqual([]);
  });

  it('a 500 while another key was fine is the key’s, one alone nobody’s yet', () => {
    expect(failed('server_error', 500, withGoodNeighbour())).toMatchObject({
      outcome: 'key_error',
      next: 'retry-elsewhere',
    });
    const alone = failed('server_error', 500);
    expect(alone).toMatchObject({ outcome: 'provider_error', next: 'retry', effects: [] });
    expect(alone.where.key.failures).toBe(0);
    expect(alone.where.key.suspectUntil).toBeGreaterThan(60);
  });

  it('two faults in a row open the breaker of a key, and each time for longer', () => {
    const where = withGoodNeighbour();
    expect(failed('server_error', 500, where).effects).toEqual([]);
    const [first] = failed('server_error', 500, where).effects;
    const { effects } = failed('server_error', 500, where, { keyGate: 'half-open' });
    const [second] = effects;
    const msOf = (effect: typeof first): number =>
      effect?.kind === 'open-key' ? (effect.forMs ?? 0) : 0;
    expect(msOf(first)).toBeGreaterThan(0);
    expect(msOf(second)).toBeGreaterThan(msOf(first));
  });

  it('while the provider is down nothing is the key’s', () => {
    const { outcome, next, where } = failed('overloaded', 503, withGoodNeighbour(), {
      providerGate: 'open',
    });
    expect({ outcome, next }).toEqual({ outcome: 'provider_error', next: 'again' });
    expect(where.key.failures).toBe(0);
  });

  it('a cancelled call costs nobody anything, and stays at the upstream for a moment', () => {
    const where = place();
    const attempt = attemptAt(where, 0);
    const verdict = fail(sceneOf(where, attempt, 60, { isStopped: true }), {
      kind: 'cancelled',
      failure: null,
    });
    expect(verdict).toMatchObject({ outcome: 'cancelled', next: 'end', effects: [] });
    expect(where.key.failures).toBe(0);
    expect(where.lane.stays[0]?.endAt).toBeGreaterThan(60);
  });

  it('a trial that proved nothing passes its token on', () => {
    const where = place();
    const attempt = attemptAt(where, 0, { isKeyTrial: true, isProviderTrial: true });
    const { effects } = fail(sceneOf(where, attempt, 60), { kind: 'bug' });
    expect(effects).toEqual([{ kind: 'pass-key-trial' }, { kind: 'pass-provider-trial' }]);
  });
});
