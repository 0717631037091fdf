import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../../src/commands/command-line/suggest.ts';
import { table } from '../../../src/commands/terminal/table.ts';
import { wrap } from '../../../src/commands/terminal/wrap.ts';

const COMMANDS = ['serve', 'doctor', 'keys add', 'keys import', 'install', 'uninstall'];

describe('what was probably meant', () => {
  it.each([
    ['doctr', 'doctor'],
    ['dcotor', 'doctor'],
    ['serv', 'serve'],
    ['keys ad', 'keys add'],
    ['Install', 'install'],
    ['unistall', 'uninstall'],
    ['banana', null],
    ['x', null],
  ])('%s: %s', (typed, meant) => {
    expect(nearest(typed, COMMANDS)).toBe(meant);
  });

  it('is always one of the words that there are', () => {
    fc.assert(
      fc.property(fc.string(), (typed) => {
        expect([null, ...COMMANDS]).toContain(nearest(typed, COMMANDS));
      }),
    );
  });
});

describe('lines that fit', () => {
  it('loses no word, and breaks none', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), (words) => {
        const lines = wrap(words.join(' '), 20);
        expect(lines.join(' ')).toBe(words.join(' '));
        expect(lines.every((line) => line.length <= 20)).toBe(true);
      }),
    );
  });

  it('keeps a table in the terminal, and its names whole', () => {
    const name = 'DEEPSEEK_API_KEY_2';
    const text = table(['NAME', 'DETAIL'], [[name, 'word '.repeat(30).trim()]], 60);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(text.split('\n')[1]?.startsWith(name)).toBe(true);
  });
});
