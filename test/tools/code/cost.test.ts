/** What an answer costs: apart from what it means, for mutants are not held against a clock. */

import { expect, it } from 'vitest';
import { splitAnswer } from '../../../src/tools/code/split-answer.ts';

/** Ten times as long takes about ten times as long; a square would take a hundred times. */
it.each([
  ['blanks behind a fence', (n: number) => `\`\`\`js${' '.repeat(n)}\na();\n\`\`\``],
  ['blanks alone', (n: number) => ' '.repeat(n)],
  ['blank lines', (n: number) => `x${'\n'.repeat(n)}x`],
  ['fences that open', (n: number) => '```js\n'.repeat(n / 6)],
  ['bare fences', (n: number) => '```\n'.repeat(n / 4)],
  [
    'long fences, then short',
    (n: number) => `${'````js\n'.repeat(n / 14)}${'```\n'.repeat(n / 8)}`,
  ],
  ['fences behind prose', (n: number) => 'a: ```js\n'.repeat(n / 9)],
  ['backticks', (n: number) => '`'.repeat(n)],
  ['spans', (n: number) => '```a``` '.repeat(n / 8)],
  ['span ends in one line', (n: number) => `x ${'``` '.repeat(n / 4)}`],
  ['tokens at the end', (n: number) => `x${'</s>'.repeat(n / 4)}`],
  ['tokens at the beginning', (n: number) => `${'<|a|> '.repeat(n / 6)}x`],
  ['half tokens', (n: number) => '<|'.repeat(n / 2)],
  ['reasoning that never ends', (n: number) => '<think>'.repeat(n / 7)],
  ['names of files', (n: number) => `${'a/'.repeat(n / 2)}\n\`\`\`\nx\n\`\`\``],
  ['markers', (n: number) => '- '.repeat(n / 2)],
  ['a comment', (n: number) => `\`\`\`\n# ${'x'.repeat(n)}\n\`\`\``],
  ['one line of prose', (n: number) => 'word '.repeat(n / 5)],
  ['one line of code', (n: number) => 'f('.repeat(n / 2)],
  ['lines of prose', (n: number) => 'Some words that are prose.\n'.repeat(n / 27)],
  ['indented lines', (n: number) => '    x = 1\n'.repeat(n / 10)],
])('takes time in proportion to its length: %s', (_name, make) => {
  /** Of the processor, for others may work beside a test. */
  const costOf = (length: number): number => {
    const answer = make(length);
    const before = process.cpuUsage().user;
    splitAnswer(answer, { language: null, isCut: false });
    return (process.cpuUsage().user - before) / 1_000;
  };
  const short = Math.max(10, Math.min(costOf(60_000), costOf(60_000), costOf(60_000)));
  expect(costOf(600_000)).toBeLessThan(40 * short);
});
