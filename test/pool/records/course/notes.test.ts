/** What is remembered of calls: of their key, their account and the provider. */

import { describe, expect, it } from 'vitest';
import { begin } from '../../../../src/pool/records/attempt-record.ts';
import { endedLately } from '../../../../src/pool/records/course/attempt-notes.ts';
import { type CourseEvent, write } from '../../../../src/pool/records/course/course.ts';
import {
  blameAccount,
  checkedInVain,
  disableAccount,
  disableKey,
  readmit,
} from '../../../../src/pool/records/course/disabling.ts';
import { turnsPausedUntil } from '../../../../src/pool/records/course/rate-notes.ts';
import {
  createAccount,
  createKeyRecord,
  createProvider,
  laneOf,
} from '../../../../src/pool/records/state.ts';
import { timingFor } from '../../../../src/pool/rules/timing.ts';
import { attemptAt, call, failure, place, sceneOf, type TestPlace } from '../scene.ts';

const timing = timingFor(place().provider.pace);

function served(promptTokens = 100, completionTokens = 300): CourseEvent {
  return { kind: 'served', promptTokens, completionTokens };
}

describe('a call that begins', () => {
  it('counts for its key and account from then on', () => {
    const where = place();
    const facts = { call: 3, model: 'deepseek-flash', speedClass: 'class', units: 2, sentAt: 40 };
    const trials = { isKeyTrial: true, isProviderTrial: false };
    const attempt = begin(where, { ...facts, ...trials, turn: 9, usedAt: 1_234 });
    const fresh = { isOnRamp: false, hasFirstByte: false, isReleased: false, wasRefused: false };
    expect(attempt).toEqual({ ...facts, ...trials, ...fresh, stay: where.lane.stays[0] });
    expect(attempt.stay).toMatchObject({ key: 'DEEPSEEK_API_KEY', sentAt: 40, units: 2 });
    expect(where.key).toMatchObject({ lastTurn: 9, attempts: 1, lastUsedAt: 1_234, inFlight: 1 });
    expect(where.key.unanswered).toEqual([attempt.stay]);
  });

  it('is under way with the others of its class until it ends', () => {
    const where = place();
    const [first, second] = [attemptAt(where, 10), attemptAt(where, 30)];
    expect(where.key.underWay.get('deepseek-flash')).toEqual({ count: 2, sentAtSum: 40 });
    write(served(), sceneOf(where, first, 500));
    expect(where.key.underWay.get('deepseek-flash')).toEqual({ count: 1, sentAtSum: 30 });
    expect(where.key.unanswered).toEqual([second.stay]);
    expect(where.key.inFlight).toBe(1);
  });

  it('is counted while the provider comes back, and only then', () => {
    const where = place();
    where.provider.ramp = 4;
    const attempt = attemptAt(where, 10);
    expect(where.provider.rampInFlight).toBe(1);
    where.provider.ramp = null;
    const other = attemptAt(where, 20);
    for (const each of [attempt, other]) write(served(), sceneOf(where, each, 500));
    expect(where.provider.rampInFlight).toBe(0);
  });

  it('was refused if it never was there', () => {
    const where = place();
    const [refused, ended] = [attemptAt(where, 0), attemptAt(where, 0)];
    write(failure('concurrency', { status: 429 }), sceneOf(where, refused, 60));
    write(served(), sceneOf(where, ended, 60));
    expect([refused.wasRefused, ended.wasRefused]).toEqual([true, false]);
  });
});

describe('what is remembered of a call that was served', () => {
  it('is its time, its tokens, and that all of them work', () => {
    const where = place();
    call(where, 100, 2_100, served(10, 20));
    expect(where.key).toMatchObject({
      successes: 1,
      failures: 0,
      latencyMs: 2_000,
      promptTokens: 10,
      completionTokens: 20,
      endedAt: 2_100,
      endedLately: 1,
      outcomes: [{ at: 2_100, ok: true }],
      success: { rate: 1, at: 2_100 },
      // The first call of its class is the measure, and so as fast as any.
      slowness: { ratio: 1, at: 2_100, seen: 1, isHeard: false },
    });
    expect(where.provider).toMatchObject({ served: true, pace: { serviceMs: 2_000 } });
    call(where, 3_000, 6_000, served(10, 20));
    expect(where.key).toMatchObject({
      successes: 2,
      latencyMs: 2_200,
      promptTokens: 20,
      completionTokens: 40,
    });
    expect(where.key.slowness?.ratio).toBeGreaterThan(1);
    expect(where.key.slowness?.ratio).toBeLessThan(1.3);
  });

  it('fades within two services', () => {
    const where = place();
    call(where, 0, 1_000, served());
    expect(endedLately(where.key, 1_000, 1_000)).toBe(1);
    expect(endedLately(where.key, 3_000, 1_000)).toBeCloseTo(1 / Math.E, 9);
    call(where, 0, 1_000, served());
    expect(where.key.endedLately).toBe(2);
    expect(endedLately(where.key, 1_001, 0)).toBeCloseTo(2 * Math.exp(-0.5), 9);
  });

  it('does not take a slow key for the measure of the others', () => {
    const where = place();
    for (let at = 0; at < 10; at++) call(where, at * 1_000, at * 1_000 + 500, served());
    const usual = where.provider.speed.get('deepseek-flash')?.ms ?? 0;
    const slow = {
      ...where,
      key: createKeyRecord('deepseek', 'DEEPSEEK_API_KEY_2', '2', 'account'),
    };
    for (let at = 10; at < 20; at++) call(slow, at * 1_000, at * 1_000 + 5_000, served());
    expect(slow.key.slowness?.ratio).toBeGreaterThan(2);
    const model = where.provider.speed.get('deepseek-flash');
    expect((model?.ms ?? 0) / (model?.weight ?? 1)).toBeLessThan(2_500);
    expect(usual).toBeGreaterThan(0);
  });

  it('ends a row of faults, and the sixty-five latest ends are enough', () => {
    const where = place();
    where.key.faultsInRow = 3;
    for (let at = 1; at <= 80; at++) call(where, at, at + 1, served());
    expect(where.key.faultsInRow).toBe(0);
    expect(where.key.outcomes).toHaveLength(64);
    expect(where.key.outcomes[0]?.at).toBe(18);
  });
});

describe('what is remembered of a first byte', () => {
  it('is how long it took, and that the key and the provider work', () => {
    const where = place();
    where.key.suspicions = 3;
    const event = { kind: 'first-byte' } as const;
    call(where, 100, 600, event);
    expect(where.key).toMatchObject({
      firstByteMs: 500,
      lastFirstByteAt: 600,
      answeredSentAt: 100,
      suspicions: 0,
      suspectUntil: 600,
    });
    expect(where.provider).toMatchObject({ answeredSentAt: 100, pace: { firstByteMs: 500 } });
    call(where, 50, 1_050, event);
    expect(where.key).toMatchObject({ firstByteMs: 600, answeredSentAt: 100 });
    expect(where.provider.answeredSentAt).toBe(100);
    expect(where.provider.evidence[0]).toEqual({
      at: 600,
      sentAt: 100,
      key: 'DEEPSEEK_API_KEY',
      call: 1,
      speedClass: 'deepseek-flash',
      ok: true,
      outageKind: false,
    });
  });

  it('is kept of the latest two hundred and fifty-six', () => {
    const where = place();
    for (let at = 0; at < 300; at++) call(where, at, at + 1, { kind: 'first-byte' });
    expect(where.provider.evidence).toHaveLength(256);
    expect(where.provider.evidence[0]?.sentAt).toBe(44);
  });

  it('is nothing after the end of its attempt', () => {
    const where = place();
    const attempt = attemptAt(where, 0);
    write(served(), sceneOf(where, attempt, 500));
    expect(write({ kind: 'first-byte' }, sceneOf(where, attempt, 600)).effects).toEqual([]);
    expect(where.key.firstByteMs).toBeNull();
  });

  it('brings back a key that was out, with its account', () => {
    const where = place();
    where.key.trips = 3;
    disableAccount(where.account, 'no money', 0, timing);
    const attempt = attemptAt(where, 100, { isKeyTrial: true });
    const { effects } = write({ kind: 'first-byte' }, sceneOf(where, attempt, 600));
    expect(effects).toEqual([{ kind: 'readmit-account' }, { kind: 'close-key' }, { kind: 'wake' }]);
    expect(where.account.disabled).toBeNull();
    expect(where.key.trips).toBe(2);
    where.key.trips = -1;
    const again = attemptAt(where, 700, { isKeyTrial: true });
    expect(write({ kind: 'first-byte' }, sceneOf(where, again, 800)).effects).toEqual([
      { kind: 'close-key' },
      { kind: 'wake' },
    ]);
    expect(where.key.trips).toBe(-1);
  });
});

describe('what is remembered of a call that is taken', () => {
  it('is that its account needs no pause any more', () => {
    const where = place();
    Object.assign(where.account, { coolings: 2, coolSince: 10, coolUntil: 90 });
    call(where, 80, 95, { kind: 'accepted' });
    expect(where.account).toMatchObject({ coolings: 1, coolSince: 10 });
    call(where, 90, 99, { kind: 'accepted' });
    call(where, 91, 99, { kind: 'accepted' });
    expect(where.account).toMatchObject({ coolings: 0, coolSince: null });
  });

  it('is how fast the upstream says so, if that is fast', () => {
    const where = place();
    call(where, 0, 30, { kind: 'accepted' });
    expect(where.provider.pace).toMatchObject({ answerMs: 30, signMs: 30 });
    call(where, 0, 900, { kind: 'accepted' });
    expect(where.provider.pace).toMatchObject({ answerMs: 30, signMs: 900 });
  });

  it('is nothing once it has ended', () => {
    const where = place();
    const attempt = attemptAt(where, 0);
    write(served(), sceneOf(where, attempt, 500));
    for (const kind of ['accepted', 'survived'] as const) {
      expect(write({ kind }, sceneOf(where, attempt, 600)).effects).toEqual([]);
    }
    expect(where.provider.pace.signMs).toBeNull();
  });
});

describe('requests per time', () => {
  function searching(): TestPlace {
    const provider = createProvider('perplexity', 50);
    const account = createAccount('account', false);
    const key = createKeyRecord('perplexity', 'PERPLEXITY_API_KEY', 'id', 'account');
    return { provider, account, key, lane: laneOf(account, 'deepseek-flash', 64) };
  }
  const refused = (retryAfterMs: number | null): CourseEvent =>
    failure('concurrency', { status: 429, retryAfterMs });

  it('are held back by a refusal, for as long as it asks, within reason', () => {
    const where = searching();
    expect(turnsPausedUntil(where.account, null)).toBe(0);
    const { outcome, next } = call(where, 0, 60, refused(2_000));
    expect({ outcome, next }).toEqual({ outcome: 'account_rate_limited', next: 'again' });
    expect(where.account.coolReason).toMatch(/rate limited by Perplexity/);
    expect(turnsPausedUntil(where.account, 'deepseek-flash')).toBe(2_060);
    expect(turnsPausedUntil(where.account, null)).toBe(2_060);
    expect(turnsPausedUntil(where.account, 'other')).toBe(0);
    const absurd = searching();
    call(absurd, 0, 60, refused(86_400_000));
    expect(turnsPausedUntil(absurd.account, null)).toBe(600_060);
  });

  it('are held back by what an answer tells, where they are limited, while it is under way', () => {
    const told: CourseEvent = { kind: 'told', told: { limit: 3, remaining: 0 } };
    const [where, deepseek, late] = [searching(), place(), searching()];
    expect(call(where, 0, 60, told).effects).toEqual([]);
    expect(where.lane.rate.named).toBe(3);
    expect(where.lane.rate.refusedRate).not.toBeNull();
    call(deepseek, 0, 60, told);
    expect(deepseek.lane.rate.named).toBeNull();
    const attempt = attemptAt(late, 0);
    write(served(), sceneOf(late, attempt, 60));
    write(told, sceneOf(late, attempt, 70));
    expect(late.lane.rate.named).toBeNull();
  });
});

describe('a key or an account that is out', () => {
  it('is checked, and ever more rarely while that is in vain', () => {
    const { key, account } = place();
    disableKey(key, 'rejected', 1_000, timing);
    expect(key).toMatchObject({
      tripReason: 'rejected',
      disabled: {
        reason: 'rejected',
        since: 1_000,
        checks: 0,
        nextCheckAt: 1_000 + timing.checkMs,
      },
    });
    checkedInVain(key, account, 5_000, timing);
    const second = { reason: 'rejected', since: 1_000, checks: 1 };
    expect(key.disabled).toEqual({ ...second, nextCheckAt: 5_000 + 2 * timing.checkMs });
    expect(account.disabled).toBeNull();
    blameAccount(key);
    expect(key.disabled).toBeNull();
    checkedInVain(key, account, 6_000, timing);
    expect([key.disabled, account.disabled]).toEqual([null, null]);
    disableAccount(account, 'no money', 7_000, timing);
    checkedInVain(key, account, 8_000, timing);
    expect(account.disabled).toMatchObject({ reason: 'no money', since: 7_000, checks: 1 });
    expect(key.disabled).toBeNull();
  });

  it('comes back with the other, if one of them was out', () => {
    const { key, account } = place();
    expect(readmit(key, account)).toBe(false);
    disableKey(key, 'rejected', 0, timing);
    expect(readmit(key, account)).toBe(true);
    disableAccount(account, 'no money', 0, timing);
    expect(readmit(key, account)).toBe(true);
    expect([key.disabled, account.disabled]).toEqual([null, null]);
  });
});
