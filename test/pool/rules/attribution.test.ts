import { describe, expect, it } from 'vitest';
import { createKeyRecord, createProvider, type Evidence } from '../../../src/pool/records/state.ts';
import { FAULT_OF, reasonFor, speaksOfOutage } from '../../../src/pool/rules/attribution.ts';
import {
  isFailing,
  isOutage,
  othersAreFine,
  outagePauseMs,
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
    expect(reasonFor(kind, 'DeepSeek')).not.toBe('');
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
