import { describe, expect, it } from 'vitest';
import { createKeyRecord, createProvider, type Evidence } from '../../../src/pool/records/state.ts';
import { FAULT_OF, reasonFor, speaksOfOutage } from '../../../src/pool/rules/attribution.ts';
import {
  isFailing,
  isOutage,
  othersAreFine,
  outagePauseMs,
  wereServedSince,
} from '../../../src/pool/rules/outage.ts';
import { expectedPace, timingFor } from '../../../src/pool/rules/timing.ts';

const timing = timingFor(expectedPace(300));

function evidence(key: string, more: Partial<Evidence> = {}): Evidence {
  return {
    at: 100,
    sentAt: 90,
    key,
    call: 1,
    ok: false,
    speedClass: 'deepseek-flash',
    outageKind: false,
    ...more,
  };
}

function withEvidence(...all: Evidence[]) {
  const provider = createProvider('deepseek', 300);
  provider.evidence.push(...all);
  return provider;
}

describe('whose fault a failure is', () => {
  it.each([
    ['invalid_key', 'key'],
    ['no_credit', 'account'],
    ['forbidden', 'key_model'],
    ['concurrency', 'limit'],
    ['balance_limit', 'limit'],
    ['bad_request', 'caller'],
    ['too_long', 'caller'],
    ['moderation', 'caller'],
    ['empty', 'caller'],
    ['no_answer', 'answer'],
    ['blocked', 'upstream'],
    ['server_error', 'upstream'],
    ['cut', 'upstream'],
    ['deadline', 'deadline'],
    ['redirect', 'setup'],
  ] as const)('blames for %s: %s', (kind, fault) => {
    expect(FAULT_OF[kind]).toBe(fault);
  });

  it.each([
    ['invalid_key', 'rejected by DeepSeek (401)'],
    ['no_credit', 'no balance left at DeepSeek (402)'],
    ['forbidden', 'not allowed to use this model (403)'],
    ['blocked', 'refused on the way to DeepSeek'],
    ['concurrency', 'rate limited by DeepSeek (429)'],
    ['balance_limit', 'limited by DeepSeek because of its balance (429)'],
    ['bad_request', 'the request was refused'],
    ['unknown_model', 'the model is unknown'],
    ['too_long', 'the request was too long'],
    ['moderation', 'the content was refused'],
    ['empty', 'the answer was empty'],
    ['no_answer', 'the answer held no content'],
    ['server_error', 'server errors from DeepSeek (5xx)'],
    ['overloaded', 'DeepSeek is overloaded (503)'],
    ['unreachable', 'DeepSeek could not be reached'],
    ['connection_lost', 'the connection was lost'],
    ['malformed', 'the answer could not be read'],
    ['cut', 'the answer broke off'],
    ['idle', 'no answer came'],
    ['proxy', 'the proxy lets nothing through'],
    ['local_shortage', 'this machine ran out of sockets'],
    ['redirect', 'DeepSeek answered with a redirect'],
    ['deadline', 'the time was spent'],
  ] as const)('says for %s: %s', (kind, words) => {
    expect(reasonFor(kind, 'DeepSeek')).toBe(words);
  });

  it('suspects the provider after one call only where no request can be the cause', () => {
    expect(speaksOfOutage('overloaded')).toBe(true);
    expect(speaksOfOutage('server_error')).toBe(false);
  });
});

describe('an outage', () => {
  it('is three bad ends on most keys, from more than one call', () => {
    const bad = [evidence('a', { call: 1 }), evidence('b', { call: 2 }), evidence('c')];
    expect(isOutage(withEvidence(...bad), 4, 100, timing)).toBe(true);
    expect(isOutage(withEvidence(...bad.slice(1)), 4, 100, timing)).toBe(false);
  });

  it('is not one prompt that breaks the upstream on every key', () => {
    const bad = ['a', 'b', 'c', 'd'].map((key) => evidence(key, { call: 7 }));
    expect(isOutage(withEvidence(...bad), 4, 100, timing)).toBe(false);
  });

  it('is not one bad key, however often it fails', () => {
    const bad = Array.from({ length: 20 }, (_, call) => evidence('a', { call }));
    expect(isOutage(withEvidence(...bad), 4, 100, timing)).toBe(false);
  });

  it('is not declared while more calls succeed than fail', () => {
    const good = Array.from({ length: 4 }, () => evidence('d', { ok: true }));
    const bad = ['a', 'b', 'c'].map((key, call) => evidence(key, { call }));
    expect(isOutage(withEvidence(...good, ...bad), 4, 100, timing)).toBe(false);
  });

  const bad = ['a', 'b', 'c'].map((key, call) => evidence(key, { call }));

  it.each([
    ['a lone key', 1, 1, true],
    ['one key of two', 1, 2, false],
    ['two keys of three', 2, 3, true],
    ['two keys of four', 2, 4, false],
    ['four keys of many', 4, 40, true],
    ['three keys of many', 3, 40, false],
    ['a key, where none is of use any more', 1, 0, true],
  ])('is or is not what fails on %s', (_name, failing, usable, is) => {
    const ends = Array.from({ length: 8 }, (_, call) => evidence(`${call % failing}`, { call }));
    expect(isOutage(withEvidence(...ends), usable, 100, timing)).toBe(is);
  });

  it('is seen in one call where each of its ends speaks of one', () => {
    const ends = bad.map((each) => ({ ...each, call: 7, outageKind: true }));
    expect(isOutage(withEvidence(...ends), 4, 100, timing)).toBe(true);
    const [first = evidence('a'), ...others] = ends;
    const mixed = [{ ...first, outageKind: false }, ...others];
    expect(isOutage(withEvidence(...mixed), 4, 100, timing)).toBe(false);
  });

  it('takes more bad ends than good ones since the first of the bad', () => {
    const good = (sentAt: number) => bad.map((each) => ({ ...each, sentAt, ok: true }));
    const later = bad.map((each, index) => ({ ...each, sentAt: 90 + index }));
    expect(isOutage(withEvidence(...good(90), ...later), 4, 100, timing)).toBe(false);
    expect(isOutage(withEvidence(...good(89), ...later), 4, 100, timing)).toBe(true);
    expect(isOutage(withEvidence(...good(90).slice(1), ...later), 4, 100, timing)).toBe(true);
  });

  it('is not made of what was sent long ago, or before the last one ended', () => {
    const provider = withEvidence(...bad);
    const last = 90 + timing.outageWindowMs;
    expect(isOutage(provider, 4, last, timing)).toBe(true);
    expect(isOutage(provider, 4, last + 1, timing)).toBe(false);
    expect(isOutage({ ...provider, healedAt: 90 }, 4, 100, timing)).toBe(true);
    expect(isOutage({ ...provider, healedAt: 91 }, 4, 100, timing)).toBe(false);
  });

  it('is contradicted by calls of others that were answered since', () => {
    const provider = withEvidence(evidence('a', { ok: true, call: 1, at: 100 }), evidence('b'));
    expect(wereServedSince(provider, 100, 2)).toBe(true);
    expect(wereServedSince(provider, 101, 2)).toBe(false);
    expect(wereServedSince(provider, 100, 1)).toBe(false);
    expect(wereServedSince(withEvidence(evidence('a')), 0, 2)).toBe(false);
  });

  it('is probed at a share of its length, within bounds', () => {
    expect(outagePauseMs(0, 10, timing)).toBe(timing.outageMs);
    expect(outagePauseMs(0, 30_000, timing)).toBe(5_000);
    expect(outagePauseMs(0, 3_600_000, timing)).toBe(timing.outageMaxMs);
  });
});

describe("a key's own fault", () => {
  const key = createKeyRecord('deepseek', 'a', '000001', 'a');

  it('needs another key that was fine meanwhile', () => {
    expect(othersAreFine(withEvidence(evidence('a')), key, 100, timing)).toBe(false);
    expect(othersAreFine(withEvidence(evidence('a', { ok: true })), key, 100, timing)).toBe(false);
    expect(othersAreFine(withEvidence(evidence('b', { ok: true })), key, 100, timing)).toBe(true);
  });

  it('is not shown by what others did long before', () => {
    const provider = withEvidence(evidence('b', { ok: true, at: 100 }));
    expect(othersAreFine(provider, key, 100 + timing.faultWindowMs, timing)).toBe(true);
    expect(othersAreFine(provider, key, 101 + timing.faultWindowMs, timing)).toBe(false);
  });

  it('opens the breaker only while it is fresh', () => {
    const failed = { ...key, outcomes: [1, 2, 3].map((at) => ({ at, ok: false })) };
    expect(isFailing(failed, 1 + timing.faultWindowMs, timing)).toBe(true);
    expect(isFailing(failed, 2 + timing.faultWindowMs, timing)).toBe(false);
  });

  it('opens no breaker while it is two of five', () => {
    const outcomes = Array.from({ length: 10 }, (_, index) => ({ at: 100, ok: index > 3 }));
    expect(isFailing({ ...key, outcomes }, 100, timing)).toBe(false);
    expect(isFailing({ ...key, outcomes: outcomes.slice(0, 9) }, 100, timing)).toBe(true);
  });

  it('opens the breaker twice in a row, or three times among few', () => {
    const outcomes = (...oks: boolean[]) => oks.map((ok) => ({ at: 100, ok }));
    expect(isFailing({ ...key, faultsInRow: 1 }, 100, timing)).toBe(false);
    expect(isFailing({ ...key, faultsInRow: 2 }, 100, timing)).toBe(true);
    const few = { ...key, outcomes: outcomes(false, true, false, true, false, true) };
    expect(isFailing(few, 100, timing)).toBe(true);
    const many = { ...key, outcomes: outcomes(false, true, true, false, true, true, false, true) };
    expect(isFailing(many, 100, timing)).toBe(false);
  });
});
