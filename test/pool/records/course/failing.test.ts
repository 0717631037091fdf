import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../../../src/base/errors.ts';
import { write } from '../../../../src/pool/records/course/course.ts';
import { type Failed, fail, type Verdict } from '../../../../src/pool/records/course/failing.ts';
import { timingFor } from '../../../../src/pool/rules/timing.ts';
import { attemptAt, failed, failureOf, place, sceneOf, withGoodNeighbour } from '../scene.ts';

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
  it('a trial that had its first byte has proved something, whatever came of it', () => {
    const where = place();
    const attempt = attemptAt(where, 0, { isKeyTrial: true, isProviderTrial: true });
    attempt.hasFirstByte = true;
    expect(fail(sceneOf(where, attempt, 60), { kind: 'bug' }).effects).toEqual([]);
  });

  it.each<[FailureKind, number | null, Partial<Verdict>]>([
    ['forbidden', 403, { outcome: 'key_forbidden', next: 'again', effects: [] }],
    ['empty', 200, { outcome: 'caller_error', next: 'end', effects: [] }],
    ['no_answer', 200, { outcome: 'provider_error', next: 'redraw', effects: [] }],
    ['redirect', 302, { outcome: 'provider_error', next: 'end', effects: [] }],
    ['proxy', null, { outcome: 'provider_error', next: 'end', effects: [] }],
    ['deadline', null, { outcome: 'caller_timeout', next: 'end', effects: [] }],
    ['invalid_key', 401, { outcome: 'key_rejected', next: 'again' }],
    ['no_credit', 402, { outcome: 'account_no_credit', next: 'again' }],
    ['balance_limit', 429, { outcome: 'account_rate_limited', next: 'again' }],
    ['unreachable', null, { outcome: 'provider_error', next: 'retry', effects: [] }],
  ])('%s: what is counted, and what follows', (kind, status, verdict) => {
    expect(failed(kind, status)).toMatchObject(verdict);
  });

  it('a caller who goes away, or a bug of ours, ends the call', () => {
    const where = place();
    const end = (given: Failed) => fail(sceneOf(where, attemptAt(where, 0), 60), given);
    expect(end({ kind: 'bug' })).toMatchObject({ outcome: 'caller_error', next: 'end' });
    expect(end({ kind: 'slow' })).toMatchObject({ outcome: 'key_error', next: 'again' });
    expect(where.key).toMatchObject({ failures: 0, inFlight: 0, lastError: null });
  });

  it('a refusal that comes for a cancelled call is one all the same', () => {
    const where = place();
    const attempt = attemptAt(where, 0);
    const failure = failureOf('concurrency', { status: 429 });
    const scene = sceneOf(where, attempt, 60, { isStopped: true });
    expect(fail(scene, { kind: 'cancelled', failure }).outcome).toBe('cancelled');
    expect(where.lane).toMatchObject({ stays: [], inFlight: 0, limit: { capacity: 0 } });
    const other = place();
    const broken = { kind: 'cancelled', failure: failureOf('server_error') } as const;
    fail(sceneOf(other, attemptAt(other, 0), 60, { isStopped: true }), broken);
    expect(other.lane.limit.capacity).toBeNull();
    expect(other.provider.evidence).toEqual([]);
  });

  it('a key that may not use a model is not asked for it for five minutes', () => {
    const where = place();
    const attempt = attemptAt(where, 0, { isKeyTrial: true, isProviderTrial: true });
    const failure = failureOf('forbidden', { status: 403 });
    const scene = sceneOf(where, attempt, 60);
    expect(fail(scene, { kind: 'failure', failure, isRecalled: false }).effects).toEqual([
      { kind: 'pass-provider-trial' },
      { kind: 'pass-key-trial' },
    ]);
    expect(where.key).toMatchObject({ failures: 1, disabled: null });
    expect(where.key.forbiddenUntil).toEqual(new Map([['deepseek-flash', 300_060]]));
    expect(where.lane.stays).toEqual([]);
  });

  it('a refused trial of the provider is passed on', () => {
    const where = place();
    const attempt = attemptAt(where, 0, { isKeyTrial: true, isProviderTrial: true });
    const failure = failureOf('invalid_key', { status: 401 });
    const { effects } = fail(sceneOf(where, attempt, 60), {
      kind: 'failure',
      failure,
      isRecalled: false,
    });
    expect(effects).toEqual([{ kind: 'pass-provider-trial' }, { kind: 'open-key', forMs: null }]);
  });

  it('the last error of a key is told in our words, with its time', () => {
    const { where } = failed('server_error', 500);
    expect(where.key.lastError?.text).toBe('server errors from DeepSeek (5xx)');
    expect(Date.parse(where.key.lastError?.at ?? '')).toBeGreaterThan(0);
  });

  it('a call that was taken and then refused for its content was there', () => {
    const taken = place();
    const attempt = attemptAt(taken, 0);
    write({ kind: 'accepted' }, sceneOf(taken, attempt, 20));
    const failure = failureOf('empty', { status: 200 });
    fail(sceneOf(taken, attempt, 60), { kind: 'failure', failure, isRecalled: false });
    expect(taken.lane.stays).toHaveLength(1);
    expect(failed('bad_request', 400).where.lane.stays).toEqual([]);
  });
});

describe('a refusal for too many at once', () => {
  const refused = {
    kind: 'failure',
    failure: failureOf('concurrency', { status: 429 }),
    isRecalled: false,
  } as const;

  it('is no pause of the account where calls of ours are there', () => {
    const where = place();
    attemptAt(where, 0);
    const verdict = fail(sceneOf(where, attemptAt(where, 10), 70), refused);
    expect(verdict).toEqual({ outcome: 'account_limited', effects: [], next: 'again' });
    expect(where.account).toMatchObject({ coolings: 0, coolSince: null });
    expect(where.lane).toMatchObject({ limit: { capacity: 1 }, shut: { sentAt: 10 } });
    expect(where.provider.tries).toBe(8);
  });

  it('costs a try where it was one', () => {
    const where = place();
    attemptAt(where, 0);
    fail(sceneOf(where, attemptAt(where, 10), 70), refused);
    expect(fail(sceneOf(where, attemptAt(where, 900), 960), refused).outcome).toBe(
      'account_limited',
    );
    expect(where.provider.tries).toBe(7);
  });

  it('tells how long refusals take, whenever they come', () => {
    const where = place();
    fail(sceneOf(where, attemptAt(where, 5_000), 5_030), refused);
    expect(where.provider.pace).toMatchObject({ refusalMs: 30, answerMs: 30 });
    const broken = failureOf('server_error', { status: 500 });
    const given = { kind: 'failure', failure: broken, isRecalled: false } as const;
    fail(sceneOf(where, attemptAt(where, 9_000), 9_040), given);
    expect(where.provider.badMs).toBe(40);
  });
});

describe('what an error tells of the pace', () => {
  it('is how fast the upstream refuses, whatever it takes, and how fast it breaks, if it is fast', () => {
    expect(failed('invalid_key', 401).where.provider.pace.answerMs).toBe(51);
    expect(failed('server_error', 500).where.provider.pace.answerMs).toBe(50);
    const slow = place();
    slow.provider.pace = { ...slow.provider.pace, answerMs: 300 };
    expect(failed('server_error', 500, slow).where.provider.pace.answerMs).toBe(60);
    expect(failed('connection_lost', null).where.provider.pace.answerMs).toBe(50);
    expect(failed('concurrency', 429).where.provider.pace.refusalMs).toBe(60);
    expect(failed('invalid_key', 401).where.provider.pace.refusalMs).toBeNull();
  });

  it('is that a key is at least as slow as what we did not wait for', () => {
    const where = place();
    write(
      { kind: 'served', promptTokens: 1, completionTokens: 10 },
      sceneOf(where, attemptAt(where, 0), 100),
    );
    const slow = (ms: number): number => {
      fail(sceneOf(where, attemptAt(where, 1_000), 1_000 + ms), { kind: 'slow' });
      return where.key.slowness?.ratio ?? 0;
    };
    expect(slow(50)).toBe(1);
    expect(slow(1_000)).toBeGreaterThan(2);
    const fresh = place();
    fail(sceneOf(fresh, attemptAt(fresh, 0), 9_000), { kind: 'slow' });
    expect(fresh.key.slowness).toBeNull();
  });
});

describe('a bad end of which nobody knows whose it is', () => {
  it('lets its key rest, and longer each time', () => {
    const where = place();
    const timing = timingFor(where.provider.pace);
    const rests = [1, 2, 3, 4, 5, 6, 7].map(() => {
      failed('server_error', 500, where);
      where.provider.evidence.length = 0;
      return where.key.suspectUntil - 60;
    });
    const { retryMs, openMs } = timing;
    expect(rests.slice(0, 3)).toEqual([retryMs, 2 * retryMs, 4 * retryMs]);
    expect(rests.at(-1)).toBe(4 * openMs);
    expect(where.key.suspicions).toBe(7);
  });

  it('is remembered for as long as it took, and fades', () => {
    const where = place();
    failed('server_error', 500, where);
    expect(where.provider.badMs).toBe(60);
    const quick = attemptAt(where, 0);
    const failure = failureOf('server_error', { status: 500 });
    fail(sceneOf(where, quick, 10), { kind: 'failure', failure, isRecalled: false });
    expect(where.provider.badMs).toBe(48);
    expect(where.provider.evidence.map(({ ok }) => ok)).toEqual([false, false]);
  });

  it('says nothing of the provider where the pool itself took the call back', () => {
    const where = place();
    const failure = failureOf('idle');
    fail(sceneOf(where, attemptAt(where, 0), 60), { kind: 'failure', failure, isRecalled: true });
    expect(where.provider.evidence).toEqual([]);
  });

  it.each<[FailureKind, boolean, boolean]>([
    ['overloaded', false, true],
    ['unreachable', false, false],
    ['unreachable', true, true],
    ['server_error', true, false],
  ])('%s, from a provider that served before: %s, speaks of an outage: %s', (kind, served, is) => {
    const where = place();
    where.provider.served = served;
    failed(kind, null, where);
    expect(where.provider.evidence[0]?.outageKind).toBe(is);
  });
});
