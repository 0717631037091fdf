import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { deepseekGenerateCode } from '../../src/tools/deepseek-generate-code.ts';
import type { ToolOutput } from '../../src/tools/tool.ts';
import type { GenerateResult } from '../../src/upstream/deepseek/chat.ts';
import { GENERATED } from '../mcp/stdio-session.ts';
import { fakeContext } from './fake-context.ts';

const Blocks = z.object({
  blocks: z.array(z.object({ from_line: z.number(), to_line: z.number() })),
});

async function generate(args: object, answer: Partial<GenerateResult> = {}) {
  const fake = fakeContext({ generated: { ...GENERATED, ...answer } });
  const parsed = deepseekGenerateCode.input.parse({ prompt: 'add two numbers', ...args });
  const output: ToolOutput = await deepseekGenerateCode.run(parsed, fake.context);
  deepseekGenerateCode.output.parse(output.structured);
  return { ...output, request: fake.generate[0] };
}

describe('the request', () => {
  it('has the defaults of the interface', async () => {
    const { request } = await generate({});
    expect(request).toMatchObject({
      model: null,
      thinking: 'off',
      temperature: 0,
      maxTokens: 32_768,
      user: 'TASK:\nadd two numbers',
    });
  });

  it('has room for reasoning while thinking', async () => {
    expect((await generate({ thinking: 'high' })).request?.maxTokens).toBe(65_536);
    expect((await generate({ thinking: 'max', max_tokens: 500 })).request?.maxTokens).toBe(500);
  });

  it('begins with the same bytes whatever is asked', async () => {
    const plain = (await generate({})).request;
    const full = await generate({
      language: 'go',
      context: 'type A struct{}',
      model: 'deepseek-v4-pro',
    });
    expect(full.request?.system).toBe(plain?.system);
    expect(full.request?.user).toBe(
      'CONTEXT:\ntype A struct{}\nEND OF CONTEXT\n\nLanguage: go\n\nTASK:\nadd two numbers',
    );
    expect(full.request?.model).toBe('deepseek-v4-pro');
  });

  it('never holds half a character', async () => {
    const { request } = await generate({ prompt: 'a\ud83d' });
    expect(request?.user).toBe('TASK:\na\ufffd');
  });
});

describe('the result', () => {
  it('has every field, null where nothing is known', async () => {
    const { structured } = await generate(
      {},
      {
        text: 'print(1)',
        requestId: null,
        costUsd: null,
        usage: {
          promptTokens: null,
          cachedTokens: null,
          completionTokens: null,
          reasoningTokens: null,
          totalTokens: null,
        },
      },
    );
    expect(structured).toEqual({
      language: null,
      truncated: false,
      finish_reason: 'stop',
      explanation: null,
      blocks: [{ file: null, language: null, from_line: 1, to_line: 1 }],
      code: 'print(1)',
      model: 'deepseek-flash',
      key: 'DEEPSEEK_API_KEY',
      attempts: 1,
      duration_ms: expect.any(Number),
      usage: {
        prompt_tokens: null,
        cached_tokens: null,
        completion_tokens: null,
        reasoning_tokens: null,
        total_tokens: null,
      },
      cost_usd: null,
      request_id: null,
    });
  });

  it('says what it cost, in words above a cent alone', async () => {
    const cheap = await generate({}, { text: 'x', costUsd: 0.000123456789 });
    expect(cheap.structured).toMatchObject({ cost_usd: 0.00012346 });
    expect(cheap.text).not.toContain('$');
    const dear = await generate({}, { text: 'x', costUsd: 0.0342 });
    expect(dear.text).toContain('about $0.03 (estimated)');
  });

  it('ends with a sentence about the budget where there is one', async () => {
    const { text } = await generate({}, { text: 'x', moneyNotice: 'Four fifths are spent.' });
    expect(text.endsWith('\n\nFour fifths are spent.')).toBe(true);
  });

  it('takes the language that was asked for when the fence tells none', async () => {
    const { structured } = await generate({ language: 'rust' }, { text: '```\nfn main() {}\n```' });
    expect(structured).toMatchObject({ code: 'fn main() {}', language: 'rust' });
  });

  it('keeps several blocks in order, and the language of the biggest', async () => {
    const text = 'Install:\n```sh\nnpm i\n```\nThen:\n```ts\nconst answer = 42;\n```';
    const { structured } = await generate({}, { text });
    expect(structured).toMatchObject({
      code: 'npm i\n\nconst answer = 42;',
      language: 'ts',
      explanation: 'Install:\n\nThen:',
    });
  });

  it('marks a truncated answer, with the max_tokens that would help', async () => {
    const cut = { text: '```py\ndef f(', finishReason: 'length' as const };
    const { structured, text } = await generate({ max_tokens: 40_000 }, cut);
    expect(structured).toMatchObject({ truncated: true, finish_reason: 'length', code: 'def f(' });
    expect(structured.explanation).toContain('max_tokens 80000');
    expect(text).toContain('max_tokens 80000');
    const small = await generate({ max_tokens: 10 }, cut);
    expect(small.text).toContain('max_tokens 32768');
    const all = await generate({ max_tokens: 393_216 }, cut);
    expect(all.text).toContain('split the task');
  });

  it('passes on what was changed for the caller', async () => {
    const notice = 'deepseek-chat is retired; deepseek-flash answered.';
    const { structured, text } = await generate({}, { notice });
    expect(structured.explanation).toContain(notice);
    expect(text).toContain(notice);
  });

  it('is cleaned of what fools a reader', async () => {
    const text = '```js\nif (admin\u202e) {\u001b[2J}\n```\nDone\u0007.';
    const { structured } = await generate({}, { text, model: 'm\u001b[1m' });
    expect(structured).toMatchObject({
      code: 'if (admin) {}',
      explanation: 'Done.',
      model: 'm',
    });
  });
});

describe('blocks', () => {
  it('say where each lies in the code, its file and its language', async () => {
    const text = '`a.ts`:\n```ts\nA\nA\n\n```\n### src/b.py\n```\nB\n```\nAnd:\n```sh\nC\n```';
    const { structured } = await generate({}, { text });
    expect(structured).toMatchObject({
      blocks: [
        { file: 'a.ts', language: 'ts', from_line: 1, to_line: 3 },
        { file: 'src/b.py', language: 'py', from_line: 5, to_line: 5 },
        { file: null, language: 'sh', from_line: 7, to_line: 7 },
      ],
      code: 'A\nA\n\n\nB\n\nC',
      explanation: 'And:',
    });
  });

  it('are cut out of the code by their lines, whatever the answer holds', async () => {
    const line = fc.string({ unit: 'binary-ascii' }).map((text) => text.replace(/[^a-z ;]/g, 'x;'));
    const block = fc.array(line, { minLength: 1 }).map((lines) => ['x;', ...lines].join('\n'));
    await fc.assert(
      fc.asyncProperty(fc.array(block, { minLength: 1 }), async (codes) => {
        const text = codes.map((code) => `Then:\n\`\`\`js\n${code}\n\`\`\``).join('\n');
        const { structured } = await generate({}, { text });
        const lines = String(structured.code).split('\n');
        const { blocks } = Blocks.parse(structured);
        const found = blocks.map(({ from_line, to_line }) =>
          lines.slice(from_line - 1, to_line).join('\n'),
        );
        expect(found).toEqual(codes);
      }),
    );
  });

  it('stand behind the facts, and the code behind everything', async () => {
    const names = Object.keys((await generate({})).structured);
    expect(names.slice(0, 5)).toEqual([
      'language',
      'truncated',
      'finish_reason',
      'explanation',
      'blocks',
    ]);
    expect(names.at(-1)).toBe('code');
  });
});

describe('an answer without code', () => {
  it('is an explanation, and says so in both forms', async () => {
    const said = 'I cannot write that without the schema. Which tables are there?';
    const { structured, text } = await generate({ language: 'sql' }, { text: said });
    expect(structured).toMatchObject({ code: '', blocks: [] });
    for (const form of [String(structured.explanation), text]) {
      expect(form).toContain('holds no code');
      expect(form).toContain(said);
    }
    expect(text).not.toContain('```');
  });
});

describe('the text', () => {
  it('is worth reading on its own', async () => {
    const { text } = await generate({});
    expect(text).toMatch(
      /^```python\ndef add\(a, b\):\n {4}return a \+ b\n```\n\nAdds two numbers\.\n\n\(deepseek-flash, 20 tokens, \d+\.\d s, key DEEPSEEK_API_KEY\)$/,
    );
  });

  it('fences code that holds fences', async () => {
    const { text } = await generate({}, { text: '````md\n```js\na\n```\n````' });
    expect(text.startsWith('````md\n```js\na\n```\n````')).toBe(true);
  });

  it('is bounded and announces its cut, while the structured result is whole', async () => {
    const code = 'x'.repeat(200_000);
    const prose = 'y'.repeat(30_000);
    const { text, structured } = await generate({}, { text: `\`\`\`\n${code}\n\`\`\`\n${prose}` });
    expect(text.length).toBeLessThan(82_000);
    expect(text).toContain('of 200,000 characters of code; structuredContent.code holds all of it');
    expect(text).toContain('first 20,000 of 30,000 characters of explanation');
    expect(structured.code).toBe(code);
  });
});
