import { describe, expect, it } from 'vitest';
import { toldRate } from '../../src/upstream/told-rate.ts';

const told = (headers: Record<string, string>) =>
  toldRate({ get: (name) => headers[name] ?? null });

describe("what an answer's headers say of requests per time", () => {
  it("is read as Perplexity's were captured", () => {
    const headers = {
      'x-ratelimit-limit': '50',
      'x-ratelimit-remaining': '49',
      'x-ratelimit-used': '1',
      'x-ratelimit-reset': '1791572841',
    };
    expect(told(headers)).toEqual({ limit: 50, remaining: 49 });
  });

  it.each([
    [
      { 'ratelimit-limit': '50, 50;w=60', 'ratelimit-remaining': '0' },
      { limit: 50, remaining: 0 },
    ],
    [{ 'x-ratelimit-remaining-requests': '7' }, { limit: null, remaining: 7 }],
    [{ 'x-rate-limit-remaining': '12.0' }, { limit: null, remaining: 12 }],
  ])('is read in other spellings: %o', (headers, expected) => {
    expect(told({ ...headers })).toEqual(expected);
  });

  it.each(['', '-1', 'none', '1e9', '9'.repeat(40)])('is nothing where it is %o', (value) => {
    const headers = { 'x-ratelimit-limit': value, 'x-ratelimit-remaining': value };
    expect(told(headers)).toEqual({ limit: null, remaining: null });
  });
});
