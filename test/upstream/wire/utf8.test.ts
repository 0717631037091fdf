import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Utf8Reader } from '../../../src/upstream/wire/utf8.ts';

function readInPieces(bytes: Uint8Array, size: number): string {
  const reader = new Utf8Reader();
  let text = '';
  for (let at = 0; at < bytes.length; at += size)
    text += reader.read(bytes.subarray(at, at + size));
  return text + reader.end();
}

describe('text that comes in pieces', () => {
  it('is what the bytes say, wherever they are cut', () => {
    const sizes = fc.integer({ min: 1, max: 8 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), sizes, (text, size) => {
        const bytes = new TextEncoder().encode(text);
        expect(readInPieces(bytes, size)).toBe(new TextDecoder().decode(bytes));
      }),
    );
  });

  it.each([1, 2, 3, 8])('loses its byte order mark, in pieces of %i bytes', (size) => {
    const bytes = new TextEncoder().encode('\uFEFF{"a":"\uFEFF"}');
    expect(readInPieces(bytes, size)).toBe('{"a":"\uFEFF"}');
  });

  it('shows a character that was cut off as one that is unknown', () => {
    expect(readInPieces(Uint8Array.of(0x61, 0xe2, 0x82), 3)).toBe('a\uFFFD');
  });
});
