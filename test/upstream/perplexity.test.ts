import { describe, expect, it } from 'vitest';
import { undisturbed } from '../../lab/stalls.ts';
import { PATIENT } from '../../lab/until.ts';
import type { PerplexityFault } from '../../src/simulator/simulator.ts';
import type { SearchRequest } from '../../src/upstream/perplexity/search.ts';
import { errorOf, PERPLEXITY_KEYS, SEARCH, useStage } from './stage.ts';

const stage = useStage();
const [first, second] = PERPLEXITY_KEYS;
const ANSWER: SearchRequest = { ...SEARCH, answer: 'fast' };

function strike(fault: PerplexityFault, extra: { after?: number; delayMs?: number } = {}): void {
  stage.sim.setBehaviour(first.secret, { faults: [{ fault, ...extra }] });
}

function sent(at = 0): Record<string, unknown> {
  const body = stage.sim.calls[at]?.body;
  return { ...(typeof body === 'object' ? body : {}) };
}

describe('a search', () => {
  it('gives sources with title, address, snippet and dates', async () => {
    const { client } = stage.perplexity();
    const result = await client.search(SEARCH, stage.context());
    expect(result.sources).toHaveLength(5);
    expect(result.sources[0]).toMatchObject({
      title: expect.stringMatching(/\w/),
      url: expect.stringMatching(/^https?:/),
      snippet: expect.any(String),
    });
    expect(result).toMatchObject({ answer: null, keyName: first.name, attempts: 1 });
    expect(result.requestId).not.toBeNull();
    expect(stage.sim.violations).toEqual([]);
  });

  it('sends every filter in the wire’s form and nothing else', async () => {
    const { client } = stage.perplexity();
    const request: SearchRequest = {
      ...SEARCH,
      queries: ['tea', 'coffee'],
      country: 'DE',
      domains: ['-example.com'],
      languages: ['de', 'en'],
      afterDate: '2026-03-09',
      beforeDate: '2026-11-01',
      mode: 'academic',
    };
    await client.search(request, stage.context());
    expect(sent()).toEqual({
      query: ['tea', 'coffee'],
      max_results: 5,
      max_tokens_per_page: 512,
      country: 'DE',
      search_domain_filter: ['-example.com'],
      search_language_filter: ['de', 'en'],
      search_after_date_filter: '03/09/2026',
      search_before_date_filter: '11/01/2026',
      search_mode: 'academic',
    });
    await client.search({ ...SEARCH, recency: 'week' }, stage.context());
    expect(sent(1)).toEqual({
      query: 'history of tea',
      max_results: 5,
      max_tokens_per_page: 512,
      search_recency_filter: 'week',
    });
  });

  it.each<[PerplexityFault, (sources: unknown) => void]>([
    ['empty_results', (sources) => expect(sources).toEqual([])],
    [
      'null_dates',
      (sources) =>
        expect(sources).toContainEqual(expect.objectContaining({ date: null, lastUpdated: null })),
    ],
    [
      'empty_snippet',
      (sources) => expect(sources).toContainEqual(expect.objectContaining({ snippet: '' })),
    ],
    ['huge_snippet', (sources) => expect(sources).toHaveLength(5)],
    ['unknown_fields', (sources) => expect(sources).toHaveLength(5)],
    ['slow_body', (sources) => expect(sources).toHaveLength(5)],
  ])('with %s is a success at the first attempt', async (fault, check) => {
    strike(fault, { delayMs: 20 });
    const { client } = stage.perplexity();
    const result = await client.search(SEARCH, stage.context());
    check(result.sources);
    expect(result.attempts).toBe(1);
  });

  it.each<[PerplexityFault, string]>([
    ['invalid_key', 'invalid_key'],
    ['html_401', 'invalid_key'],
    ['no_credit', 'no_credit'],
    ['rate_limit', 'concurrency'],
    ['server_error', 'server_error'],
    ['bad_gateway_html', 'server_error'],
    ['broken_json', 'malformed'],
    ['html_200', 'malformed'],
    ['reset', 'connection_lost'],
    ['reset_mid_content', 'connection_lost'],
    ['forbidden', 'forbidden'],
  ])('after %s the next key serves; the failure was %s', async (fault, kind) => {
    strike(fault);
    const { client } = stage.perplexity();
    const result = await client.search(SEARCH, stage.context());
    expect(result).toMatchObject({ keyName: second.name, attempts: 2 });
    expect(stage.log.join()).toContain(`"kind":"${kind}"`);
  });

  it.each<PerplexityFault>(['bad_filter', 'invalid_422'])(
    '%s is the caller’s fault',
    async (fault) => {
      strike(fault);
      const { client } = stage.perplexity();
      const error = await errorOf(client.search(SEARCH, stage.context()));
      expect(error).toMatchObject({ failure: { kind: 'bad_request' } });
      expect(stage.sim.calls).toHaveLength(1);
    },
  );

  it('blank lines for ever are no answer, and the body is read under the deadline', async () => {
    stage.sim.setProviderFaults('perplexity', [{ fault: 'keep_alive_for_ever', times: 99 }]);
    const idle = await undisturbed(() => {
      const { client } = stage.perplexity({ idleTimeoutMs: 200, callTimeoutMs: 3_000 });
      return errorOf(client.search(SEARCH, stage.context()));
    }, 200);
    expect(idle).toMatchObject({ failure: { kind: 'idle' } });
    stage.sim.setProviderFaults('perplexity', [{ fault: 'slow_drip', delayMs: 20, times: 99 }]);
    const slow = stage.perplexity({ callTimeoutMs: 400 });
    expect(await errorOf(slow.client.search(SEARCH, stage.context()))).toMatchObject({
      failure: { kind: 'deadline' },
    });
  });

  it('cancelled, aborts upstream at once', async () => {
    strike('never_answers');
    const { client } = stage.perplexity();
    const controller = new AbortController();
    const failed = errorOf(client.search(SEARCH, stage.context(controller.signal)));
    await expect.poll(() => stage.sim.calls.length, PATIENT).toBe(1);
    controller.abort();
    expect((await failed).name).toBe('AbortError');
    await expect.poll(() => stage.sim.calls[0]?.aborted, PATIENT).toBe(true);
  });
});

describe('an answer', () => {
  it('comes with the sources it was written from, in the order it cites them', async () => {
    const { client } = stage.perplexity();
    const result = await client.search(ANSWER, stage.context());
    expect(result.answer).toContain('[1]');
    expect(result.sources).toHaveLength(5);
    expect(result).toMatchObject({ answerTruncated: false, attempts: 1 });
    expect(result.requestId).not.toBeNull();
    expect(stage.progress).toContain('searching the web');
    expect(stage.progress.at(-1)).toBe('writing the answer');
  });

  it('is searched for with the filters that the Agent knows', async () => {
    const { client } = stage.perplexity();
    const request: SearchRequest = {
      ...ANSWER,
      answer: 'high',
      country: 'FR',
      domains: ['example.org'],
      beforeDate: '2026-11-01',
    };
    await client.search(request, stage.context());
    expect(sent()).toEqual({
      input: 'history of tea',
      preset: 'high',
      stream: true,
      tools: [
        {
          type: 'web_search',
          max_results: 5,
          user_location: { country: 'FR' },
          filters: {
            search_domain_filter: ['example.org'],
            search_before_date_filter: '11/01/2026',
          },
        },
      ],
    });
  });

  it('with filters that the Agent does not know is written from a search with all of them', async () => {
    const { client } = stage.perplexity();
    const request: SearchRequest = { ...ANSWER, mode: 'academic', languages: ['en'] };
    const result = await client.search(request, stage.context());
    expect(stage.sim.calls.map(({ path }) => path)).toEqual(['/search', '/v1/agent']);
    expect(sent(0)).toMatchObject({ search_mode: 'academic', search_language_filter: ['en'] });
    expect(sent(1)).not.toHaveProperty('tools');
    expect(sent(1).input).toContain(result.sources[0]?.url);
    expect(result.answer).toMatch(/\w/);
    expect(result.attempts).toBe(2);
  });

  it.each<PerplexityFault>(['unknown_events', 'keep_alive_between'])(
    'survives %s',
    async (fault) => {
      strike(fault);
      const { client } = stage.perplexity();
      const result = await client.search(ANSWER, stage.context());
      expect(result).toMatchObject({ attempts: 1, answer: expect.stringMatching(/\w/) });
    },
  );

  it('that was cut at its budget says so', async () => {
    strike('incomplete');
    const { client } = stage.perplexity();
    const result = await client.search(ANSWER, stage.context());
    expect(result).toMatchObject({ attempts: 1, answerTruncated: true });
  });

  it.each<[PerplexityFault, string]>([
    ['failed', 'server_error'],
    ['cancelled', 'server_error'],
    ['error_event', 'server_error'],
    ['cut', 'cut'],
    ['reset_mid_content', 'connection_lost'],
    ['no_credit', 'no_credit'],
  ])('after %s the next key serves; the failure was %s', async (fault, kind) => {
    strike(fault);
    const { client } = stage.perplexity();
    const result = await client.search(ANSWER, stage.context());
    expect(result).toMatchObject({ keyName: second.name, attempts: 2 });
    expect(stage.log.join()).toContain(`"kind":"${kind}"`);
  });

  it.each(['the caller cancels', 'the time is spent'])(
    'its run is cancelled upstream when %s',
    async (why) => {
      strike('silent');
      const isCancel = why === 'the caller cancels';
      const { client } = stage.perplexity({ callTimeoutMs: isCancel ? 30_000 : 3_000 });
      const controller = new AbortController();
      const failed = errorOf(client.search(ANSWER, stage.context(controller.signal)));
      await expect.poll(() => stage.progress.length, PATIENT).toBeGreaterThan(1);
      if (isCancel) controller.abort();
      expect(await failed).toMatchObject(
        isCancel ? { name: 'AbortError' } : { failure: { kind: 'deadline' } },
      );
      await expect.poll(() => stage.sim.calls.length, PATIENT).toBe(2);
      const [run, cancel] = stage.sim.calls;
      expect(cancel).toMatchObject({ method: 'POST', path: `/v1/agent/${run?.responseId}/cancel` });
      await expect.poll(() => run?.aborted, PATIENT).toBe(true);
    },
  );
});
