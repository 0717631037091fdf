/**
 * A quarter of a megabyte of what makes bad readers slow, before everything that reads other people's text.
 * Nothing is timed: what is linear reads all of it in a moment, and what is quadratic runs into the
 * time limit of a test, which is a hundred times as much.
 */

import { describe, expect, it } from 'vitest';
import { isPlaceholder, splitValues, unwrapValue } from '../../src/base/keys/key-values.ts';
import { Redactor } from '../../src/base/redact.ts';
import { withVariable } from '../../src/commands/composition/home/settings-file.ts';
import { parseArguments } from '../../src/tools/arguments.ts';
import { cleanLine, cleanText } from '../../src/tools/clean-text.ts';
import { splitAnswer } from '../../src/tools/code/split-answer.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { diagnoseAnswer } from '../../src/upstream/failures/failure.ts';

const LENGTH = 256 * 1024;

const redactor = new Redactor();
redactor.use('test', ['sk-0123456789abcdef0123456789abcdef', 'a1'.repeat(64), 'correct horse']);

const [tool] = TOOLS;
const noHeaders = { get: () => null };

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  redactLog: (text) => redactor.redactLog(text),
  cleanText,
  cleanLine: (text) => cleanLine(text, 100),
  splitAnswer: (text) => splitAnswer(text, { language: null, isCut: false }),
  'splitAnswer, language asked for': (text) =>
    splitAnswer(`\`\`\`js${text}`, { language: 'js', isCut: true }),
  diagnoseAnswer: (text) => diagnoseAnswer(400, noHeaders, text),
  'diagnoseAnswer, JSON': (text) =>
    diagnoseAnswer(400, noHeaders, JSON.stringify({ error: { message: text } })),
  parseArguments: (text) => tool && parseArguments(tool, { prompt: text, context: text }),
  unwrapValue,
  splitValues,
  isPlaceholder,
  withVariable: (text) => withVariable(text, 'A', 'b'),
};

const PIECES = [
  ...[
    ' ',
    '\t',
    '\n',
    ' \n',
    '\r',
    '`',
    '```',
    '```\n',
    '```js ',
    '~~~\n',
    '<',
    '<think>',
    '(',
    ')',
  ],
  ...[
    '{',
    '[',
    '"',
    "'",
    '\\',
    '\\"',
    '%',
    '%4',
    '%41',
    '\\u00',
    '&#',
    '&#65;',
    '\u0000',
    '\u200b',
  ],
  ...[
    '\u001b[',
    '\u001b]',
    'a',
    'aB',
    'A1',
    '=',
    'a=',
    'a:',
    ':',
    ',',
    '.',
    '-',
    '_',
    '#',
    ' #',
    '/',
  ],
  ...[
    'sk-',
    'sk-a',
    'Bearer ',
    'gAAAA',
    'a1',
    'correct ',
    '00',
    '0 ',
    '0x',
    '1,',
    '\u4e00',
    '\u202e',
  ],
  ...['or and ', 'supported api model names are ', '$', '*', '|', '| -', '.js', 'a.js\n', '// '],
];

describe('a quarter of a megabyte of anything', () => {
  it.each(Object.keys(READERS))(
    'is read by %s',
    (name) => {
      for (const piece of PIECES) {
        const text = piece.repeat(Math.ceil(LENGTH / piece.length));
        expect(() => READERS[name]?.(text), piece).not.toThrow();
        expect(() => READERS[name]?.(`x${text}!`), piece).not.toThrow();
      }
    },
    60_000,
  );
});
