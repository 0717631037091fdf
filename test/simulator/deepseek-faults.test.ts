import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  DEEPSEEK_FAULTS,
  type DeepSeekFault,
  type Simulator,
  startSimulator,
} from '../../src/simulator/simulator.ts';
import { type Observed, observe } from './observe.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

interface Expected {
  readonly status: number | null;
  readonly end?: Observed['end'];
  readonly text?: RegExp;
  readonly without?: RegExp;
  readonly headers?: Readonly<Record<string, string | null>>;
}

const FINISHED = /"finish_reason":"\w+"/;
const DONE = /data: \[DONE\]\n\n$/;
const NOTHING = /^$/;

/** Streaming first; `whole` where the plain answer differs in more than its framing. */
const EXPECTED: Readonly<Record<DeepSeekFault, { stream: Expected; whole?: Expected }>> = {
  ok: {
    stream: { status: 200, text: DONE },
    whole: { status: 200, text: /"finish_reason":"stop"/ },
  },
  never_answers: { stream: { status: null, end: 'open', text: NOTHING } },
  reset: { stream: { status: null, end: 'reset', text: NOTHING } },
  blank_then_ok: {
    stream: { status: 200, text: /^(: keep-alive\n\n){3}data: [\s\S]*\[DONE\]\n\n$/ },
    whole: { status: 200, text: /^\n\n\n\{.*\}$/ },
  },
  blank_then_eof: {
    stream: { status: 200, text: /^(: keep-alive\n\n){3}$/ },
    whole: { status: 200, text: /^\n\n\n$/ },
  },
  blank_then_reset: {
    stream: { status: 200, end: 'reset' },
    whole: { status: 200, end: 'reset', text: /^\n\n\n$/ },
  },
  keep_alive_between: { stream: { status: 200, text: /\}\n\n: keep-alive\n\ndata: / } },
  keep_alive_for_ever: {
    stream: { status: 200, end: 'open', text: /^(: keep-alive\n\n){3,}$/ },
    whole: { status: 200, end: 'open', text: /^\n{3,}$/ },
  },
  slow_body: { stream: { status: 200, text: DONE }, whole: { status: 200, text: FINISHED } },
  slow_drip: {
    stream: { status: 200, end: 'open', without: FINISHED },
    whole: { status: 200, end: 'open', without: FINISHED },
  },
  trailing_usage: {
    stream: { status: 200, text: /"choices":\[\],"usage":\{[^\n]*\n\ndata: \[DONE/ },
  },
  no_done: { stream: { status: 200, text: FINISHED, without: DONE } },
  cut: {
    stream: { status: 200, text: /"content":"\w/, without: FINISHED },
    whole: { status: 200, text: /^\{"id":.*[^}]$/ },
  },
  reset_mid_content: {
    stream: { status: 200, end: 'reset', text: /"content":"\w/, without: FINISHED },
    whole: { status: 200, end: 'reset' },
  },
  silent: {
    stream: { status: 200, end: 'open', text: /"content":"\w/, without: FINISHED },
    whole: { status: 200, end: 'open', text: /^\{"id":/ },
  },
  error_event: {
    stream: { status: 200, text: /data: \{"error":/, without: FINISHED },
    whole: { status: 200, text: /^\{"error":/ },
  },
  length_empty: {
    stream: { status: 200, text: /"finish_reason":"length"/, without: /content":"\w/ },
  },
  stop_empty: { stream: { status: 200, text: /"finish_reason":"stop"/, without: /content":"\w/ } },
  content_filter: { stream: { status: 200, text: /"finish_reason":"content_filter"/ } },
  insufficient_system_resource: {
    stream: {
      status: 200,
      text: /"content":"\w[\s\S]*"finish_reason":"insufficient_system_resource"/,
    },
  },
  aborted: { stream: { status: 200, text: /"finish_reason":"aborted"/ } },
  unknown_ending: { stream: { status: 200, text: /"finish_reason":"network_error"/ } },
  context_ending: { stream: { status: 200, text: /"model_context_window_exceeded"/ } },
  tool_calls: { stream: { status: 200, text: /"finish_reason":"tool_calls"/ } },
  broken_json: {
    stream: { status: 200, text: /data: \{"id":"\n\n$/ },
    whole: { status: 200, text: /[^}]$/ },
  },
  html_200: { stream: { status: 200, text: /<html>/, headers: { 'content-type': 'text/html' } } },
  hostile_text: { stream: { status: 200, text: /\\u001b\[2J/ } },
  huge_text: { stream: { status: 200, text: /^(?=[\s\S]{3000000})data/ } },
  bad_model: { stream: { status: 400, text: /supported API model names are .*deepseek-flash/ } },
  bad_max_tokens: { stream: { status: 400, text: /\[1, 393216\]/ } },
  too_long: { stream: { status: 400, text: /maximum context length is 1048576 tokens/ } },
  moderation: { stream: { status: 400, text: /Content Exists Risk/ } },
  bad_stream_options: { stream: { status: 400, text: /stream_options/ } },
  echo_authorization: { stream: { status: 400, text: /Bearer fake-test-key/ } },
  invalid_key: {
    stream: { status: 401, text: /\*\*\*\*true is invalid \(request_id: [0-9a-f-]{36}\)/ },
  },
  invalid_key_plain: {
    stream: { status: 401, text: /^Authentication Fails/, headers: { 'content-type': null } },
  },
  no_balance: { stream: { status: 402, text: /Insufficient Balance.*unknown_error/ } },
  forbidden: { stream: { status: 403 } },
  blocked: { stream: { status: 403, text: /<html>/ } },
  login_page: { stream: { status: 401, text: /<html>/ } },
  too_large: { stream: { status: 413, text: /<html>/ } },
  no_channel: { stream: { status: 503, text: /model_not_found/ } },
  rate_limit_200: { stream: { status: 200, text: /rate_limit_error/ } },
  invalid_422: { stream: { status: 422, text: /^\{"error"/ } },
  invalid_422_text: { stream: { status: 422, text: /^Failed to deserialize/ } },
  rate_limit: {
    stream: { status: 429, text: /rate_limit_error/, headers: { 'retry-after': null } },
  },
  balance_limit: {
    stream: { status: 429, text: /concurrency limit of 5 based on your remaining/ },
  },
  retry_after: { stream: { status: 429, headers: { 'retry-after': '3' } } },
  server_error: { stream: { status: 500 } },
  overloaded: { stream: { status: 503, text: /Service is too busy/ } },
  bad_gateway_html: { stream: { status: 502, text: /<html>/ } },
  redirect: { stream: { status: 307, text: NOTHING } },
};

/** How long to look at an answer that is not expected to end. */
const GLANCE_MS = 500;

/** A key of its own for each look, so that all can run side by side. */
async function look(fault: DeepSeekFault, stream: boolean, expected: Expected): Promise<Observed> {
  const secret = `fake-test-key-${fault}-${stream}`;
  simulator.addKey(secret, {
    provider: 'deepseek',
    faults: [{ fault, retryAfter: 3, delayMs: 60 }],
  });
  const init = {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify({
      model: 'deepseek-flash',
      messages: [{ role: 'user', content: 'Write a debounce in TypeScript.' }],
      thinking: { type: 'disabled' },
      ...(stream ? { stream, stream_options: { include_usage: true } } : {}),
    }),
  };
  const patienceMs = expected.end === 'open' ? GLANCE_MS : undefined;
  return await observe(`${simulator.deepseekUrl}/chat/completions`, init, patienceMs);
}

function check(seen: Observed, expected: Expected): void {
  expect(seen.status).toBe(expected.status);
  expect(seen.end).toBe(expected.end ?? 'whole');
  // Compared as booleans: a failure must not print megabytes.
  if (expected.text !== undefined) expect(expected.text.test(seen.text)).toBe(true);
  if (expected.without !== undefined) expect(seen.text).not.toMatch(expected.without);
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    expect(seen.headers?.get(name) ?? null).toBe(value);
  }
  if (seen.headers !== null) {
    expect(seen.headers.get('x-ds-trace-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(seen.headers.has('x-request-id')).toBe(false);
  }
}

describe.concurrent('every DeepSeek fault shows itself', () => {
  it.each(DEEPSEEK_FAULTS)('%s, streamed', async (fault) => {
    const expected = EXPECTED[fault].stream;
    check(await look(fault, true, expected), expected);
  });
  it.each(DEEPSEEK_FAULTS.filter((fault) => EXPECTED[fault].whole !== undefined))(
    '%s, as a plain answer',
    async (fault) => {
      const expected = EXPECTED[fault].whole ?? { status: 200 };
      check(await look(fault, false, expected), expected);
    },
  );
});

describe('free lookups', () => {
  const ask = (path: string, secret: string) =>
    observe(simulator.deepseekUrl + path, { headers: { authorization: `Bearer ${secret}` } });

  it('list the models and the balance', async () => {
    simulator.addKey('fake-test-key-lookup', { provider: 'deepseek', balance: 3.5 });
    expect((await ask('/models', 'fake-test-key-lookup')).text).toContain('"deepseek-flash"');
    const seen = await ask('/user/balance', 'fake-test-key-lookup');
    expect(seen.text).toContain('"total_balance":"3.50"');
  });

  it('show a dead key and an outage, but use up no counted step', async () => {
    const secret = 'fake-test-key-states';
    simulator.addKey(secret, { provider: 'deepseek', faults: [{ fault: 'overloaded', times: 1 }] });
    expect((await ask('/user/balance', secret)).status).toBe(200);
    simulator.setBehaviour(secret, { faults: [{ fault: 'overloaded', fromMs: 0 }] });
    expect((await ask('/user/balance', secret)).status).toBe(503);
    simulator.setBehaviour(secret, { faults: [{ fault: 'invalid_key', times: Infinity }] });
    const seen = await ask('/user/balance', secret);
    expect([seen.status, seen.text]).toEqual([401, 'Authentication Fails (governor)']);
    simulator.setBehaviour(secret, { faults: [{ fault: 'no_balance', times: Infinity }] });
    expect((await ask('/user/balance', secret)).text).toContain('"is_available":false');
    simulator.setBehaviour(secret, { faults: [{ fault: 'invalid_key', endpoint: '/balance' }] });
    expect((await ask('/user/balance', secret)).status).toBe(401);
    expect((await ask('/user/balance', secret)).status).toBe(200);
  });
});

describe('a redirect', () => {
  it('leads to a trap that notes whoever follows it with a key', async () => {
    const secret = 'fake-test-key-redirect';
    simulator.addKey(secret, { provider: 'deepseek', faults: [{ fault: 'redirect' }] });
    const seen = await observe(`${simulator.deepseekUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` },
      body: '{}',
    });
    const target = seen.headers?.get('location') ?? '';
    expect(new URL(target).origin).not.toBe(simulator.deepseekUrl);
    await fetch(target, { headers: { authorization: `Bearer ${secret}` } });
    expect(simulator.violations.at(-1)?.what).toBe('followed a redirect and took the key along');
  });
});
