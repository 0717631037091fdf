import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exchange } from '../../src/sharing/coordination/coordination.ts';
import { packState, unpackState } from '../../src/sharing/coordination/packed-state.ts';
import { createState } from '../../src/sharing/coordination/shared-state.ts';
import { parseAnswer, parseExchange } from '../../src/sharing/parse-message.ts';
import { reports, row, says, told } from './exchanges.ts';

const out = { kind: 'out', id: 'key', checks: 2, checkInMs: 60_000 } as const;
const rest = { kind: 'resting', id: 'account', forMs: 30_000 } as const;
const USUAL = { weight: 7, tokens: 900, ms: 21_000, tokensSquared: 150_000, tokensMs: 3e6 };
const full = says(3, {
  rows: [row({ inFlight: 3, acceptedSentAgoMs: 20, waitingBatch: 7 })],
  asks: ['provider'],
  measured: [
    { kind: 'key', id: 'key', agoMs: 40, ratio: 3 },
    { kind: 'calls', id: 'calls', agoMs: 40, ...USUAL },
  ],
  unmeasured: ['key', 'calls', 'unheard-of'],
  reports: reports(out, rest, { kind: 'works', id: 'other' }),
  client: 'Claude Code',
});

describe('what another process says', () => {
  it('is what it said, where it is well formed', () => {
    expect(parseExchange(JSON.parse(JSON.stringify(full)))).toEqual(full);
    const { answer } = exchange(createState('here'), 'a', full, 5);
    expect(parseAnswer(JSON.parse(JSON.stringify(answer)))).toEqual(answer);
  });

  it('is clamped to what can be', () => {
    const odd = { ...full, rows: [row({ inFlight: -4, share: 1e300, probeMs: 1e300 })] };
    const [parsed] = parseExchange(odd).rows;
    expect(parsed).toMatchObject({ inFlight: 0, share: 100_000, probeMs: 30 * 86_400_000 });
  });

  it('cannot make a key faster or slower than keys are', () => {
    const key = { kind: 'key', id: 'key', agoMs: -5, ratio: 1e308 } as const;
    const usual = { kind: 'calls', id: 'calls', agoMs: 0, ...USUAL, weight: 0, ms: 1e308 } as const;
    const { measured } = parseExchange({ ...full, measured: [key, { ...key, ratio: -1 }, usual] });
    expect(measured).toMatchObject([
      { agoMs: 0, ratio: 30 },
      { ratio: 0.1 },
      { weight: 0.1, ms: 1e15 },
    ]);
  });

  it('says nothing of speeds where it comes from a program that knows none', () => {
    const { measured, unmeasured, ...older } = full;
    expect(parseExchange(older)).toEqual({ ...older, measured: [], unmeasured: [] });
    const { speeds, ...answer } = exchange(createState('here'), 'a', full, 5).answer;
    expect(speeds.length).toBe(2);
    expect(parseAnswer(answer)).toEqual({ ...answer, speeds: [] });
    const { speeds: _, ...packed } = packState(createState('here'), 0);
    expect(unpackState(packed, 0, 0)?.speeds.size).toBe(0);
  });

  it.each([
    ['nothing', null],
    ['a list', []],
    ['no rows', { ...full, rows: undefined }],
    ['a number that is none', { ...full, rows: [row({ share: Number.NaN })] }],
    ['a speed that is none', { ...full, measured: [{ ...full.measured[0], ratio: Number.NaN }] }],
    ['an id with a space', { ...full, asks: ['a b'] }],
    ['too long an id', { ...full, asks: ['x'.repeat(65)] }],
    ['too many rows', { ...full, rows: Array.from({ length: 257 }, () => row()) }],
    ['an unknown report', { ...full, reports: [{ number: 1, report: { kind: 'send-keys' } }] }],
  ])('is refused: %s', (_name, message) => {
    expect(() => parseExchange(message)).toThrow();
  });

  it('has a client name that is safe to show', () => {
    const named = parseExchange({ ...full, client: `Cur\u001b[31msor\n${'x'.repeat(100)}` });
    expect(named.client).toMatch(/^Cur\[31msorx+$/);
    expect(named.client?.length).toBe(64);
  });

  it('is an answer or an error, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => parseAnswer(value)).toThrow();
      }),
    );
  });
});

describe('a state that was packed', () => {
  const { state } = exchange(createState('here'), 'a', full, 10_000);

  it('is the same on another clock, through JSON', () => {
    const packed = JSON.parse(JSON.stringify(packState(state, 10_250)));
    const there = unpackState(packed, 900_250, 0);
    if (there === null) throw new Error('not unpacked');
    expect(JSON.parse(JSON.stringify(packState(there, 900_250)))).toEqual(packed);
    const next = says(4, { rows: [row({ inFlight: 3, limit: told({ generation: 2 }) })] });
    const here = exchange(state, 'a', next, 10_300).answer;
    expect(exchange(there, 'a', next, 900_300).answer).toEqual(here);
  });

  it('ages: a check comes nearer, and old limits are not believed', () => {
    const hour = 3_600_000;
    const later = unpackState(packState(state, 10_000), 0, 50_000);
    expect(later?.facts.get('key')).toMatchObject({ isOut: true, checkAt: 10_000 });
    expect(later?.facts.get('other')?.works).toBe(true);
    expect(later?.lanes.size).toBe(1);
    const old = unpackState(packState(state, 10_000), 0, 7 * hour);
    expect(old?.lanes.size).toBe(0);
    expect(old?.facts.get('other')?.works).toBe(false);
    expect(old?.facts.get('key')?.isOut).toBe(true);
  });

  it('is nothing where it is no state of ours', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(unpackState(value, 0, 0)).toBeNull();
      }),
    );
    expect(unpackState({ ...packState(state, 0), format: 2 }, 0, 0)).toBeNull();
  });
});
