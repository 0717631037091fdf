import { describe, expect, it } from 'vitest';
import { deepseekGenerateCode } from '../../src/tools/deepseek-generate-code.ts';
import type { ToolOutput } from '../../src/tools/tool.ts';
import type { GenerateResult } from '../../src/upstream/deepseek/chat.ts';
import { GENERATED } from '../mcp/stdio-session.ts';
import { fakeContext } from './fake-context.ts';

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
      code: 'print(1)',
      language: null,
      explanation: null,
      model: 'deepseek-flash',
      finish_reason: 'stop',
      truncated: false,
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
      request_id: null,
    });
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
    expect(text).toContain('Explanation cut at 20,000 of 30,000 characters');
    expect(structured.code).toBe(code);
  });
});
