/** What answers call their blocks: files, languages, captions. */

import { describe, expect, it } from 'vitest';
import { splitAnswer as split } from '../../../src/tools/code/split-answer.ts';

function splitAnswer(answer: string) {
  return split(answer, { language: null, isCut: false });
}

const DEEP = 'a-folder-with-a-long-name/'.repeat(9);

describe('the name of a file', () => {
  it.each([
    ['`../src/a.ts`', '../src/a.ts'],
    ['`src/Dockerfile`', 'src/Dockerfile'],
    ['`src\\Dockerfile`', 'src\\Dockerfile'],
    ['`src/a.ts` :', 'src/a.ts'],
    ['`a.test.TS`', 'a.test.TS'],
    ['`.env.example`', '.env.example'],
  ])('may stand alone above a block: %s', (line, file) => {
    expect(splitAnswer(`${line}\n\`\`\`\nx\n\`\`\``)).toMatchObject({
      blocks: [{ file }],
      prose: '',
    });
  });

  it.each([
    'Into a file that ends in `.c`:',
    `${'word '.repeat(40)} into \`a.ts\`:`,
    'Into `a..`:',
    'Into `a.unheardof`:',
  ])('is not everything: %j', (line) => {
    expect(splitAnswer(`${line}\n\`\`\`\nx\n\`\`\``)).toMatchObject({
      blocks: [{ file: null, language: null }],
      prose: line,
    });
  });

  it('may stand in a sentence, with blanks around it', () => {
    expect(splitAnswer('In ** a.ts ** put this:\n```\nx\n```').blocks[0]).toMatchObject({
      file: 'a.ts',
    });
  });

  it.each([
    ['`a.ts`\n\n\n', 'a.ts', ''],
    ['`a.ts`\n  \n', 'a.ts', ''],
    ['`a.ts`\n\n\n\n', null, '`a.ts`'],
  ])('belongs to a block at most three lines below: %j', (above, file, prose) => {
    expect(splitAnswer(`${above}\`\`\`ts\na();\n\`\`\``)).toEqual({
      blocks: [{ language: 'ts', file, code: 'a();' }],
      prose,
    });
  });
});

describe('what a fence says', () => {
  it.each([
    ['src/a.test.ts', 'ts', 'src/a.test.ts', ''],
    ['ts : src/a.ts', 'ts', 'src/a.ts', ''],
    ['js title=" a.js "', 'js', 'a.js', ''],
    ['js caption="a.js"', 'js', null, ''],
    ['(see below)', null, null, '(see below)'],
    [`ts ${DEEP}a.ts`, 'ts', null, `${DEEP}a.ts`],
    ['js title="a.js" name="b.js"', 'js', 'a.js', ''],
  ])('%s: language, file, caption', (info, language, file, prose) => {
    expect(splitAnswer(`\`\`\`${info}\nx\n\`\`\``)).toEqual({
      blocks: [{ language, file, code: 'x' }],
      prose,
    });
  });
});
