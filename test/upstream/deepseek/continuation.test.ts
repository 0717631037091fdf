import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goesOn } from '../../../src/upstream/deepseek/continuation.ts';

const BEGINNING = 'Here it is:\n\n```python\ndef add(first, second):\n    total = first + sec';

describe('text after a beginning', () => {
  it.each([
    'ond\n    return total\n```\nIt adds.',
    'ond\n    return total\n```\nUse it so:\n```python\nadd(1, 2)\n```',
    'ond',
    '',
  ])('goes on: %j', (addition) => {
    expect(goesOn(BEGINNING, addition)).toBe(true);
  });

  it.each([
    ['the same from the start', `${BEGINNING}ond\n`],
    ['the same, and not all of it yet', BEGINNING.slice(0, 30)],
    ['the same behind a blank line', `\n${BEGINNING}`],
    ['the line that broke off', '    total = first + second\n    return total\n```'],
    ['a fence that opens anew', 'Sure! Here is all of it:\n```python\ndef add(a, b):'],
    ['a fence at once', '```python\ndef add(a, b):'],
  ])('begins anew: %s', (_name, addition) => {
    expect(goesOn(BEGINNING, addition)).toBe(false);
  });

  it('a short beginning that is said again whole is said again', () => {
    expect(goesOn('the first half, ', 'the first half, and the second')).toBe(false);
    expect(goesOn('a = [0, ', '0, 0]')).toBe(true);
    expect(goesOn('let x = ', 'let x = 1;')).toBe(false);
    expect(goesOn('let x =', 'let x = 1;')).toBe(false);
    // Twenty-four characters of it are no chance; twenty-three, within longer text, may be one.
    const long = 'abcdefghijklmnopqrstuvwxyz';
    expect(goesOn(`${long}\nmore`, `${long.slice(0, 24)}-`)).toBe(false);
    expect(goesOn(`${long}\nmore`, `${long.slice(0, 23)}-`)).toBe(true);
    expect(goesOn('one\nab', 'abcde')).toBe(false);
    expect(goesOn('one\na', 'abcde')).toBe(true);
    expect(goesOn('one\n    ====', '=====')).toBe(true);
  });

  it('a fence with a language in the middle of a line begins anew, and a bare one may close', () => {
    expect(goesOn('Here is how:\n```js\na();\n```', '```js\nb();')).toBe(false);
    expect(goesOn('Here is how', '~~~js\nb();')).toBe(false);
    expect(goesOn('```js\nif (a) {\n}', '```\nDone.')).toBe(true);
    expect(goesOn('- First:\n  ', '```js\nb();')).toBe(true);
  });

  it('a fence may follow where none is open, and inside Markdown', () => {
    expect(goesOn('Here is how', ' to do it:\n```js\na();\n```')).toBe(true);
    expect(goesOn('```sh\nnpm i\n```\nThen', ' write:\n```js\na();\n```')).toBe(true);
    expect(goesOn('```markdown\n# Use\n', '```js\na();\n```\n```')).toBe(true);
  });

  it('cut anywhere, the rest of an answer goes on or is doubted, and is never lost', () => {
    const whole = `${BEGINNING}ond\n    return total\n\nprint(add(1, 2))\n\`\`\`\nThat is all.`;
    fc.assert(
      fc.property(fc.integer({ min: 30, max: whole.length - 1 }), (at) => {
        expect(goesOn(whole.slice(0, at), whole.slice(at))).toBe(true);
        expect(goesOn(whole.slice(0, at), whole)).toBe(false);
      }),
    );
  });
});
