import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeySample, Sample } from '../../src/http/api/history-view.ts';
import {
  ago,
  count,
  durationText,
  rate,
  share,
  short,
} from '../../src/http/page/drawing/format.ts';
import { curveOf, flowOf, merge, recent, waitingOf } from '../../src/http/page/drawing/series.ts';

function key(successes: number, failures = 0): KeySample {
  return { successes, failures, score: 100, inFlight: 0, latencyMs: null };
}

function sample(seconds: number, keys: Record<string, KeySample>, waiting = 0): Sample {
  return { at: seconds * 1_000, queue: { deepseek: waiting, perplexity: 1 }, keys };
}

describe("the page's numbers", () => {
  it('are short and honest', () => {
    expect([
      durationText(null),
      durationText(12.4),
      durationText(1_234),
      durationText(45_600),
      durationText(600_000),
    ]).toEqual(['–', '12 ms', '1.2 s', '46 s', '10 min']);
    expect([
      count(9_999),
      count(12_345),
      short(940),
      short(8_640),
      short(136_000),
      short(999_700),
    ]).toEqual(['9,999', '12.3k', '940', '8.6k', '136k', '1.0M']);
    expect([rate(0), rate(0.25), rate(42.4)]).toEqual(['0', '0.3', '42']);
  });

  it('never call it all well when something failed', () => {
    expect([share(0, 0), share(5, 0), share(99_999, 1), share(0, 3), share(1, 1)]).toEqual([
      '–',
      '100 %',
      '99.9 %',
      '0 %',
      '50.0 %',
    ]);
  });

  it('say how long ago something was', () => {
    const now = Date.parse('2026-01-01T00:01:00.000Z');
    expect(ago(null, now)).toBe('never');
    expect(ago('2026-01-01T00:00:59.000Z', now)).toBe('just now');
    expect(ago('2026-01-01T00:00:15.000Z', now)).toBe('45 s ago');
  });
});

describe("the charts' columns", () => {
  const samples = [
    sample(0, { a: key(10, 1), b: key(5) }),
    sample(2, { a: key(14, 1), b: key(6) }, 3),
    sample(4, { a: key(1, 1), b: key(8), c: key(100) }),
  ];

  it('are attempts per second, split by how they ended', () => {
    expect(flowOf(samples, () => true)).toEqual({
      at: [2, 4],
      served: [2.5, 1],
      failed: [0, 0],
    });
    expect(flowOf(samples, (name) => name === 'b').served).toEqual([0.5, 1]);
  });

  it('count a key that was replaced or is new from zero, never backwards', () => {
    expect(flowOf(samples, (name) => name === 'a').served).toEqual([2, 0]);
    expect(flowOf(samples, (name) => name === 'c').served).toEqual([0, 0]);
  });

  it('count who waits at every provider', () => {
    expect(waitingOf(samples)).toEqual([4, 1]);
  });

  it('are averaged over the time that is asked for', () => {
    const flow = { at: [0, 30, 60, 90], served: [100, 4, 6, 8], failed: [0, 0, 3, 0] };
    expect(recent(flow, 60)).toEqual({ served: 7, failed: 1.5 });
    expect(recent({ at: [], served: [], failed: [] }, 60)).toEqual({ served: 0, failed: 0 });
  });

  it('grow by what is new and forget what is old', () => {
    const [first, second, third] = samples;
    if (first === undefined || second === undefined || third === undefined) throw new Error();
    expect(merge([first, second], [second, third], 2)).toEqual([second, third]);
  });
});

describe('a curve', () => {
  it('leaves out what is at rest, and keeps the zeros on both sides of a peak', () => {
    expect(curveOf([0, 0, 0, 5, 0, 0])).toEqual([null, null, 0, 5, 0, null]);
    expect(curveOf([0, 0, 0, 0])).toEqual([null, null, null, null]);
  });

  it('is no single dash', () => {
    expect(curveOf([])).toEqual([]);
    expect(curveOf([4])).toEqual([null]);
    expect(curveOf([4, 4])).toEqual([null, null]);
    expect(curveOf([4, 0, 0, 0, 1, 2, 3])).toEqual([null, null, null, 0, 1, 2, 3]);
  });

  it('keeps every value of a busy time', () => {
    const busy = fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 3 });
    const keepsAll = fc.property(busy, (column) => {
      expect(curveOf(column)).toEqual(column);
    });
    fc.assert(keepsAll);
  });
});
