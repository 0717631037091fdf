/** Fences where models put them, and what is left of the prose around them. */

import { describe, expect, it } from 'vitest';
import { splitAnswer as split } from '../../../src/tools/code/split-answer.ts';

function splitAnswer(answer: string, isCut = false) {
  return split(answer, { language: null, isCut });
}

function codeOf(answer: string): string[] {
  return splitAnswer(answer).blocks.map((block) => block.code);
}

describe('a fence', () => {
  it.each([
    ['behind a tab', '\t```js\n\ta();\n\t```'],
    ['behind an indented list marker', '  - ```js\n    a();\n    ```'],
    ['behind a list marker and two blanks', '-  ```js\n   a();\n   ```'],
    ['behind a number', '12) ```js\n    a();\n    ```'],
    ['with blanks behind it', '``` js  \na();\n```  '],
    ['closed by one that is indented by three', '```js\na();\n   ```'],
    ['behind a mark of the model’s own trade', '<|im_start|>```js\na();\n```<|im_end|>'],
    ['of tildes, which may name it in backticks', '~~~js `once`\na();\n~~~'],
  ])('%s is one', (_name, answer) => {
    const { blocks, prose } = splitAnswer(`${answer}\nDone.`);
    expect(blocks).toEqual([{ language: 'js', file: null, code: 'a();' }]);
    expect(prose).toMatch(/^(?:`once`\n\n)?Done\.$/);
  });

  it.each([
    '~5 lines, or so, between ~~~ and ~~~ it is.\nThat is all there is.',
    '***~~~***\nThat is all there is to it.',
    '```js` opens a block of JavaScript.\nIt is closed by three backticks.',
    'It ends with ```\nThat is what closes a block.',
    'Use ```js to open a block.\nThat is how it goes.',
    'Close it with ```, then js\nThat is how it goes.',
    'Put it between these:\n\n``` ```',
    'Write the code between ``` ``` as usual.',
  ])('is not what only looks like one: %j', (answer) => {
    expect(splitAnswer(answer)).toEqual({ blocks: [], prose: answer });
  });

  it.each(['// ends with ```\na();', 'Use ```js to begin', '```js the usual way of it\na();\n```'])(
    'within a block that is closed later is part of it: %j',
    (code) => {
      expect(splitAnswer(`\`\`\`md\n${code}\n\`\`\`\nDone.`)).toEqual({
        blocks: [{ language: 'md', file: null, code }],
        prose: 'Done.',
      });
    },
  );

  it.each(['```js', '```js example', '```js title="a b" {1}'])(
    'in front of a sentence closes, also around another: %s',
    (opening) => {
      const code = `${opening}\na();\n\`\`\``;
      expect(splitAnswer(`\`\`\`md\n${code}\n\`\`\` That was all of it.`)).toEqual({
        blocks: [{ language: 'md', file: null, code }],
        prose: 'That was all of it.',
      });
    },
  );

  it('that is missing twice ends each block where the next one begins', () => {
    expect(codeOf('```js\na();\n```py\nb();')).toEqual(['a();', 'b();']);
  });

  it('that nothing closed in an answer that was cut runs to its end', () => {
    const code = 'def f():\n  """\n``` This is an odd line of it\n  x';
    expect(splitAnswer(`\`\`\`python\n${code}`, true)).toEqual({
      blocks: [{ language: 'python', file: null, code }],
      prose: '',
    });
  });

  it('that nothing closed holds what follows it, not the prose before it', () => {
    const code = 'x = f(1)\ny = g(2)\nz = h(3)';
    expect(splitAnswer(`Here it is, as you asked.\n\`\`\`\n${code}`)).toEqual({
      blocks: [{ language: null, file: null, code }],
      prose: 'Here it is, as you asked.',
    });
  });

  it('without any line in it is no block', () => {
    expect(splitAnswer('Here:\n```js\n```\nThat was nothing at all.').blocks).toEqual([]);
  });
});

describe('the prose around a block', () => {
  it.each([
    ['Here is the code: ```python\nprint(1)\n```\nDone.', 'Here is the code:\n\nDone.'],
    ['Here is the code ```python\nprint(1)\n```\nDone.', 'Here is the code\n\nDone.'],
    ['Here it is: ``` \nprint(1)\n```\nDone.', 'Here it is:\n\nDone.'],
    ['```\nprint(1)\n``` This prints.\n\nDone.', 'This prints.\n\nDone.'],
    ['```\nprint(1)\n``` and that is it\n\nDone.', 'and that is it\n\nDone.'],
    ['Before.\n```\nprint(1)\n```\nDone.', 'Before.\n\nDone.'],
    ['Before.\n\n\n```\nprint(1)\n```\n\n\nDone.', 'Before.\n\nDone.'],
    ['- ```\n  print(1)\n  ```', ''],
  ])('is all that is outside of its fences: %j', (answer, prose) => {
    expect(splitAnswer(answer)).toMatchObject({ blocks: [{ code: 'print(1)' }], prose });
  });

  it('loses code that stands on the line of the fence', () => {
    expect(splitAnswer('```js if (a) {\n  b();\n}\n```')).toEqual({
      blocks: [{ language: 'js', file: null, code: 'if (a) {\n  b();\n}' }],
      prose: '',
    });
    expect(splitAnswer('```js {once=1;}\nb();\n```').prose).toBe('{once=1;}');
  });
});

describe('a block on one line', () => {
  it.each([
    ['```npm ci```', null, 'npm ci'],
    ['```bash npm ci```', 'bash', 'npm ci'],
    ['```bash```', null, 'bash'],
    ['  ``` print(1) ```  ', null, 'print(1)'],
    ['```print(1)```</s>', null, 'print(1)'],
  ])('%j holds its code, and a language before it', (line, language, code) => {
    expect(splitAnswer(`Run this:\n${line}\nThat is it.`)).toEqual({
      blocks: [{ language, file: null, code }],
      prose: 'Run this:\n\nThat is it.',
    });
  });

  it('may be one of a file', () => {
    expect(splitAnswer('`a.sh`:\n```npm ci```')).toEqual({
      blocks: [{ language: null, file: 'a.sh', code: 'npm ci' }],
      prose: '',
    });
  });

  it.each([
    ['```npm ci``` installs it.', ['npm ci']],
    ['Run ``` npm ci ``` first.\n', ['npm ci']],
    ['Run ```npm ci``` and ```npm test``` then.', ['npm ci', 'npm test']],
    ['Run ```npm ci``` or ```', ['npm ci']],
  ])('within a sentence leaves the sentence whole: %j', (answer, codes) => {
    expect(splitAnswer(answer)).toEqual({
      blocks: codes.map((code) => ({ language: null, file: null, code })),
      prose: answer.trim(),
    });
  });
});

describe('what a lost fence left behind', () => {
  it.each([
    ['python \nx = f(1)\n```\nDone.', 'python', 'x = f(1)'],
    ['bash\n```\nDone.', null, 'bash'],
    ['```text\nbash\nzsh\n```\nDone.', 'text', 'bash\nzsh'],
  ])('is a language only where there is code behind it: %j', (answer, language, code) => {
    expect(splitAnswer(answer)).toEqual({
      blocks: [{ language, file: null, code }],
      prose: 'Done.',
    });
  });
});
