import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duplicateKey, parseJson, parseRecord } from '../../../src/base/text/json.ts';

describe('foreign JSON', () => {
  it('is a record only when its root is an object', () => {
    expect(parseRecord('{"a":1}')).toEqual({ a: 1 });
    for (const text of ['[]', 'null', '"a"', '1', '', '{', '{"a":1}x']) {
      expect(parseRecord(text)).toBeNull();
    }
    expect(parseJson('null')).toEqual({ value: null });
    expect(parseJson('nul')).toBeNull();
  });

  it('has no name twice when it was written by a program', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (text) => {
        expect(duplicateKey(text)).toBeNull();
      }),
    );
  });

  it('names what stands twice, however it is written, and only within one object', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(name, fc.json({ maxDepth: 3 }), (twice, value) => {
        const once = JSON.stringify(twice);
        const escaped = `"${[...Array(twice.length).keys()]
          .map((at) => `\\u${twice.charCodeAt(at).toString(16).padStart(4, '0')}`)
          .join('')}"`;
        expect(duplicateKey(`{${once}: ${value},\n ${escaped} :${value}}`)).toBe(twice);
        expect(duplicateKey(`[{${once}:1},{${once}:[${once},${once}]}]`)).toBeNull();
        expect(duplicateKey(`{"outer":{${once}:1},${once}:{${once}:2}}`)).toBe(
          twice === 'outer' ? 'outer' : null,
        );
      }),
    );
  });

  it('may hold strings of megabytes, of quotes and of backslashes', () => {
    for (const long of ['x', '"', '\\', '\\"', '}{']) {
      const value = JSON.stringify(long.repeat(4_000_000));
      expect(duplicateKey(`{"a":${value},"b":${value}}`)).toBeNull();
      expect(duplicateKey(`{"a":${value},"a":${value}}`)).toBe('a');
    }
  });
});
