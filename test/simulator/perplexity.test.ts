import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  PERPLEXITY_FAULTS,
  type PerplexityFault,
  type Simulator,
  startSimulator,
} from '../../src/simulator/simulator.ts';
import { type Observed, observe, sseData } from './observe.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ seed: 3 });
  simulator.addKey(KEY, { provider: 'perplexity', account: 'mine' });
  simulator.setAccount('mine', { ratePerSecond: Infinity });
});
afterAll(() => simulator.close());

// biome-ignore lint/suspicious/noExplicitAny: parsed answers are looked into freely here
type Parsed = any;

const KEY = 'fake-test-key-search';

function post(path: string, body: unknown, key = KEY, patienceMs?: number): Promise<Observed> {
  const init = {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  };
  return observe(simulator.perplexityUrl + path, init, patienceMs);
}

async function results(body: Record<string, unknown>): Promise<Parsed[]> {
  const seen = await post('/search', { query: 'node streams ref:q1', ...body });
  expect(seen.status).toBe(200);
  const answer: Parsed = JSON.parse(seen.text);
  return answer.results;
}

const hostOf = (page: Parsed): string => new URL(page.url).hostname;
const daysAgo = (days: number): string => {
  const date = new Date(Date.now() - days * 86_400_000);
  return `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}`;
};

describe('POST /search', () => {
  it('returns the same pages for the same query, ten unless asked otherwise', async () => {
    const first = await results({});
    expect(first).toHaveLength(10);
    expect(first).toEqual(await results({}));
    expect(first[0].snippet).toContain('ref:q1');
    expect(await results({ max_results: 20 })).toHaveLength(20);
  });

  it('interleaves several queries', async () => {
    const pages = await results({ query: ['alpha', 'beta'], max_results: 4 });
    expect(pages.map((page) => page.title.split(':')[0])).toEqual([
      'alpha',
      'beta',
      'alpha',
      'beta',
    ]);
  });

  it('really applies domain filters', async () => {
    const allowed = await results({ search_domain_filter: ['nature.test'] });
    expect(allowed.length).toBeGreaterThan(0);
    expect(allowed.every((page) => hostOf(page).endsWith('nature.test'))).toBe(true);
    const denied = await results({ search_domain_filter: ['-news.example.org', '-.gov'] });
    expect(denied.some((page) => /news\.example\.org|\.gov$/.test(hostOf(page)))).toBe(false);
  });

  it('really applies dates and recency', async () => {
    const week = await results({ search_recency_filter: 'week' });
    expect(week.length).toBeGreaterThan(0);
    for (const page of week) {
      expect(Date.now() - Date.parse(page.date)).toBeLessThan(8 * 86_400_000);
    }
    const old = await results({ search_before_date_filter: daysAgo(30) });
    expect(old.length).toBeGreaterThan(0);
    for (const page of old) {
      expect(Date.now() - Date.parse(page.date)).toBeGreaterThan(28 * 86_400_000);
    }
  });

  it('bounds snippets by tokens a page', async () => {
    const pages = await results({ max_tokens_per_page: 64 });
    expect(Math.max(...pages.map((page) => page.snippet.length))).toBeLessThanOrEqual(256);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['an unknown field', { question: 'x' }, /unknown field \\"question\\"/],
    ['no query', { query: undefined, queries: ['x'] }, /query validation: query is required/],
    ['an empty query', { query: '' }, /must not be empty/],
    ['six queries', { query: ['1', '2', '3', '4', '5', '6'] }, /at most 5/],
    ['21 results', { max_results: 21 }, /between 1 and 20/],
    ['mixed domains', { search_domain_filter: ['a.test', '-b.test'] }, /cannot be mixed/],
    ['21 domains', { search_domain_filter: Array(21).fill('a.test') }, /invalid_search_domain/],
    ['a lower-case country', { country: 'de' }, /alpha-2/],
    ['an ISO date', { search_after_date_filter: '2026-01-01' }, /invalid_date_format/],
    [
      'recency with dates',
      { search_recency_filter: 'day', search_after_date_filter: '1/1/2026' },
      /cannot be combined/,
    ],
  ])('refuses %s', async (_, body, message) => {
    const seen = await post('/search', { query: 'x', ...body });
    expect(seen.status).toBe(400);
    expect(seen.text).toMatch(message);
    expect(JSON.parse(seen.text).error.code).toBe(400);
  });

  it('lets 50 requests a second through an account and refuses the 51st', async () => {
    simulator.addKey('fake-test-key-rate', { provider: 'perplexity' });
    // A busy machine takes more than a second for 60 requests; the second stands still meanwhile.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    const burst = Array.from({ length: 60 }, () =>
      post('/search', { query: 'x', max_results: 1 }, 'fake-test-key-rate'),
    );
    const seen = await Promise.all(burst).finally(() => clock.mockRestore());
    const statuses = seen.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(50);
    expect(statuses).toContain(429);
  });
});

describe('POST /v1/agent', () => {
  const ask = { input: 'What is new in Node? ref:a1', preset: 'fast' };

  it('answers with sources and text, streamed as whole', async () => {
    const whole: Parsed = JSON.parse((await post('/v1/agent', ask)).text);
    expect(whole.status).toBe('completed');
    const message = whole.output.find((item: Parsed) => item.type === 'message');
    expect(message.content[0].text).toContain('ref:a1');
    const streamed = await post('/v1/responses', { ...ask, stream: true });
    const events: Parsed[] = sseData(streamed.text);
    const text = events
      .filter((event) => event.type === 'response.output_text.delta')
      .map((event) => event.delta)
      .join('');
    expect(text).toBe(message.content[0].text);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, at) => at));
    expect(events.at(-1).type).toBe('response.completed');
    expect(streamed.text).not.toContain('[DONE]');
  });

  it('has no sources without a preset or the tool', async () => {
    const answer: Parsed = JSON.parse(
      (await post('/v1/agent', { input: 'x', model: 'perplexity/sonar' })).text,
    );
    expect(answer.output[0].results).toEqual([]);
  });

  it('is strict about fields, nested ones too', async () => {
    const tool = { type: 'web_search', filters: { domains: [] } };
    const seen = await post('/v1/agent', { ...ask, tools: [tool] });
    expect([seen.status, JSON.parse(seen.text).error.param]).toEqual([400, 'domains']);
    expect((await post('/v1/agent', { ...ask, query: 'x' })).text).toContain('unknown field');
  });

  it('takes a cancel for its own ids only', async () => {
    const { id }: Parsed = JSON.parse((await post('/v1/agent', ask)).text);
    const seen = await post(`/v1/agent/${id}/cancel`, {});
    expect(JSON.parse(seen.text)).toEqual({ response_id: id, status: 'cancelling' });
    expect((await post('/v1/agent/nonsense/cancel', {})).status).toBe(404);
  });

  it('knows no /v1/chat/completions', async () => {
    expect((await post('/v1/chat/completions', {})).status).toBe(404);
  });
});

interface Expected {
  readonly status: number | null;
  readonly end?: Observed['end'];
  readonly text?: RegExp;
  readonly without?: RegExp;
}

const TERMINAL = /"type":"(?:response\.(?:completed|failed|incomplete|cancelled)|error)"/;
const OK: Expected = { status: 200, text: /response\.completed|"results":\[\{/ };

/** `search` is left out where the fault says nothing about it. */
const EXPECTED: Readonly<Record<PerplexityFault, { search?: Expected; agent?: Expected }>> = {
  ok: { search: OK, agent: OK },
  never_answers: { search: { status: null, end: 'open' }, agent: { status: null, end: 'open' } },
  reset: { search: { status: null, end: 'reset' }, agent: { status: null, end: 'reset' } },
  null_results: { search: { status: 200, text: /"results":null/ } },
  empty_results: {
    search: { status: 200, text: /"results":\[\]/ },
    agent: { status: 200, text: /"results":\[\]/ },
  },
  null_dates: { search: { status: 200, text: /"date":null,"last_updated":null/ } },
  empty_snippet: { search: { status: 200, text: /"snippet":""/ } },
  huge_snippet: { search: { status: 200, text: /^[\s\S]{2000000,}$/ } },
  unknown_fields: {
    search: { status: 200, text: /"experimental"/ },
    agent: { status: 200, text: /"experimental"/ },
  },
  hostile_text: {
    search: { status: 200, text: /\\u001b\[2J/ },
    agent: { status: 200, text: /\\u001b\[2J/ },
  },
  bad_filter: { search: { status: 400, text: /invalid_search_domain_filter/ } },
  echo_authorization: { search: { status: 400, text: /Bearer fake-test-key/ } },
  invalid_key: { search: { status: 401, text: /invalid_api_key/ }, agent: { status: 401 } },
  no_credit: { search: { status: 401, text: /insufficient_quota/ }, agent: { status: 401 } },
  html_401: { search: { status: 401, text: /401 Authorization Required/ } },
  forbidden: { search: { status: 403, text: /forbidden/ } },
  blocked: { search: { status: 403, text: /<html>/ } },
  login_page: { search: { status: 401, text: /<html>/ } },
  retired: { search: { status: 403, text: /chat_completions_not_available/ } },
  invalid_422: { search: { status: 422, text: /^\{"detail":\[/ } },
  rate_limit: { search: { status: 429, text: /request_rate_limit_exceeded/ } },
  retry_after: { search: { status: 429 } },
  server_error: { search: { status: 500, text: /<html>/ } },
  bad_gateway_html: { search: { status: 502, text: /<html>/ } },
  slow_body: { search: OK, agent: OK },
  slow_drip: {
    search: { status: 200, end: 'open' },
    agent: { status: 200, end: 'open', without: TERMINAL },
  },
  broken_json: { search: { status: 200, text: /^\{"id":.*[^}]$/ } },
  html_200: { search: { status: 200, text: /<html>/ } },
  redirect: { search: { status: 307 }, agent: { status: 307 } },
  failed: { agent: { status: 200, text: /"type":"response.failed".*"error":\{"message"/ } },
  filtered: { agent: { status: 200, text: /response\.incomplete[\s\S]*"content_filter"/ } },
  completed_failed: {
    agent: { status: 200, text: /"response\.completed"[\s\S]*"status":"failed"/ },
  },
  incomplete: {
    agent: { status: 200, text: /"incomplete_details":\{"reason":"max_output_tokens"/ },
  },
  cancelled: { agent: { status: 200, text: /"type":"response.cancelled"/ } },
  error_event: { agent: { status: 200, text: /"type":"error"/ } },
  cut: { search: { status: 200, text: /[^}]$/ }, agent: { status: 200, without: TERMINAL } },
  reset_mid_content: {
    search: { status: 200, end: 'reset' },
    agent: { status: 200, end: 'reset', text: /output_text\.delta/, without: TERMINAL },
  },
  silent: {
    search: { status: 200, end: 'open' },
    agent: { status: 200, end: 'open', text: /output_text\.delta/, without: TERMINAL },
  },
  unknown_events: { agent: { status: 200, text: /telepathy[\s\S]*response\.completed/ } },
  keep_alive_between: { agent: { status: 200, text: /\n\n\n\ndata: / } },
  keep_alive_for_ever: {
    search: { status: 200, end: 'open', text: /^\n{2,}$/ },
    agent: { status: 200, end: 'open', without: TERMINAL },
  },
};

describe.concurrent('every Perplexity fault shows itself', () => {
  const cases = PERPLEXITY_FAULTS.flatMap((fault) => [
    { fault, path: '/search', expected: EXPECTED[fault].search },
    { fault, path: '/v1/agent', expected: EXPECTED[fault].agent },
  ]).filter((each) => each.expected !== undefined);

  it.each(cases)('$fault on $path', async ({ fault, path, expected = OK }) => {
    const secret = `fake-test-key-${fault}${path}`;
    simulator.addKey(secret, { provider: 'perplexity', faults: [{ fault, delayMs: 100 }] });
    const body = path === '/search' ? { query: 'x' } : { input: 'x', preset: 'fast', stream: true };
    // How long to look at an answer that is not expected to end.
    const patienceMs = expected.end === 'open' ? 500 : undefined;
    const seen = await post(path, body, secret, patienceMs);
    expect(seen.status).toBe(expected.status);
    expect(seen.end).toBe(expected.end ?? 'whole');
    // Compared as booleans: a failure must not print megabytes.
    if (expected.text !== undefined) expect(expected.text.test(seen.text)).toBe(true);
    if (expected.without !== undefined) expect(seen.text).not.toMatch(expected.without);
  });
});
