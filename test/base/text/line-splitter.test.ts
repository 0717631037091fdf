import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../../src/base/text/line-splitter.ts';

function split(chunks: readonly Buffer[], limit: number) {
  const seen: Array<readonly [string, boolean] | 'oversize'> = [];
  const splitter = new LineSplitter(
    {
      line: (bytes, isEnded) => seen.push([bytes.toString(), isEnded]),
      blank: () => seen.push(['', true]),
      oversize: () => seen.push('oversize'),
    },
    limit,
  );
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return seen;
}

describe('bytes', () => {
  it('are split at line feeds, wherever the pieces end', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '🎈', '\u2028', '\r') });
    fc.assert(
      fc.property(fc.array(line), line, fc.array(fc.nat(400)), (lines, last, cuts) => {
        const bytes = Buffer.from([...lines, last].join('\n'));
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
          (one, other) => one - other,
        );
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const expected = lines.map((text) => [text, true]);
        expect(split(chunks, 10_000)).toEqual(
          last === '' ? expected : [...expected, [last, false]],
        );
      }),
    );
  });

  it('of a line over the limit go by, and the next line is read', () => {
    const bytes = Buffer.from(`${'x'.repeat(50)}\nshort\n${'y'.repeat(11)}\nend`);
    const chunks = [bytes.subarray(0, 20), bytes.subarray(20, 40), bytes.subarray(40)];
    expect(split(chunks, 10)).toEqual(['oversize', ['short', true], 'oversize', ['end', false]]);
  });

  it('of a line over the limit that never ends are no line', () => {
    expect(split([Buffer.from('x'.repeat(50))], 10)).toEqual(['oversize']);
  });
});
