import { describe, expect, it } from 'vitest';
import { applyKeystrokes } from '../../../src/commands/terminal/prompt.ts';

describe('what is typed at the hidden prompt', () => {
  it.each([
    ['text and Enter', 'abc\r', 'abc', 'enter'],
    ['a paste without Enter', 'abc', 'abc', null],
    ['backspace', 'abx\u007fc\r', 'abc', 'enter'],
    ['Ctrl-U', 'wrong\u0015abc\r', 'abc', 'enter'],
    ['arrow keys', 'a\u001b[Dbc\u001bOP\r', 'abc', 'enter'],
    ['a marked paste', '\u001b[200~abc\u001b[201~\r', 'abc', 'enter'],
    ['Ctrl-C', 'abc\u0003', '', 'cancel'],
    ['Ctrl-D', 'abc\u0004', 'abc', 'enter'],
    ['other control characters', 'a\u0001bc\r', 'abc', 'enter'],
    ['one newline at the end of a paste', 'abc\r\n', 'abc', 'enter'],
    ['a paste of two lines, which is kept whole to be refused', 'abc\ndef\n', 'abc\ndef', 'enter'],
  ])('understands %s', (_what, chunk, typed, end) => {
    expect(applyKeystrokes('', chunk)).toEqual({ typed, end });
  });

  it('goes on where the last chunk ended', () => {
    expect(applyKeystrokes('ab', 'c\r')).toEqual({ typed: 'abc', end: 'enter' });
  });
});
