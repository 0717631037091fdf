/** Answers without fences: which lines are code, and which are prose. */

import { describe, expect, it } from 'vitest';
import { splitAnswer as split } from '../../../src/tools/code/split-answer.ts';

function splitAnswer(answer: string, language: string | null = null) {
  return split(answer, { language, isCut: false });
}

const LONG =
  'The quick brown fox jumps over the lazy dog, and then it sleeps for the rest of the day';

describe('an answer that is nothing but code', () => {
  it.each([
    ['one word', 'pwd'],
    ['a name', 'myVariable'],
    ['a name with a dot', 'os.sep'],
    ['numbers', '1 2 3 4 5 6'],
    ['other numbers', '0xff 0xfe 0xfd 0xfc 0xfb 0xfa'],
    ['a statement of many words', 'return { a, b, c, d, e, f }'],
    ['a comment that is a sentence', '// Adds two numbers, and returns the sum of both.'],
    ['a tag around a sentence', `<p>${LONG}, as one of its kind does.</p>`],
    ['settings', 'Resources:\n  bucket:\n    type: a\n    name: b'],
    ['a loop over names that begin with capitals', 'for X in Y:\n    print(X)'],
    ['Pascal, which ends with a full stop', 'begin\n  writeln(1);\nend.'],
    ['lines with gaps of two', 'import os\n\n\ndef f():\n    return 1'],
    ['sentences between lines of code', `a = 1\n${LONG}.\n${LONG}.\nb = 2`],
    ['a docstring', '"""Adds two numbers and returns more."""\n\ndef add(a, b):\n    return a + b'],
    [
      'a comment of documentation',
      '/** Adds two numbers, and returns the sum. */\nfunction f() {\n}',
    ],
    ['a comment of a page', '<!-- This page shows all of the users -->\n<ul>\n<li>a</li>\n</ul>'],
  ])('%s', (_name, code) => {
    expect(splitAnswer(`${code}\n`)).toEqual({
      blocks: [{ language: null, file: null, code }],
      prose: '',
    });
  });

  it('loses the indentation that all of its lines share', () => {
    expect(splitAnswer('    a = 1\n\n      b = 2').blocks[0]?.code).toBe('a = 1\n\n  b = 2');
  });
});

describe('an answer in a language that was asked for, and looks like no other', () => {
  it.each([
    ['Lisp', 'lisp', '(defun f (x)\n  (+ x 1))'],
    ['Prolog', 'prolog', 'parent(tom, bob).\nparent(bob, ann).'],
    ['COBOL', 'cobol', 'PROCEDURE DIVISION.\n    DISPLAY "HI".\n    STOP RUN.'],
    ['Gherkin', 'gherkin', 'Feature: Login\n  Given a user exists\n  Then they all see the page'],
    ['patterns', 'gitignore', 'node_modules\n.env\n*.log'],
    ['a table', 'csv', 'id,note\n1,"Tea, as she says."\n2,"Likes none of it."'],
    ['a table with tabs', 'TSV', 'id\tname\n1\tAda'],
  ])('is code: %s', (_name, language, code) => {
    const expected = { blocks: [{ language: null, file: null, code }], prose: '' };
    expect(splitAnswer(code, language)).toEqual(expected);
  });

  it('may stand between sentences, where it is a table', () => {
    expect(splitAnswer(`Here it is:\n\na,b\n1,2\n\n${LONG}.`, 'csv')).toEqual({
      blocks: [{ language: null, file: null, code: 'a,b\n1,2' }],
      prose: `Here it is:\n\n${LONG}.`,
    });
  });

  it.each([
    '**Yes**',
    'alpha\nbeta',
    '1. Open the file\n2. Change it: now\n3. Save',
    '| Step | What |\n|---|---|\n| 1 | Open |',
    'Which one?\n\n* the version\n* the driver (if any)',
    'WARNING: THE FILE IS MISSING',
  ])('is none: %j', (prose) => {
    expect(splitAnswer(prose, 'python')).toEqual({ blocks: [], prose });
  });
});

describe('an answer that is nothing but prose', () => {
  it.each([
    ['with quoted words', "either 'yes' or 'no' or 'maybe' or 'never'"],
    ['with words in spans', 'either `a` or `b` or `c`'],
    ['with code in spans', 'It calls `a(b[0]) = {};` and `c(d[1]) = {};` for all of its items.'],
    ['with an address', 'See https://example.com/a for all of it.'],
    ['without a full stop', 'it depends on the version of it'],
    ['of one bold word', '**Yes**'],
    ['of words in a list', 'alpha\nbeta'],
    ['with a bare word between sentences', `${LONG}.\nfoo\n${LONG}.`],
    [
      'that turns odd only behind its first hundred words',
      `${'word '.repeat(90)}${'{}();'.repeat(50)}`,
    ],
  ])('%s', (_name, answer) => {
    expect(splitAnswer(answer)).toEqual({ blocks: [], prose: answer });
  });

  it.each([
    ['I cannot help with that request.', 'python', 0],
    ['', 'text', 0],
    [' \n ', 'text', 0],
    ['I cannot help with that request.', 'Plain Text', 1],
  ])('%j is a file only where text was asked for: %s', (answer, language, count) => {
    expect(splitAnswer(answer, language).blocks).toHaveLength(count);
  });
});

describe('a sentence behind code', () => {
  it.each([
    'It works.',
    '这样就可以了。',
    'that is all you need',
    'Like this:',
    'x equals one now, as “f” says.',
  ])('is no part of it: %s', (prose) => {
    expect(splitAnswer(`x = f(1)\n\n${prose}\n`)).toEqual({
      blocks: [{ language: null, file: null, code: 'x = f(1)' }],
      prose,
    });
  });
});

describe('a command in a span on a line of its own', () => {
  it('is code, and the prose stays whole', () => {
    const answer = 'Do this:\n`npm ci`\nand all is well with you.';
    expect(splitAnswer(`${answer}\n`)).toEqual({
      blocks: [{ language: null, file: null, code: 'npm ci' }],
      prose: answer,
    });
  });
});

describe('a Markdown file', () => {
  const readme = '## Title\n\nIt is.\n\n```sh\nnpm ci\n```';

  it.each(['markdown', 'md', 'MDX'])('that was asked for as %s is one block', (language) => {
    expect(splitAnswer(`${readme}\n`, language)).toEqual({
      blocks: [{ language: 'markdown', file: null, code: readme }],
      prose: '',
    });
  });

  it('may begin with front matter', () => {
    const answer = '---\ntitle: a\n---\n\n```sh\nnpm ci\n```';
    expect(splitAnswer(answer, 'md').blocks).toMatchObject([{ code: answer }]);
  });

  it.each([
    ['# Here you are\n\n```md\n# Title\n```\n\n```sh\nnpm ci\n```', 'md', ['# Title', 'npm ci']],
    ['Here you are:\n\n```sh\nnpm ci\n```', 'md', ['npm ci']],
    ['# Here you are\n\n```cmd\ndir\n```', 'cmd', ['dir']],
    ['# Here you are\n\n```cmd\ndir\n```', null, ['dir']],
  ])('is not what holds one, or something else: %j', (answer, language, codes) => {
    expect(splitAnswer(answer, language).blocks.map(({ code }) => code)).toEqual(codes);
  });
});
