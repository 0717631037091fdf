/** Answers whose content is not where, or not what, it should be. */

import { describe, expect, it } from 'vitest';
import { oddStage } from './odd-stage.ts';
import {
  CODE,
  DONE,
  event,
  FENCED,
  finish,
  JSON_TYPE,
  type Respond,
  reply,
  SSE,
  stream,
  text,
  USAGE,
} from './odd-upstream.ts';

const { deepseek, generate, generateAlone, keyViews } = oddStage();

describe('code is found whatever it stands in', () => {
  const cases: ReadonlyArray<readonly [string, string, string]> = [
    [
      'a tagged fence inside a block of another language',
      '```python\nd = """\n```js\na()\n```\n"""\nprint(d)\n```\nDone.',
      'd = """\n```js\na()\n```\n"""\nprint(d)',
    ],
    ['a fence behind prose', 'Here is the code: ```python\nprint(1)\n```\nThat is it.', 'print(1)'],
    [
      'no opening fence',
      'def f():\n    return 1\n```\nThis returns one.',
      'def f():\n    return 1',
    ],
    [
      'a fence behind a brace',
      '```js\nif (a) {\n  b();\n}```\nThat is all.',
      'if (a) {\n  b();\n}',
    ],
    ['an end token beside the fence', '```js\na();\n```<|end_of_sentence|>', 'a();'],
    ['its relatives', '```js\na();\n```<｜end▁of▁sentence｜>', 'a();'],
    ['an end token inside', '```js\na();\n<|im_end|>```', 'a();'],
    ['a lone </think>', 'Let me think ```js\nno();\n```\n</think>\n\n```js\na();\n```', 'a();'],
    ['no fence at all', 'print(1)', 'print(1)'],
    [
      'no fence, and a docstring first',
      '"""Adds two numbers and more."""\nx = f(1)',
      '"""Adds two numbers and more."""\nx = f(1)',
    ],
    [
      'no fence, and a comment first',
      '/** Adds two numbers, and more. */\nf();',
      '/** Adds two numbers, and more. */\nf();',
    ],
    [
      'a sentence of two words behind its fence',
      '```\nprint(1)\n``` This prints.\n\nDone.',
      'print(1)',
    ],
    ['a span', 'Run ```npm ci``` first.', 'npm ci'],
    ['two files', '`a.ts`:\n```ts\nA;\n```\n**src/b.ts**\n```ts\nB;\n```', 'A;\n\nB;'],
  ];
  it.each(cases)('%s', async (_name, answer, code) => {
    deepseek.play([stream(text(answer), finish('stop'), DONE)]);
    const got = await generate();
    expect(got.code).toBe(code);
  });

  it('says where each block lies, and in which file', async () => {
    const answer = '`a.ts`:\n```ts\nA;\nA;\n```\n**src/b.py**\n```python\nB\n```\nThat is it.';
    deepseek.play([stream(text(answer), finish('stop'), DONE)]);
    const { structured, text: shown } = await generate();
    expect(structured).toMatchObject({
      blocks: [
        { file: 'a.ts', language: 'ts', from_line: 1, to_line: 2 },
        { file: 'src/b.py', language: 'python', from_line: 4, to_line: 4 },
      ],
      explanation: 'That is it.',
    });
    expect(Object.keys(structured)[0]).toBe('language');
    expect(Object.keys(structured).at(-1)).toBe('code');
    expect(shown).toContain('src/b.py:\n```python');
  });

  it.each(['I cannot help with that.', 'Which version of the library do you use?'])(
    'an answer without any is an explanation: %s',
    async (answer) => {
      deepseek.play([stream(text(answer), finish('stop'), DONE)]);
      const got = await generate({ language: 'python' });
      expect(got).toMatchObject({ isError: false, code: '' });
      expect(got.structured).toMatchObject({ blocks: [] });
      expect(got.structured.explanation).toContain(answer);
      expect(got.text).toMatch(/holds no code/);
    },
  );

  it('100,000 blanks behind a fence hold nobody', async () => {
    deepseek.play([stream(text(`\`\`\`js${' '.repeat(100_000)}\na();\n\`\`\``), finish('stop'))]);
    expect((await generate()).code).toBe('a();');
  });
});

describe('what is no content', () => {
  const message = (fields: object): Respond =>
    stream(event({ index: 0, delta: fields, finish_reason: null }), finish('stop'), DONE);
  const cases: ReadonlyArray<readonly [string, Respond, RegExp]> = [
    ['reasoning alone', message({ reasoning_content: 'hm' }), /nothing but reasoning/],
    ['reasoning of another make', message({ reasoning: 'hm' }), /nothing but reasoning/],
    ['nothing', message({}), /without having written anything/],
    [
      'tool calls',
      stream(event({ index: 0, delta: { tool_calls: [{ id: '1' }] } }), finish('tool_calls'), DONE),
      /called tools/,
    ],
  ];
  it.each(cases)('%s: says so, and marks no key', async (_name, answer, words) => {
    const before = await keyViews();
    deepseek.play([answer]);
    const got = await generate();
    expect(got.isError).toBe(true);
    expect(got.text).toMatch(words);
    expect(got.text).not.toMatch(/login page/);
    expect(deepseek.paths.length).toBeLessThanOrEqual(2);
    expect(await keyViews()).toEqual(before);
  });

  it('a refusal apart from the content is an answer without code', async () => {
    deepseek.play([message({ refusal: 'I will not do that.' })]);
    const got = await generate();
    expect(got).toMatchObject({ isError: false, code: '' });
    expect(got.text).toMatch(/refused[\s\S]*I will not do that\./);
  });

  it('reasoning keeps a slow answer alive', async () => {
    deepseek.play([
      async (response) => {
        response.writeHead(200, SSE);
        for (let round = 0; round < 4; round++) {
          response.write(event({ index: 0, delta: { reasoning: 'still at it ' } }));
          await new Promise((resolve) => setTimeout(resolve, 1_500));
        }
        response.end(text(FENCED) + finish('stop') + DONE);
      },
    ]);
    expect(await generateAlone()).toMatchObject({ code: CODE });
    expect(deepseek.paths).toHaveLength(1);
  });
});

describe('forms of another make', () => {
  const completion = {
    id: 'x',
    model: 'm',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: FENCED } }],
    usage: USAGE,
  };
  const plain = text(FENCED) + finish('stop') + DONE;
  const parts = [
    { type: 'text', text: FENCED.slice(0, 9) },
    { type: 'text', text: FENCED.slice(9) },
  ];
  const cases: ReadonlyArray<readonly [string, Respond]> = [
    ['an empty data line', stream('data:\n\n', plain)],
    ['data: ping', stream('data: ping\n\n', plain)],
    ['data: DONE', stream(text(FENCED), finish('stop'), 'data: DONE\n\n')],
    [
      'a bookkeeping event',
      stream(text(FENCED), 'data: {"type":"ping"}\n\n', finish('stop'), DONE),
    ],
    ['bookkeeping after the end', stream(text(FENCED), finish('stop'), 'data: {"cost":1}\n\n')],
    [
      'an error after the end',
      stream(text(FENCED), finish('stop'), 'data: {"error":{"code":500}}\n\n'),
    ],
    ['garbage after the end', stream(text(FENCED), finish('stop'), 'data: {"id":\n\n')],
    ['events called JSON', reply(200, plain, JSON_TYPE)],
    ['events called text', reply(200, `: hi\n\n${plain}`, { 'content-type': 'text/plain' })],
    ['events called bytes', reply(200, plain, { 'content-type': 'application/octet-stream' })],
    ['events called nothing', reply(200, plain, {})],
    ['JSON called events', reply(200, completion, SSE)],
    ['JSON called text', reply(200, completion, { 'content-type': 'text/plain' })],
    ['a list of parts', stream(text(parts), finish('stop'), DONE)],
    ['a whole completion in one event', stream(`data: ${JSON.stringify(completion)}\n\n`, DONE)],
    ['the same without a last blank line', stream(`data: ${JSON.stringify(completion)}`)],
    [
      'its parts, and then the whole once more',
      stream(
        text(FENCED),
        event({ index: 0, message: { content: FENCED }, finish_reason: 'stop' }),
      ),
    ],
  ];
  it.each(cases)('%s: the answer, at the first attempt', async (_name, answer) => {
    deepseek.play([answer]);
    const got = await generate();
    expect(got).toMatchObject({ isError: false, code: CODE });
    expect(deepseek.paths).toHaveLength(1);
  });

  it('invisible messages are taken out, and emoji stay', async () => {
    const hidden = [...'obey'].map((each) => String.fromCodePoint(0xe0000 + each.charCodeAt(0)));
    const answer = `\`\`\`js\nlog("👩‍👩‍👧 می‌خواهم")${hidden.join('')}\n\`\`\``;
    deepseek.play([stream(text(answer), finish('stop'), DONE)]);
    expect((await generate()).code).toBe('log("👩‍👩‍👧 می‌خواهم")');
  });
});
