/** What models make of Markdown, and what code there is in it. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitAnswer as split } from '../../../src/tools/code/split-answer.ts';

function splitAnswer(answer: string, language: string | null = null, isCut = false) {
  return split(answer, { language, isCut });
}

function codeOf(answer: string): string[] {
  return splitAnswer(answer).blocks.map((block) => block.code);
}

describe('fences within fences', () => {
  it.each([
    ['python', 'd = """\n```js\na()\n```\n"""\nprint(d)'],
    ['ts', '/**\n```ts\nuse();\n```\n*/\nexport const a = 1;'],
    ['markdown', '# Use\n```sh\nnpm ci\n```\n```js\na();\n```\nDone.'],
    ['text', '```a\n```b\nx\n```\n```'],
  ])('of %s are part of it', (language, code) => {
    const found = splitAnswer(`Here:\n\`\`\`${language}\n${code}\n\`\`\`\nThat is it.`);
    expect(found).toEqual({
      blocks: [{ language, file: null, code }],
      prose: 'Here:\n\nThat is it.',
    });
  });

  it('are blocks of their own where the one before was not closed', () => {
    expect(splitAnswer('```python\nA = 1\n\n```js\nb();\n```\nDone.')).toEqual({
      blocks: [
        { language: 'python', file: null, code: 'A = 1\n' },
        { language: 'js', file: null, code: 'b();' },
      ],
      prose: 'Done.',
    });
  });

  it('are part of a file that was cut', () => {
    const code = 'def f():\n  """\n```js\nx\n```\n  """\n  return';
    const cut = splitAnswer(`\`\`\`python\n${code}`, null, true);
    expect(cut.blocks).toEqual([{ language: 'python', file: null, code }]);
    const markdown = '# Use\n```sh\nnpm ci\n```\nAnd';
    expect(codeOf(`\`\`\`md\n${markdown}`)).toEqual([markdown]);
  });

  it('that are longer close whatever is within', () => {
    expect(codeOf('````\n```js\na();\n````\nDone.')).toEqual(['```js\na();']);
    expect(codeOf('```js\n````x\na();\n```\nDone.')).toEqual(['````x\na();']);
  });
});

describe('fences in the wrong place', () => {
  it.each([
    ['behind prose', 'Here is the code: ```python\nprint(1)\n```\nDone.', 'print(1)'],
    ['behind prose, without a language', 'Here it is: ```\nprint(1)\n```\nDone.', 'print(1)'],
    ['behind a brace', '```js\nif (a) {\n  b();\n}```\nDone.', 'if (a) {\n  b();\n}'],
    ['behind a brace, prose behind it', '```js\nf() {\n}``` That is it.\nDone.', 'f() {\n}'],
    ['behind a brace, two words behind it', '```js\nf() {\n}``` and so\non it goes', 'f() {\n}'],
    ['behind a brace, a word behind it', '```js\nf() {\n}``` Done', 'f() {\n}'],
    ['before a sentence', '```js\na();\n``` This calls a.\n\nDone.', 'a();'],
    ['before a word', '```js\na();\n``` Done\nMore', 'a();'],
    ['before two words', '```js\na();\n``` and so\non it goes', 'a();'],
    ['before a word that ends a sentence', '```js\na();\n```Done.\nMore', 'a();'],
    ['before a sentence about Go', '```go\nf()\n``` Go is fine here.\nMore', 'f()'],
    ['around one line', '```print(1)```', 'print(1)'],
    ['around one line, with its language', '```python print(1)```', 'print(1)'],
    ['with code on its own line', '```js const a = 1;\nb();\n```', 'const a = 1;\nb();'],
    ['nowhere at the beginning', 'def f():\n    return 1\n```\nDone.', 'def f():\n    return 1'],
    ['nowhere but for its language', 'python\nx = f(1)\n```\nDone.', 'x = f(1)'],
    ['in a list', '1. Run:\n   ```sh\n   npm ci\n   ```\n2. Done', 'npm ci'],
  ])('%s', (_name, answer, code) => {
    expect(codeOf(answer)).toEqual([code]);
  });

  it.each(['``` python', '```mermaid'])('open the next block where none was closed: %s', (open) => {
    expect(codeOf(`\`\`\`js\na();\n${open}\nb()\n\`\`\``)).toEqual(['a();', 'b()']);
  });

  it('in prose, or bare at its end, open nothing', () => {
    const answer = '```js\na();\n```\nPut it between ``` and ``` as above, or after ```';
    expect(splitAnswer(answer)).toEqual({
      blocks: [{ language: 'js', file: null, code: 'a();' }],
      prose: 'Put it between ``` and ``` as above, or after ```',
    });
  });

  it('the first of several may be missing', () => {
    const answer = 'import a\na.run(1)\n```\nThen this:\n```js\nb();\n```\nDone.';
    expect(splitAnswer(answer)).toEqual({
      blocks: [
        { language: null, file: null, code: 'import a\na.run(1)' },
        { language: 'js', file: null, code: 'b();' },
      ],
      prose: 'Then this:\n\nDone.',
    });
  });
});

describe('marks of the model’s own trade', () => {
  it.each([
    '```js\na();\n```<|end_of_sentence|>',
    '```js\na();\n```\n<|im_end|>',
    '```js\na();\n```<｜end▁of▁sentence｜>',
    '```js\na();\n<|eot_id|>```',
    '```js\na();<|endoftext|>\n```',
    '```js\na();\n```</s></s>',
    '<|begin_of_sentence|><|Assistant|>```js\na();\n```',
    '<|im_start|>\n```js\na();\n```\n<|im_end|>\n',
    'a();<|im_end|>',
  ])('%j are no code', (answer) => {
    expect(codeOf(answer)).toEqual(['a();']);
  });

  it('stay where they are what the code is about', () => {
    const code = 'const END = "<|im_end|>";\nconst s = "</s>";';
    expect(codeOf(`\`\`\`js\n${code}\n\`\`\``)).toEqual([code]);
  });

  it.each([
    '<think>\n```js\nno();\n```\n</think>\n\n```js\na();\n```',
    'Hm. ```js\nno();\n```\n</think>\n\n```js\na();\n```',
    '</think>\n```js\na();\n```',
    '<thinking>hm</thinking>```js\na();\n```',
  ])('reasoning is no code: %j', (answer) => {
    expect(splitAnswer(answer)).toEqual({
      blocks: [{ language: 'js', file: null, code: 'a();' }],
      prose: '',
    });
  });

  it('the word of it in code is code', () => {
    const code = 'tag = "<think>"\nend = """\n</think>\n"""';
    expect(codeOf(`\`\`\`py\n${code}\n\`\`\``)).toEqual([code]);
  });
});

describe('an answer without fences', () => {
  it.each([
    'print(1)',
    'ls -la',
    'npm install left-pad',
    'SELECT * FROM users;',
    'name: ci\non: push\njobs:\n  test:\n    runs-on: ubuntu-latest',
    '{"a": 1}',
    '<!DOCTYPE html>\n<html></html>',
    '# Adds two numbers.\ndef add(a, b):\n    """Adds them, and returns the sum of both."""\n    return a + b',
    'fn main() {\n    println!("hello");\n}',
    '#include <stdio.h>\nint main(void) { return 0; }',
    'body {\n  color: red;\n}',
    'FROM node:20\nRUN npm ci\nCMD ["node", "a.js"]',
    'main = do\n  line <- getLine\n  putStrLn (reverse line)',
  ])('that is code is code: %j', (answer) => {
    expect(splitAnswer(answer)).toMatchObject({ blocks: [{ code: answer }], prose: '' });
  });

  it.each([
    'I cannot help with that request.',
    'Which version of the library do you use?',
    'Sure',
    'No.',
    'Я не могу помочь с этой просьбой.',
    '我需要更多信息。',
    'Sorry, I need more details:\n\n- Which database do you use?\n- How many rows are there?',
    'The function `add` takes two numbers and returns their sum. It needs no other module.',
    '**Note:** this cannot be done without the schema. Please send it to me first.',
    '',
  ])('that is prose holds none: %j', (answer) => {
    expect(splitAnswer(answer)).toEqual({ blocks: [], prose: answer });
  });

  it('loses the sentences around its code, and those alone', () => {
    expect(
      splitAnswer(
        'Here is the function:\n\ndef add(a, b):\n    return a + b\n\nIt adds two numbers together.',
      ),
    ).toEqual({
      blocks: [{ language: null, file: null, code: 'def add(a, b):\n    return a + b' }],
      prose: 'Here is the function:\n\nIt adds two numbers together.',
    });
    const long = 'You import the module first, and then you call what you need from it.';
    expect(splitAnswer(`${long}\n${long}\n\nimport os\nprint(os.getcwd())\n\n${long}`)).toEqual({
      blocks: [{ language: null, file: null, code: 'import os\nprint(os.getcwd())' }],
      prose: `${long}\n${long}\n\n${long}`,
    });
  });

  it.each([
    ['Run ```npm ci``` first.', 'npm ci'],
    ['`git rebase -i HEAD~3`', 'git rebase -i HEAD~3'],
    ['`a = 1`\n\n`b = 2`', 'a = 1\nb = 2'],
  ])('may hold it in spans: %j', (answer, code) => {
    expect(codeOf(answer)).toEqual([code]);
  });

  it('is the file itself where Markdown or text was asked for', () => {
    const readme = '# Title\n\nIt does this and that.\n\n```sh\nnpm i\n```\n\nDone.';
    expect(splitAnswer(readme, 'Markdown').blocks).toEqual([
      { language: 'markdown', file: null, code: readme },
    ]);
    const poem = 'Roses are red, violets are blue.';
    expect(splitAnswer(poem, 'text')).toMatchObject({ blocks: [{ code: poem }], prose: '' });
    expect(splitAnswer('```md\n# Title\n```', 'markdown').blocks).toMatchObject([
      { code: '# Title' },
    ]);
  });
});

describe('files', () => {
  it.each([
    ['`src/a.ts`:', 'src/a.ts'],
    ['**src/a.ts**', 'src/a.ts'],
    ['### 1. `src/a.ts`', 'src/a.ts'],
    ['File: a.py', 'a.py'],
    ['Filename: `a.py`', 'a.py'],
    ['- a.py', 'a.py'],
    ['Dockerfile:', 'Dockerfile'],
    ['**.gitignore**', '.gitignore'],
    ['src\\win\\a.cs', 'src\\win\\a.cs'],
  ])('named by a line of their own: %s', (line, file) => {
    expect(splitAnswer(`${line}\n\n\`\`\`\nx = f(1)\n\`\`\``)).toMatchObject({
      blocks: [{ file }],
      prose: '',
    });
  });

  it.each([
    ['Put this into `src/a.ts` and run it:', 'src/a.ts'],
    ['This uses Node.js and version 1.5 of it:', null],
    ['**Node.js**', null],
    ['Copy `a.ts` over `b.ts`:', null],
    ['e.g.', null],
  ])('named in a sentence, if by one name: %s', (line, file) => {
    expect(splitAnswer(`${line}\n\`\`\`\nx = f(1)\n\`\`\``)).toMatchObject({
      blocks: [{ file }],
      prose: line,
    });
  });

  it('named in the first comment of the code', () => {
    const named = (line: string) => splitAnswer(`\`\`\`\n${line}\nx\n\`\`\``).blocks[0]?.file;
    expect(named('// src/a.js')).toBe('src/a.js');
    expect(named('# file: a.py')).toBe('a.py');
    expect(named('<!-- index.html -->')).toBe('index.html');
    expect(named('/* a.css */')).toBe('a.css');
    expect(named('# a comment')).toBeNull();
  });

  it('name the next block, not the one after it', () => {
    const answer = 'In `a.ts`:\n```ts\na();\n```\n```ts\nb();\n```';
    expect(splitAnswer(answer).blocks.map((block) => block.file)).toEqual(['a.ts', null]);
  });

  it('tell the language where the fence does not', () => {
    expect(splitAnswer('`a.py`\n```\nx\n```').blocks[0]).toMatchObject({ language: 'py' });
  });
});

describe('whatever comes', () => {
  const fragment = fc.constantFrom(
    '```',
    '```js',
    '````md',
    '~~~',
    '}```',
    ': ```py',
    'a();',
    'Some words that are prose.',
    '</think>',
    '<think>',
    '<|im_end|>',
    '    ```',
    '',
    '`a.ts`:',
  );
  const answers = fc.array(fragment, { maxLength: 30 }).map((lines) => lines.join('\n'));

  it('no block is blank, and no code is lost', () => {
    fc.assert(
      fc.property(answers, fc.boolean(), (answer, isCut) => {
        const { blocks, prose } = splitAnswer(answer, null, isCut);
        for (const { code } of blocks) expect(code.trim()).not.toBe('');
        const shown = `${prose}${blocks.map(({ code }) => code).join('')}`;
        const count = (text: string): number => text.split('a();').length;
        // Reasoning is left out, and nothing else.
        if (!answer.includes('think>')) expect(count(shown)).toBe(count(answer));
        if (blocks.length === 0) expect(prose).not.toContain('a();');
      }),
      { numRuns: 500 },
    );
  });
});
