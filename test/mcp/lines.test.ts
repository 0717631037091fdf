import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../src/mcp/stdio/lines.ts';
import { TopLevelId } from '../../src/mcp/stdio/top-level-id.ts';

type Seen = string | { readonly oversize: string | number | null };

function split(chunks: readonly Buffer[], limit?: number): Seen[] {
  const seen: Seen[] = [];
  const splitter = new LineSplitter(
    {
      line: (bytes) => seen.push(bytes.toString('utf8')),
      oversize: (id) => seen.push({ oversize: id }),
    },
    limit,
  );
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return seen;
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

  it('over the limit are named by their id and do not disturb the next', () => {
    const long = `{"method":"x","params":{"id":9,"t":"${'y'.repeat(100)}"},"id":7}`;
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const bytes = Buffer.from(`short\n${long}\nnext\n`);
        expect(split(chunked(bytes, cuts), 64)).toEqual(['short', { oversize: 7 }, 'next']);
      }),
    );
  });
});

describe('the id of a message that is not kept', () => {
  it('is read wherever it stands', () => {
    const id = fc.oneof(fc.integer(), fc.string({ maxLength: 30 }));
    fc.assert(
      fc.property(id, fc.jsonValue(), fc.jsonValue(), (value, before, after) => {
        const reader = new TopLevelId();
        const text = JSON.stringify({ a: before, id: value, 'i"d': 3, params: after });
        reader.push(Buffer.from(text));
        expect(reader.id).toBe(value);
      }),
    );
  });

  it.each(['{"a":1}', '{"id":null}', '{"id":{"id":1}}', '{"id":[1]}', '{"id":1.5}', 'id', '{"id"'])(
    'is null in %s',
    (text) => {
      const reader = new TopLevelId();
      reader.push(Buffer.from(text));
      expect(reader.id).toBe(null);
    },
  );
});
