import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeptResults } from '../../src/mcp/kept-results.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('kept results', () => {
  it('are read by the address they were given, and by no other', () => {
    const results = new KeptResults();
    const [first, second] = [results.keep('one'), results.keep('two')];
    expect([results.read(first), results.read(second)]).toEqual(['one', 'two']);
    expect(results.read(`${first}x`)).toBeNull();
    expect(results.read('keypool://results/')).toBeNull();
  });

  it('are forgotten after half an hour', () => {
    const results = new KeptResults();
    const uri = results.keep('one');
    vi.advanceTimersByTime(29 * 60_000);
    expect(results.read(uri)).toBe('one');
    vi.advanceTimersByTime(60_000);
    expect(results.read(uri)).toBeNull();
  });

  it('stay when the clock is set forward', () => {
    const results = new KeptResults();
    const uri = results.keep('one');
    vi.setSystemTime(Date.now() + 86_400_000);
    expect(results.read(uri)).toBe('one');
  });

  it('make room for newer ones, the oldest first, and hold a large one alone', () => {
    const results = new KeptResults();
    const uris = Array.from({ length: 20 }, () => results.keep('x'.repeat(1_000_000)));
    expect(uris.map((uri) => results.read(uri) !== null)).toEqual([
      ...Array(4).fill(false),
      ...Array(16).fill(true),
    ]);
    const large = results.keep('y'.repeat(20_000_000));
    expect(uris.every((uri) => results.read(uri) === null)).toBe(true);
    expect(results.read(large)).toHaveLength(20_000_000);
  });
});
