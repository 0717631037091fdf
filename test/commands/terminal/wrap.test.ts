import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hanging } from '../../../src/commands/terminal/wrap.ts';

describe('a text behind its beginning', () => {
  it('stays as it is where it fits', () => {
    expect(hanging('ok    home  ', '/srv/two  blanks', 80)).toBe('ok    home  /srv/two  blanks');
  });

  it('goes on below itself', () => {
    expect(hanging('left  ', 'line 3: a value that is there already', 30)).toBe(
      'left  line 3: a value that is\n      there already',
    );
  });

  it('has no line wider than the terminal that more than one word made so', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 });
    fc.assert(
      fc.property(words, fc.integer({ min: 40, max: 120 }), (list, columns) => {
        const lines = hanging('start ', list.join(' '), columns).split('\n');
        expect(lines.every((line) => line.length <= columns)).toBe(true);
        expect(lines.map((line) => line.slice(6)).join(' ')).toBe(list.join(' '));
      }),
    );
  });
});
