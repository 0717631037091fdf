import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { undisturbed } from '../../../lab/stalls.ts';
import { PATIENT } from '../../../lab/until.ts';
import { UpstreamError } from '../../../src/base/errors.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import type { DeepSeekFault } from '../../../src/simulator/simulator.ts';
import { createDeepSeekClient } from '../../../src/upstream/deepseek/deepseek.ts';
import { RecordingPool } from '../recording-pool.ts';
import { DEEPSEEK_KEYS, directFetch, errorOf, GENERATE, useStage } from '../stage.ts';

const stage = useStage();
const [first, second] = DEEPSEEK_KEYS;

/** The first key fails so; the second is healthy unless the fault is to strike everywhere. */
function strike(fault: DeepSeekFault, extra: { times?: number; after?: number } = {}): void {
  stage.sim.setBehaviour(first.secret, { faults: [{ fault, ...extra }] });
}

async function wholeAnswer(thinking: 'off' | 'low' = 'off'): Promise<string> {
  const { client } = stage.deepseek();
  const { text } = await client.generate({ ...GENERATE, thinking }, stage.context());
  stage.sim.reset();
  return text;
}

function bodies(): Array<Record<string, unknown>> {
  return stage.sim.calls.map(({ body }) => ({ ...(typeof body === 'object' ? body : {}) }));
}

describe('a plain answer', () => {
  it('comes back whole, with model, finish reason, usage, trace id and the key that served', async () => {
    const { client, lender } = stage.deepseek();
    const result = await client.generate(GENERATE, stage.context());
    expect(result.text.length).toBeGreaterThan(100);
    expect(result).toMatchObject({
      model: 'deepseek-flash',
      finishReason: 'stop',
      notice: null,
      keyName: first.name,
      attempts: 1,
    });
    expect(result.requestId).toMatch(/^[0-9a-f]{32}$/);
    const { promptTokens, completionTokens, totalTokens } = result.usage;
    expect(totalTokens).toBe((promptTokens ?? 0) + (completionTokens ?? 0));
    expect(lender.leases).toMatchObject([
      { keyName: first.name, firstByte: true, tokens: completionTokens },
    ]);
  });

  it('is asked for with whitelisted fields only, thinking said explicitly at the top level', async () => {
    const { client } = stage.deepseek();
    await client.generate(GENERATE, stage.context());
    await client.generate({ ...GENERATE, thinking: 'max' }, stage.context());
    expect(stage.sim.violations).toEqual([]);
    const [plain, thinking] = bodies();
    expect(plain).toEqual({
      model: 'deepseek-flash',
      messages: [
        { role: 'system', content: GENERATE.system },
        { role: 'user', content: GENERATE.user },
      ],
      thinking: { type: 'disabled' },
      temperature: 0,
      max_tokens: 32_768,
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(thinking).toMatchObject({ thinking: { type: 'enabled' }, reasoning_effort: 'max' });
    expect(thinking).not.toHaveProperty('temperature');
  });

  it('takes nothing from the environment that the openai package would read', async () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:1');
    vi.stubEnv('OPENAI_ORG_ID', 'org-from-environment');
    vi.stubEnv('OPENAI_PROJECT_ID', 'project-from-environment');
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'x-custom: from-environment');
    vi.stubEnv('OPENAI_LOG', 'debug');
    // The package's client is made anew for every fetch: an older one has read nothing of this.
    const { client } = stage.deepseek({ fetch: (url, init) => directFetch(url, init) });
    await client.generate(GENERATE, stage.context());
    const [call] = stage.sim.calls;
    expect(JSON.stringify(call?.headers)).not.toContain('from-environment');
    expect(Object.keys(call?.headers ?? {}).filter((name) => name.startsWith('x-'))).toEqual([]);
    expect(call?.path).toBe('/chat/completions');
  });

  it('keeps reasoning out of the text and counts it', async () => {
    const { client } = stage.deepseek();
    const plain = await client.generate(GENERATE, stage.context());
    const thought = await client.generate({ ...GENERATE, thinking: 'low' }, stage.context());
    expect(thought.text).toBe(plain.text);
    expect(plain.usage.reasoningTokens).toBeNull();
    expect(thought.usage.reasoningTokens).toBeGreaterThan(0);
  });

  it('tells how far it is', async () => {
    const { client } = stage.deepseek();
    await client.generate(GENERATE, stage.context());
    expect(stage.progress[0]).toBe('asking DeepSeek');
    expect(stage.progress[1]).toMatch(/^generating, [\d,]+ tokens?$/);
  });
});

describe('model names', () => {
  it('retired ones are mapped, with a notice', async () => {
    const { client } = stage.deepseek();
    const chat = await client.generate({ ...GENERATE, model: 'deepseek-chat' }, stage.context());
    expect(chat.model).toBe('deepseek-flash');
    expect(chat.notice).toContain('deepseek-chat');
    await client.generate({ ...GENERATE, model: 'DeepSeek-Reasoner' }, stage.context());
    expect(bodies()[1]).toMatchObject({ model: 'deepseek-flash', reasoning_effort: 'high' });
  });

  it('unknown ones are passed through, and the refusal becomes advice', async () => {
    const { client } = stage.deepseek();
    const request = { ...GENERATE, model: 'deepseek-v9-ultra' };
    const error = await errorOf(client.generate(request, stage.context()));
    expect(error).toBeInstanceOf(UpstreamError);
    expect(bodies()).toHaveLength(1);
    expect(bodies()[0]?.model).toBe('deepseek-v9-ultra');
    expect(error.message).toContain('deepseek-flash and deepseek-v4-pro');
    expect(error).toHaveProperty('hint', expect.stringContaining('Leave model out'));
  });
});

describe('a stream that broke in the middle', () => {
  const breaks: readonly DeepSeekFault[] = [
    'cut',
    'reset_mid_content',
    'error_event',
    'broken_json',
    'insufficient_system_resource',
    'aborted',
  ];
  it.each(breaks)('after %s the next key goes on where it stopped', async (fault) => {
    const whole = await wholeAnswer();
    strike(fault);
    const { client } = stage.deepseek();
    const result = await client.generate(GENERATE, stage.context());
    expect(result.text).toBe(whole);
    expect(result).toMatchObject({ attempts: 2, keyName: second.name });
    const [, resumed] = stage.sim.calls;
    expect(resumed?.path).toBe('/beta/chat/completions');
    const messages = bodies()[1]?.messages;
    expect(messages).toEqual([
      expect.anything(),
      expect.anything(),
      { role: 'assistant', prefix: true, content: whole.slice(0, Math.ceil(whole.length / 2)) },
    ]);
  });

  it('goes on as often as it breaks, for nothing of it is lost', async () => {
    const long = { answerTokens: 2_000 };
    for (const { secret } of DEEPSEEK_KEYS) stage.sim.setBehaviour(secret, long);
    const { text: whole } = await stage.deepseek().client.generate(GENERATE, stage.context());
    stage.sim.reset();
    for (const { secret } of DEEPSEEK_KEYS) {
      const faults = [{ fault: 'cut' as const, times: 2, after: 0.4 }];
      stage.sim.setBehaviour(secret, { ...long, faults });
    }
    const { client } = stage.deepseek();
    const result = await client.generate(GENERATE, stage.context());
    expect(result.text).toBe(whole);
    expect(result.attempts).toBe(2);
    expect(stage.sim.calls.map(({ path }) => path)).toEqual([
      '/chat/completions',
      '/beta/chat/completions',
      '/beta/chat/completions',
      '/beta/chat/completions',
    ]);
  });

  it('pays for no token twice', async () => {
    await wholeAnswer();
    const { client } = stage.deepseek();
    const { usage } = await client.generate(GENERATE, stage.context());
    strike('cut');
    const resumed = await client.generate(GENERATE, stage.context());
    const generated = stage.sim.calls.slice(1).map((call) => call.completionTokens);
    expect(generated.reduce((sum, tokens) => sum + tokens, 0)).toBeLessThanOrEqual(
      (usage.completionTokens ?? 0) + 2,
    );
    // What the broken attempt had sent is counted although it never told its usage.
    expect(resumed.usage.completionTokens).toBeGreaterThanOrEqual(usage.completionTokens ?? 0);
    expect(resumed.usage.completionTokens).toBeLessThanOrEqual((usage.completionTokens ?? 0) + 2);
  });

  it('hands the reasoning back as well when it was thinking', async () => {
    const whole = await wholeAnswer('low');
    strike('cut');
    const { client } = stage.deepseek();
    const request = { ...GENERATE, thinking: 'low' as const };
    const result = await client.generate(request, stage.context());
    expect(result.text).toBe(whole);
    expect(bodies()[1]?.messages).toContainEqual(
      expect.objectContaining({ prefix: true, reasoning_content: expect.stringMatching(/\w/) }),
    );
  });

  it('starts over when nothing but reasoning had come', async () => {
    strike('cut', { after: 0 });
    const { client } = stage.deepseek();
    const request = { ...GENERATE, thinking: 'low' as const };
    const result = await client.generate(request, stage.context());
    expect(result.attempts).toBe(2);
    expect(stage.sim.calls[1]?.path).toBe('/chat/completions');
  });
});

describe('an answer that is no success', () => {
  it('without content, because reasoning took it all, is an error with the remedy', async () => {
    strike('length_empty');
    const { client } = stage.deepseek();
    const error = await errorOf(client.generate(GENERATE, stage.context()));
    expect(error).toMatchObject({ failure: { kind: 'empty', mayBeBilled: true } });
    expect(error.message).toContain('max_tokens (32768)');
    expect(stage.sim.calls).toHaveLength(1);
  });

  it('of the content filter is the caller’s, and not retried', async () => {
    strike('content_filter');
    const { client } = stage.deepseek();
    const error = await errorOf(client.generate(GENERATE, stage.context()));
    expect(error).toMatchObject({ failure: { kind: 'moderation' } });
    expect(stage.sim.calls).toHaveLength(1);
  });

  it('but with a finish reason and no [DONE] is one', async () => {
    strike('no_done');
    const { client } = stage.deepseek();
    const result = await client.generate(GENERATE, stage.context());
    expect(result).toMatchObject({ attempts: 1, finishReason: 'stop' });
  });

  it('cut off at max_tokens says so', async () => {
    const { client } = stage.deepseek();
    const result = await client.generate({ ...GENERATE, maxTokens: 20 }, stage.context());
    expect(result.finishReason).toBe('length');
  });
});

describe('time', () => {
  it('silence ends the attempt, keep-alives do not count as content', async () => {
    strike('keep_alive_for_ever');
    const { client, lender } = stage.deepseek({ idleTimeoutMs: 300 });
    const result = await client.generate(GENERATE, stage.context());
    expect(result.attempts).toBe(2);
    expect(lender.leases[0]).toMatchObject({ accepted: true, firstByte: false });
    expect(stage.log.join()).toContain('"kind":"idle"');
  });

  it('a spent deadline is an error that carries what had arrived', async () => {
    const error = await undisturbed(() => {
      strike('silent');
      const { client } = stage.deepseek({ callTimeoutMs: 700 });
      return errorOf(client.generate(GENERATE, stage.context()));
    }, 200);
    expect(error).toMatchObject({ failure: { kind: 'deadline' } });
    expect(error).toHaveProperty('partial', expect.stringMatching(/\w{3}/));
    expect(error.message).toContain('0.7 s');
    expect(error).toHaveProperty('hint', expect.stringContaining('KEYPOOL_CALL_TIMEOUT_MS'));
  });

  it('a cancel aborts the upstream request at once and passes as an abort', async () => {
    strike('silent');
    const { client } = stage.deepseek();
    const controller = new AbortController();
    const failed = errorOf(client.generate(GENERATE, stage.context(controller.signal)));
    await expect.poll(() => stage.progress.length, PATIENT).toBeGreaterThan(1);
    controller.abort('any reason a client may give');
    expect((await failed).name).toBe('AbortError');
    await expect.poll(() => stage.sim.calls[0]?.aborted, PATIENT).toBe(true);
    expect(stage.sim.calls).toHaveLength(1);
    expect(stage.log).toEqual([]);
  });
});

describe('secrecy', () => {
  it('a key that would split its header is never sent, and never shown', async () => {
    const secret = 'sk-test-fake\r\nx-injected: 1';
    const lender = new RecordingPool('deepseek', [{ name: 'DEEPSEEK_API_KEY', secret }]);
    const client = createDeepSeekClient({
      lender,
      baseUrl: stage.sim.deepseekUrl,
      defaultModel: 'deepseek-flash',
      callTimeoutMs: 5_000,
      idleTimeoutMs: 5_000,
      fetch: directFetch,
      logger: silentLogger,
    });
    const error = await errorOf(client.generate(GENERATE, stage.context()));
    lender.close();
    expect(error).toMatchObject({ code: 'POOL_NO_CREDENTIALS' });
    expect(`${error.message}${error.stack}`).not.toContain('injected');
    expect(stage.sim.calls).toHaveLength(0);
  });

  it('a redirect is refused, and no key follows it', async () => {
    strike('redirect', { times: 2 });
    stage.sim.setBehaviour(second.secret, { faults: [{ fault: 'redirect' }] });
    const { client } = stage.deepseek();
    const error = await errorOf(client.generate(GENERATE, stage.context()));
    expect(error).toMatchObject({ failure: { kind: 'redirect', status: 307 } });
    expect(stage.sim.violations).toEqual([]);
  });

  it('what the upstream said stays out of the error', async () => {
    strike('echo_authorization');
    const { client } = stage.deepseek();
    const error = await errorOf(client.generate(GENERATE, stage.context()));
    expect(error).toMatchObject({ failure: { kind: 'bad_request' } });
    expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toContain(
      'sk-test',
    );
  });
});
