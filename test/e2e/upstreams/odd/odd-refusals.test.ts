/** Refusals in odd clothes, and all that is odd at Perplexity. */

import { describe, expect, it } from 'vitest';
import { oddStage } from './odd-stage.ts';
import { CODE, failing, good, type Respond, reply, SSE, stream } from './odd-upstream.ts';

const { deepseek, generate, generateAlone, keyViews, perplexity, search } = oddStage();

describe('refusals', () => {
  it('503 with model_not_found is the caller’s, at once', async () => {
    deepseek.play([failing(503, { message: 'No available channel', code: 'model_not_found' })]);
    const got = await generate({ model: 'nobody-has-this' });
    expect(got.text).toMatch(/does not know the model/);
    expect(deepseek.paths).toHaveLength(1);
  });

  it('413 is too long', async () => {
    const page = '<html><h1>413 Request Entity Too Large</h1></html>';
    deepseek.play([reply(413, page, { 'content-type': 'text/html' })]);
    expect((await generate()).text).toMatch(/too long/);
    expect(deepseek.paths).toHaveLength(1);
  });

  it('a 403 page is something on the way; the key may use its model', async () => {
    const page = '<!DOCTYPE html><title>Just a moment...</title>';
    deepseek.play([reply(403, page, { 'content-type': 'text/html' }), good]);
    const got = await generate();
    expect(got).toMatchObject({ isError: false, code: CODE });
    const noted = (await keyViews()).filter(({ lastError }) =>
      JSON.stringify(lastError).includes('on the way'),
    );
    expect(noted).toHaveLength(1);
    expect(noted[0]?.isDisabled).toBe(false);
  });

  it('a gateway that asks for a name and a password has not judged the key', async () => {
    const page = '<html><title>401 Authorization Required</title></html>';
    deepseek.play([reply(401, page, { 'www-authenticate': 'Basic realm="intranet"' }), good]);
    expect(await generate()).toMatchObject({ isError: false, code: CODE });
    const noted = (await keyViews()).filter(({ lastError }) =>
      JSON.stringify(lastError).includes('on the way'),
    );
    expect(noted.length).toBeGreaterThan(0);
    expect(noted.filter(({ isDisabled }) => isDisabled)).toEqual([]);
  });

  it('an error nested deeper than anybody reads is an error like any other', async () => {
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    deepseek.play([
      reply(200, `{"error":{"message":${deep},"code":${'['.repeat(9_000)}${']'.repeat(9_000)}}}`),
      reply(500, `{"error":{"message":"x","more":${deep}}}`),
      good,
    ]);
    const got = await generate();
    expect(got.text).not.toMatch(/Internal error/);
    expect(got).toMatchObject({ isError: false, code: CODE });
  });

  it('a rate limit under 200 is one: a pause, and not a storm', async () => {
    const limit = failing(200, { message: 'Rate limit reached', type: 'rate_limit_error' });
    deepseek.play([limit, good]);
    expect(await generate()).toMatchObject({ isError: false, code: CODE });
    expect(deepseek.paths).toHaveLength(2);
  });

  it('a rate limit under 200 that is not called an error is one, too', async () => {
    deepseek.play([reply(200, { code: 429, msg: 'too many requests', data: null }), good]);
    expect(await generate()).toMatchObject({ isError: false, code: CODE });
    expect(deepseek.paths).toHaveLength(2);
  });
});

describe('Perplexity', () => {
  const page = (id: number, url = `https://example.org/${id}`) => ({
    id,
    url,
    title: `Page ${id}`,
  });
  const run = (status: string, rest: object = {}) => ({
    id: 'resp_1',
    object: 'response',
    status,
    output: [
      { type: 'search_results', results: [page(1), page(2, 'javascript:x'), page(3)] },
      { type: 'message', content: [{ type: 'output_text', text: 'So it is [1][3].' }] },
    ],
    error: null,
    ...rest,
  });
  const ending = (type: string, response: object): Respond =>
    stream(`data: ${JSON.stringify({ type, response })}\n\n`);
  const answered = ending('response.completed', run('completed'));

  it('results null are none', async () => {
    perplexity.play([reply(200, { id: 's', results: null })]);
    const got = await search();
    expect(got).toMatchObject({ isError: false });
    expect(got.structured.results).toEqual([]);
    expect(perplexity.paths).toHaveLength(1);
  });

  it('a list for each of several queries is read like one for all', async () => {
    const page = (name: string) => ({ title: name, url: `https://example.org/${name}` });
    perplexity.play([reply(200, { id: 's', results: [[page('a'), page('b')], [], [page('c')]] })]);
    const got = await search({ query: ['tea', 'nothing', 'coffee'] });
    expect(got.structured.results).toMatchObject([
      { number: 1, title: 'a' },
      { number: 2, title: 'b' },
      { number: 3, title: 'c' },
    ]);
  });

  it('a source keeps the number that the answer cites it by', async () => {
    perplexity.play([answered]);
    const got = await search({ answer: 'fast' });
    expect(got.structured.results).toMatchObject([{ number: 1 }, { number: 3 }]);
    expect(got.text).toContain('[3] Page 3');
  });

  it('incomplete for a content filter is no length limit', async () => {
    const details = { incomplete_details: { reason: 'content_filter' } };
    perplexity.play([ending('response.incomplete', run('incomplete', details))]);
    const got = await search({ answer: 'fast' });
    expect(got.isError).toBe(true);
    expect(got.text).toMatch(/content filter/);
    expect(perplexity.paths).toHaveLength(1);
  });

  it('completed that holds a failed run is a failure', async () => {
    perplexity.play([ending('response.completed', run('failed')), answered]);
    const got = await search({ answer: 'fast' });
    expect(got.structured).toMatchObject({ attempts: 2 });
  });

  it('a refusal is the answer, and asked for once', async () => {
    const refused = run('completed', {
      output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'That I cannot say.' }] }],
    });
    perplexity.play([ending('response.completed', refused)]);
    const got = await search({ answer: 'fast' });
    expect(got).toMatchObject({ isError: false });
    expect(got.structured.answer).toBe('That I cannot say.');
    expect(perplexity.paths).toHaveLength(1);
  });

  it('a run called JSON, or in one event without a type, is read all the same', async () => {
    perplexity.play([reply(200, run('completed'), SSE)]);
    expect((await search({ answer: 'fast' })).text).toContain('So it is [1][3].');
    perplexity.play([stream(`data: ${JSON.stringify(run('completed'))}\n\n`)]);
    expect((await search({ answer: 'fast' })).text).toContain('So it is [1][3].');
  });

  it('the retired chat endpoint is an address, and no bad key', async () => {
    const before = await keyViews();
    const error = {
      message: 'use /v1/responses',
      type: 'chat_completions_not_available',
      code: 403,
    };
    perplexity.play([reply(403, { error })]);
    const got = await search();
    expect(got.text).toMatch(/PERPLEXITY_BASE_URL/);
    expect(perplexity.paths).toHaveLength(1);
    expect(await keyViews()).toEqual(before);
  });

  it('out of credit under 401 is the account’s', async () => {
    const error = {
      message: 'You exceeded your current quota',
      type: 'insufficient_quota',
      code: 401,
    };
    perplexity.play([reply(401, { error }), reply(200, { id: 's', results: [page(1)] })]);
    const got = await search();
    expect(got).toMatchObject({ isError: false });
    const disabled = (await keyViews()).filter(({ isDisabled }) => isDisabled);
    expect(disabled).toHaveLength(1);
  });
});

// Last, for the one key that it uses has to cool down afterwards.
describe('a rate limit under 200 that does not end', () => {
  it('is asked again a few times, with pauses that grow', async () => {
    const error = { message: 'Rate limit reached', type: 'rate_limit_error' };
    deepseek.play([
      failing(200, error),
      stream(`data: ${JSON.stringify({ error })}\n\n`),
      failing(200, error),
    ]);
    const got = await generateAlone();
    expect(got.isError).toBe(true);
    expect(got.text).toMatch(/rate limited/);
    expect(deepseek.paths.length).toBeLessThanOrEqual(20);
  });
});
