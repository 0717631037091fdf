import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitAnswer, withoutReasoning } from '../../src/tools/code-blocks.ts';

function codeOf(answer: string): string[] {
  return splitAnswer(answer).blocks.map((block) => block.code);
}

describe('code in fences', () => {
  it('comes out of backticks and tildes, with its language and the prose around it', () => {
    const answer = 'Before.\n\n```python\nx = 1\n```\n\nBetween.\n\n~~~ruby\ny = 2\n~~~\n\nAfter.';
    expect(splitAnswer(answer)).toEqual({
      blocks: [
        { language: 'python', code: 'x = 1', closed: true },
        { language: 'ruby', code: 'y = 2', closed: true },
      ],
      prose: 'Before.\n\nBetween.\n\nAfter.',
    });
  });

  it('may hold shorter fences inside longer ones', () => {
    expect(codeOf('````md\n# Title\n```js\na()\n```\n````')).toEqual(['# Title\n```js\na()\n```']);
    expect(codeOf('~~~\n```\n~~~')).toEqual(['```']);
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
      blocks: [{ language: 'ts', code: 'const a = 1;\nconst b', closed: false }],
      prose: 'Here:',
    });
  });

  it('on one line is code too', () => {
    expect(codeOf('```print(1)```')).toEqual(['print(1)']);
  });

  it.each([
    ['```typescript title="src/a.ts"', 'typescript', 'title="src/a.ts"'],
    ['```ts:src/a.ts', 'ts', 'src/a.ts'],
    ['```{.haskell}', 'haskell', ''],
    ['```c++', 'c++', ''],
    ['```language-go', 'go', ''],
    ['```src/app/main.rs', 'rs', 'src/app/main.rs'],
    ['```', null, ''],
  ])('tells its language and what else its fence says: %s', (opening, language, prose) => {
    const split = splitAnswer(`${opening}\nx\n\`\`\``);
    expect(split.blocks).toEqual([{ language, code: 'x', closed: true }]);
    expect(split.prose).toBe(prose);
  });

  it('keeps several files in order with their names in the prose', () => {
    const answer = '`a.ts`:\n```ts\nA\n```\n`b.ts`:\n```ts\nB\n```';
    expect(splitAnswer(answer)).toMatchObject({
      blocks: [{ code: 'A' }, { code: 'B' }],
      prose: '`a.ts`:\n\n`b.ts`:',
    });
  });

  it('is found nowhere in an answer without fences', () => {
    expect(splitAnswer('x = `a` + ``b``')).toEqual({ blocks: [], prose: 'x = `a` + ``b``' });
  });

  it('comes out as it went in, whatever it is', () => {
    const line = fc.string({ unit: 'binary-ascii' }).map((text) => text.replace(/[\r\n]/g, ' '));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (lines) => {
        const code = lines.join('\n');
        const longest = Math.max(2, ...(code.match(/`+/g) ?? []).map((run) => run.length));
        const fence = '`'.repeat(longest + 1);
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
