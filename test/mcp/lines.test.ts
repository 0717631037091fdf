import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Line, LineSplitter } from '../../src/mcp/stdio/lines.ts';

function split(chunks: readonly Buffer[], limit?: number): string[] {
  const splitter = new LineSplitter(limit);
  const lines: Line[] = [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
  return lines.map((line) => (line === 'too long' ? '(too long)' : line.toString('utf8')));
}

/** Any way to cut bytes into chunks. */
function chunked(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

describe('lines', () => {
  it('are the same however their bytes arrive', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' '));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''));
        expect(split(chunked(bytes, cuts))).toEqual(lines.filter((each) => each !== ''));
      }),
    );
  });

  it('end with the input', () => {
    expect(split([Buffer.from('a\nb')])).toEqual(['a', 'b']);
  });

  it('over the limit go by and do not disturb the next', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const bytes = Buffer.from(`short\n${'y'.repeat(100)}\nnext\n`);
        expect(split(chunked(bytes, cuts), 64)).toEqual(['short', '(too long)', 'next']);
      }),
    );
  });
});
