import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grouped } from '../../src/base/grouped.ts';
import { cleanLine, cleanText, cutText, headOf } from '../../src/tools/clean-text.ts';

describe('upstream text', () => {
  it.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['cursor movement', 'a\u001b[2J\u001b[1;1Hb', 'ab'],
    ['a title set by OSC', 'a\u001b]0;owned\u0007b', 'ab'],
    ['a link by OSC 8', '\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['eight-bit CSI', 'a\u009b31mb', 'ab'],
    ['control characters', 'a\u0000\u0007\u0008b\u007f', 'ab'],
    ['bidirectional overrides', 'if (\u202eadmin\u2066)', 'if (admin)'],
    ['zero-width characters and marks', '\ufeffa\u200bb\u200e', 'ab'],
    ['invisible tags', 'hi\u{e0041}\u{e0042}', 'hi'],
    ['half a pair', 'a\ud800b', 'a\ufffdb'],
    ['carriage returns', 'a\r\nb\rc\u2028d', 'a\nb\nc\nd'],
  ])('is cleaned of %s', (_name, dirty, clean) => {
    expect(cleanText(dirty)).toBe(clean);
  });

  it('keeps what people write', () => {
    const text = 'Tab\there, naïve 日本語 👩‍👩‍👧 العربية\n\n  indented';
    expect(cleanText(text)).toBe(text);
  });

  it('is cleaned for good at the first time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const clean = cleanText(text);
        expect(cleanText(clean)).toBe(clean);
        expect(clean.replaceAll(/[\t\n]/g, '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      }),
    );
  });

  it('fits on one line where one line is wanted', () => {
    expect(cleanLine('  two\n lines\u001b[1m ', 100)).toBe('two lines');
    expect(cleanLine('abcdef', 4)).toBe('abc…');
  });
});

describe('a cut', () => {
  it('never splits a character', () => {
    expect(headOf('a😀', 2)).toBe('a');
    expect(cutText('ab😀', 4)).toBe('ab😀');
    expect(cutText('ab😀c', 4)).toBe('ab…');
  });
});

describe('a number in a sentence', () => {
  it('has its thousands apart', () => {
    expect([0, 999, 1000, 400_000, 1_234_567].map(grouped)).toEqual([
      '0',
      '999',
      '1,000',
      '400,000',
      '1,234,567',
    ]);
  });
});
