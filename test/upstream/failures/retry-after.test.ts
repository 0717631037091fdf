import { describe, expect, it } from 'vitest';
import { readErrorBody } from '../../../src/upstream/failures/error-body.ts';
import { retryAfterMs } from '../../../src/upstream/failures/retry-after.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const NOW_S = NOW / 1_000;

function read(headers: Record<string, string>, body: unknown = ''): number | null {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return retryAfterMs(new Headers(headers), readErrorBody(text), NOW);
}

function saying(message: string): number | null {
  return read({}, { error: { message, type: 'rate_limit_error' } });
}

describe('Retry-After', () => {
  it.each([
    ['3', 3_000],
    [' 3 ', 3_000],
    ['1.5', 1_500],
    ['30s', 30_000],
    ['30 seconds', 30_000],
    ['500ms', 500],
    ['250 milliseconds', 250],
    ['2m30s', 150_000],
    ['2m', 120_000],
    ['1 minute and 30 secs', 90_000],
    ['0.5h', 1_800_000],
    [String(NOW_S + 45), 45_000],
    [String(NOW_S + 1.5), 1_500],
    [String(NOW + 2_500), 2_500],
    ['Wed, 25 Nov 2026 12:00:05 GMT', 5_000],
    ['Wed, 25 Nov 2026 13:00:05 +0100', 5_000],
    ['2026-11-25T12:00:07Z', 7_000],
    ['2026-11-25T13:00:07+01:00', 7_000],
    // Twice: the later one holds.
    ['30, 30', 30_000],
    ['5, 60', 60_000],
    ['0, 20', 20_000],
    ['Wed, 25 Nov 2026 12:00:05 GMT, Wed, 25 Nov 2026 12:00:09 GMT', 9_000],
    // Never more than an hour, never less than something.
    ['99999999', 3_600_000],
    ['2 days', 3_600_000],
    ['0.0001', 1],
  ])('%s is %i ms', (value, ms) => {
    expect(read({ 'retry-after': value })).toBe(ms);
  });

  it.each([
    '',
    '0',
    '-5',
    'soon',
    '1e3',
    'NaN',
    'Infinity',
    '12:00',
    '5 apples',
    String(NOW_S - 1),
    String(NOW - 1),
    'Wed, 25 Nov 2026 11:00:00 GMT',
    'Wed, 99 Nov 2026 11:00:00 GMT',
    '2026-11-25T11:59:59Z',
  ])('%j asks for nothing', (value) => {
    expect(read({ 'retry-after': value })).toBeNull();
  });

  it('is nothing where nobody says anything', () => {
    expect(read({})).toBeNull();
  });
});

describe('other headers', () => {
  it('retry-after-ms goes first, unless it is empty or no number', () => {
    expect(read({ 'retry-after-ms': '250', 'retry-after': '3' })).toBe(250);
    expect(read({ 'retry-after-ms': '250.4' })).toBe(250);
    for (const none of ['', ' ', '0', 'soon', '-1', '5s']) {
      expect(read({ 'retry-after-ms': none, 'retry-after': '3' })).toBe(3_000);
    }
  });

  it('a limit that is used up begins anew at its reset', () => {
    expect(read({ 'x-ratelimit-reset': String(NOW_S + 1) })).toBe(1_000);
    expect(read({ 'x-ratelimit-reset': '12', 'x-ratelimit-remaining': '0' })).toBe(12_000);
    expect(read({ 'x-ratelimit-reset': '12', 'x-ratelimit-remaining': '3' })).toBeNull();
    expect(read({ 'ratelimit-reset': '7' })).toBe(7_000);
    expect(read({ 'x-rate-limit-reset': String(NOW + 4_000) })).toBe(4_000);
    expect(read({ 'x-ratelimit-reset-after': '1.25' })).toBe(1_250);
  });

  it('of a bucket that drains one unit is gone long before all of them', () => {
    const bucket = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW_S + 2) };
    expect(read({ ...bucket, 'x-ratelimit-used': '4' })).toBe(500);
    expect(read({ ...bucket, 'x-ratelimit-used': '1' })).toBe(2_000);
    for (const none of ['', '0', 'all', '-3']) {
      expect(read({ ...bucket, 'x-ratelimit-used': none })).toBe(2_000);
    }
    expect(read({ ...bucket, 'x-ratelimit-used': '4', 'retry-after': '1' })).toBe(1_000);
  });

  it('of limits that are counted apart the one that is used up counts', () => {
    const headers = {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '20ms',
      'x-ratelimit-remaining-tokens': '149000',
      'x-ratelimit-reset-tokens': '6m0s',
    };
    expect(read(headers)).toBe(20);
    expect(read({ ...headers, 'x-ratelimit-remaining-tokens': '0' })).toBe(360_000);
  });

  it('Retry-After goes before the body, and the body before a reset', () => {
    const body = { error: { message: 'try again in 9s' } };
    const reset = { 'x-ratelimit-reset': '20' };
    expect(read({ 'retry-after': '3', ...reset }, body)).toBe(3_000);
    expect(read({ 'retry-after': '0', ...reset }, body)).toBe(9_000);
    expect(read(reset)).toBe(20_000);
  });
});

describe('a pause in the body alone', () => {
  it.each([
    ['Rate limit reached. Please try again in 30s.', 30_000],
    ['Please try again in 1m26.4s', 86_400],
    ['Please retry in 12.5s.', 12_500],
    ['Please retry after 30 seconds', 30_000],
    ['Retry after 30.', 30_000],
    ['wait for at least 2 minutes, then go on', 120_000],
    ['Try again in about 500ms', 500],
    ['try again in 5s, or wait 20 seconds', 20_000],
  ])('%s', (message, ms) => {
    expect(saying(message)).toBe(ms);
  });

  it.each([
    'Please try again later.',
    'try again at 12:30',
    'We waited 30 seconds.',
    'Rate limit of 30 requests',
    'retry in 0s',
  ])('%s: none', (message) => {
    expect(saying(message)).toBeNull();
  });

  it('in a field of its own', () => {
    expect(read({}, { error: { message: 'x', retry_after: 4 } })).toBe(4_000);
    expect(read({}, { retry_after: '2m' })).toBe(120_000);
    expect(read({}, { error: { retry_after: null } })).toBeNull();
  });

  it('on a page', () => {
    expect(read({}, '<html>Too many requests, try again in 15 seconds</html>')).toBe(15_000);
  });
});
