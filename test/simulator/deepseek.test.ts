import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../lab/until.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';

const KEY = 'fake-test-key-for-deepseek-one-000001';
const OTHER = 'fake-test-key-for-deepseek-two-000002';
const ASK = 'Write binary search in Python. ref:abc123';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ seed: 7 });
});
afterAll(() => simulator.close());
beforeEach(() => {
  simulator.reset();
  simulator.addKey(KEY, { provider: 'deepseek', account: 'one', balance: 10, capacity: 100 });
  simulator.addKey(OTHER, { provider: 'deepseek', account: 'one' });
});

interface Options {
  key?: string;
  path?: string;
  signal?: AbortSignal;
  body?: Record<string, unknown>;
  headers?: Record<string, string>;
}

function post(options: Options = {}): Promise<Response> {
  const body = {
    model: 'deepseek-flash',
    messages: [
      { role: 'system', content: 'You write code.' },
      { role: 'user', content: ASK },
    ],
    thinking: { type: 'disabled' },
    ...options.body,
  };
  return fetch(simulator.deepseekUrl + (options.path ?? '/chat/completions'), {
    method: 'POST',
    redirect: 'manual',
    headers: {
      authorization: `Bearer ${options.key ?? KEY}`,
      'content-type': 'application/json',
      ...options.headers,
    },
    body: JSON.stringify(body),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

// biome-ignore lint/suspicious/noExplicitAny: parsed answers are looked into freely here
type Parsed = any;

async function parsed(response: Response): Promise<Parsed> {
  return response.json();
}

async function chat(options: Options = {}): Promise<Parsed> {
  return parsed(await post(options));
}

function events(text: string): Parsed[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)));
}

function contentOf(text: string): string {
  return events(text)
    .map((event) => event.choices?.[0]?.delta.content ?? '')
    .join('');
}

describe('a DeepSeek chat completion', () => {
  it('answers with fenced code, a trace id and no x-request-id', async () => {
    const response = await post();
    const answer: Parsed = await response.json();
    expect(response.headers.get('x-ds-trace-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(response.headers.has('x-request-id')).toBe(false);
    expect(answer.choices[0].message.content).toContain(
      '```python\n# ref:abc123\ndef binary_search',
    );
    expect(answer.choices[0].finish_reason).toBe('stop');
    expect(answer.usage.prompt_tokens).toBe(
      answer.usage.prompt_cache_hit_tokens + answer.usage.prompt_cache_miss_tokens,
    );
    expect(answer.usage).not.toHaveProperty('completion_tokens_details');
    expect(simulator.violations).toEqual([]);
  });

  it('says the same streamed as whole, on every key', async () => {
    const whole = await chat();
    const streamed = await (await post({ key: OTHER, body: { stream: true } })).text();
    expect(contentOf(streamed)).toBe(whole.choices[0].message.content);
    expect(streamed.trimEnd().endsWith('data: [DONE]')).toBe(true);
    expect(events(streamed).at(-1).usage.completion_tokens).toBe(whole.usage.completion_tokens);
  });

  it('thinks unless told not to, and counts the reasoning', async () => {
    const answer = await chat({ body: { thinking: undefined } });
    expect(answer.choices[0].message.reasoning_content).not.toBe('');
    expect(answer.usage.completion_tokens_details.reasoning_tokens).toBe(80);
  });

  it('leaves no content when reasoning uses max_tokens up', async () => {
    const answer = await chat({ body: { thinking: undefined, max_tokens: 40 } });
    expect(answer.choices[0].message.content).toBe('');
    expect(answer.choices[0].finish_reason).toBe('length');
  });

  it('goes on from a prefix so that the parts join byte for byte', async () => {
    const whole = (await chat()).choices[0].message.content;
    simulator.setBehaviour(KEY, { faults: [{ fault: 'cut' }] });
    const first = contentOf(await (await post({ body: { stream: true } })).text());
    expect(first.length).toBeGreaterThan(0);
    expect(first.length).toBeLessThan(whole.length);
    const messages = [
      { role: 'system', content: 'You write code.' },
      { role: 'user', content: ASK },
      { role: 'assistant', content: first, prefix: true },
    ];
    const rest = await chat({ key: OTHER, path: '/beta/chat/completions', body: { messages } });
    expect(first + rest.choices[0].message.content).toBe(whole);
    const refused = await post({ body: { messages } });
    expect(refused.status).toBe(400);
  });

  it('never cuts a character in two, however it is cut', async () => {
    const answer = '😀'.repeat(101);
    for (const fault of ['cut', 'aborted', 'ok'] as const) {
      simulator.setBehaviour(KEY, { answer, tokensPerSecond: 1_000, faults: [{ fault }] });
      const pieces = events(await (await post({ body: { stream: true } })).text()).map(
        (event) => event.choices[0].delta.content,
      );
      // Throws on half a surrogate pair.
      for (const piece of pieces) expect(() => encodeURIComponent(piece)).not.toThrow();
      expect(pieces.join('')).not.toBe('');
    }
    simulator.addKey(KEY, { provider: 'deepseek', account: 'one' });
  });

  it('frees the slot and writes it down when the client goes away', async () => {
    simulator.setBehaviour(KEY, { faults: [{ fault: 'never_answers' }] });
    const gone = new AbortController();
    const call = post({ signal: gone.signal });
    await until('the call runs', () => simulator.inFlight('one') === 1);
    gone.abort();
    await expect(call).rejects.toThrow();
    await until('the slot is free', () => simulator.inFlight('one') === 0);
    expect(simulator.calls.at(-1)).toMatchObject({ aborted: true, fault: 'never_answers' });
  });

  it('counts capacity by account, whatever the key', async () => {
    simulator.setAccount('one', { capacity: 1 });
    simulator.setBehaviour(KEY, { ttftMs: 200 });
    const slow = post();
    await until('the call runs', () => simulator.inFlight('one') === 1);
    expect((await post({ key: OTHER })).status).toBe(429);
    expect((await slow).status).toBe(200);
  });
});

describe('what DeepSeek refuses', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a retired model', { model: 'deepseek-chat' }, /supported API model names/],
    ['max_tokens out of range', { max_tokens: 393_217 }, /valid range of max_tokens/],
    ['stream_options without stream', { stream_options: { include_usage: true } }, /stream = true/],
    ['17 stops', { stop: Array.from({ length: 17 }, String) }, /too long/],
    ['the developer role', { messages: [{ role: 'developer', content: 'x' }] }, /unknown variant/],
    ['an unlisted field', { seed: 1 }, /unknown field `seed`/],
  ])('%s', async (_, body, message) => {
    const response = await post({ body });
    expect(response.status).toBe(400);
    expect((await parsed(response)).error.message).toMatch(message);
  });

  it('an unknown key, with its last four characters in the message', async () => {
    const response = await post({ key: 'fake-test-key-unknown-9999' });
    expect(response.status).toBe(401);
    expect((await parsed(response)).error.message).toContain('****9999 is invalid');
  });

  it('a missing header, as plain text without a type', async () => {
    const response = await post({ headers: { authorization: 'nonsense' } });
    expect(response.status).toBe(401);
    expect(response.headers.get('content-type')).toBeNull();
    expect(await response.text()).toBe('Authentication Fails (governor)');
  });

  it('an account without money, and says so on the balance endpoint', async () => {
    simulator.setAccount('one', { balance: 0 });
    expect((await post()).status).toBe(402);
    const response = await fetch(`${simulator.deepseekUrl}/user/balance`, {
      headers: { authorization: `Bearer ${KEY}` },
    });
    expect(await response.json()).toMatchObject({
      is_available: false,
      balance_infos: [{ total_balance: '0.00' }],
    });
  });
});

describe('violations', () => {
  it('are noted for /v1, extra_body and organization headers', async () => {
    await post({ path: '/v1/chat/completions' });
    await post({ body: { extra_body: {} }, headers: { 'openai-organization': 'x' } });
    expect(simulator.violations.map((violation) => violation.what)).toEqual([
      'path with /v1',
      'header openai-organization',
      'unlisted field extra_body',
    ]);
  });
});

describe('fault scripts', () => {
  it('are consumed in order, then the key is well again', async () => {
    simulator.setBehaviour(KEY, { faults: [{ fault: 'overloaded', times: 2 }, { fault: 'ok' }] });
    const statuses = [];
    for (let call = 0; call < 4; call++) {
      const response = await post();
      statuses.push(response.status);
      await response.arrayBuffer();
    }
    expect(statuses).toEqual([503, 503, 200, 200]);
  });

  it('strike every key of a provider in an outage, and end with its window', async () => {
    simulator.setProviderFaults('deepseek', [{ fault: 'overloaded', untilMs: 60_000 }]);
    expect((await post()).status).toBe(503);
    expect((await post({ key: OTHER })).status).toBe(503);
    simulator.setProviderFaults('deepseek', [{ fault: 'overloaded', untilMs: 0 }]);
    expect((await post()).status).toBe(200);
  });
});
