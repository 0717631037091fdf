import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutReasoning } from '../../../src/tools/code/special-tokens.ts';
import { splitAnswer as split } from '../../../src/tools/code/split-answer.ts';

const splitAnswer = (answer: string, hints = {}) =>
  split(answer, { language: null, isCut: false, ...hints });

function codeOf(answer: string): string[] {
  return splitAnswer(answer).blocks.map((block) => block.code);
}

describe('code in fences', () => {
  it('comes out of backticks and tildes, with its language and the prose around it', () => {
    const answer = 'Before.\n\n```python\nx = 1\n```\n\nBetween.\n\n~~~ruby\ny = 2\n~~~\n\nAfter.';
    expect(splitAnswer(answer)).toEqual({
      blocks: [
        { language: 'python', file: null, code: 'x = 1' },
        { language: 'ruby', file: null, code: 'y = 2' },
      ],
      prose: 'Before.\n\nBetween.\n\nAfter.',
    });
  });

  it('may hold shorter fences inside longer ones', () => {
    expect(codeOf('````md\n# Title\n```js\na()\n```\n````')).toEqual(['# Title\n```js\na()\n```']);
    expect(codeOf('~~~\n```\n~~~')).toEqual(['```']);
  });

  it('may be quoted with the prose around it', () => {
    expect(splitAnswer('> Here:\n>\n> ```js\n> a();\n>\n>   b();\n> ```\n\nDone.')).toEqual({
      blocks: [{ language: 'js', file: null, code: 'a();\n\n  b();' }],
      prose: 'Here:\n\nDone.',
    });
    expect(codeOf('> Note\n\n```js\na\n> b\n```')).toEqual(['a\n> b']);
    expect(codeOf('```md\n> ```js\n> x\n> ```\n```')).toEqual(['> ```js\n> x\n> ```']);
  });

  it('may be a Markdown file with fences of the same length', () => {
    const answer = '```markdown\n# Use\n```sh\nnpm ci\n```\nDone.\n```\nThat was the file.';
    expect(splitAnswer(answer)).toMatchObject({
      blocks: [{ language: 'markdown', code: '# Use\n```sh\nnpm ci\n```\nDone.' }],
      prose: 'That was the file.',
    });
  });

  it('keeps fences that stand deeper than a closing fence may', () => {
    const answer = '```python\ndef f():\n    """\n    ```\n    f()\n    ```\n    """\n```';
    expect(codeOf(answer)).toEqual(['def f():\n    """\n    ```\n    f()\n    ```\n    """']);
  });

  it('loses the indentation of its fence, and no more', () => {
    expect(codeOf('1. Run:\n   ```sh\n   if x\n     y\n   ```')).toEqual(['if x\n  y']);
    expect(codeOf('- ```js\n  a()\n  ```')).toEqual(['a()']);
  });

  it('that is never closed runs to the end', () => {
    expect(splitAnswer('Here:\n```ts\nconst a = 1;\nconst b')).toEqual({
      blocks: [{ language: 'ts', file: null, code: 'const a = 1;\nconst b' }],
      prose: 'Here:',
    });
  });

  it('on one line is code too', () => {
    expect(codeOf('```print(1)```')).toEqual(['print(1)']);
  });

  it.each([
    ['```typescript title="src/a.ts"', 'typescript', 'src/a.ts', ''],
    ['```ts:src/a.ts', 'ts', 'src/a.ts', ''],
    ['```python file=app.py', 'python', 'app.py', ''],
    ['```js {1,3}', 'js', null, ''],
    ['```js title="a.js" {1,3}', 'js', 'a.js', ''],
    ["```css {2-4} filename='src/b.css' showLineNumbers", 'css', 'src/b.css', ''],
    ['```{.python title="A picture" linenums="1"}', 'python', null, ''],
    ['```ts filename: src/c.ts', 'ts', 'src/c.ts', ''],
    ['```js A short example', 'js', null, 'A short example'],
    ['```{.haskell}', 'haskell', null, ''],
    ['```c++', 'c++', null, ''],
    ['```language-go', 'go', null, ''],
    ['```src/app/main.rs', 'rs', 'src/app/main.rs', ''],
    ['```Dockerfile', null, 'Dockerfile', ''],
    ['```', null, null, ''],
  ])('tells its language, its file and what else its fence says: %s', (opening, ...told) => {
    const [language, file, prose] = told;
    expect(splitAnswer(`${opening}\nx\n\`\`\``)).toEqual({
      blocks: [{ language, file, code: 'x' }],
      prose,
    });
  });

  it('comes out as it went in, whatever it is', () => {
    const line = fc.string({ unit: 'binary-ascii' }).map((text) => text.replace(/[\r\n]/g, ' '));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (lines) => {
        const code = lines.join('\n');
        const longest = Math.max(2, ...(code.match(/`+/g) ?? []).map((run) => run.length));
        const fence = '`'.repeat(longest + 1);
        fc.pre(code.trim() !== '');
        expect(codeOf(`Text.\n\n${fence}text\n${code}\n${fence}\n`)).toEqual([code]);
      }),
    );
  });
});

describe('reasoning inside an answer', () => {
  it('is never part of it', () => {
    expect(withoutReasoning('<think>\n```js\nno()\n```\n</think>\n\nYes.')).toBe('Yes.');
    expect(withoutReasoning('a < think > b')).toBe('a < think > b');
  });
});
