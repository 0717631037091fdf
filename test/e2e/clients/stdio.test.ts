/** The edges of stdio, on the built program: lines that are no message, batches, and null. */

import { describe, expect, it } from 'vitest';
import { noise, resultOf } from '../../../lab/program/test-client.ts';
import { LINE_LIMIT } from '../../../src/mcp/stdio/read-line.ts';
import { expectJsonLines, open, simulator, stdioStage } from './stdio-stage.ts';

stdioStage();

describe('both tools', () => {
  it('answer on the built program, with nothing but JSON-RPC on stdout', async () => {
    const client = open();
    await client.initialize();
    const code = await client.callTool('deepseek_generate_code', { prompt: 'add two numbers' });
    expect(code.result?.structuredContent).toMatchObject({
      key: 'DEEPSEEK_API_KEY',
      finish_reason: 'stop',
      truncated: false,
    });
    const found = await client.callTool('perplexity_search', { query: 'typescript' });
    expect(found.result?.structuredContent).toMatchObject({ key: 'PERPLEXITY_API_KEY' });
    await client.close();
    expect(noise(client.program.lines)).toEqual([]);
    expectJsonLines(client.program.stderr);
  });

  it('answer 64 calls at once, each with its own id', async () => {
    const client = open();
    await client.initialize();
    const ids = Array.from({ length: 64 }, (_, index) => `call ${index}`);
    const answers = ids.map((id) => client.answer(id));
    for (const id of ids) {
      const params = { name: 'deepseek_generate_code', arguments: { prompt: id } };
      client.send({ jsonrpc: '2.0', id, method: 'tools/call', params });
    }
    for (const answer of await Promise.all(answers)) {
      expect(resultOf(answer).isError).toBeUndefined();
    }
    await client.close();
  });

  it('refuse bad arguments by name and limit', async () => {
    const client = open();
    await client.initialize();
    const { result } = await client.callTool('deepseek_generate_code', {
      prompt: 'x'.repeat(400_001),
    });
    expect(result?.isError).toBe(true);
    expect(result?.structuredContent).toBeUndefined();
    expect(result?.content?.[0]?.text).toContain('prompt has more than 400,000 characters');
    expect(simulator.calls).toEqual([]);
    await client.close();
  });
});

describe('a line that is no message', () => {
  it.each([
    ['garbage', 'garbage', -32_700, null],
    ['half a message', '{"jsonrpc":"2.0","id":1', -32_700, null],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32_600, null],
    ['an id of null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32_600, null],
    ['no method', '{"jsonrpc":"2.0","id":12}', -32_600, 12],
  ])('is answered, and serving goes on: %s', async (_name, line, code, id) => {
    const client = open();
    client.program.write(`${line}\n`);
    expect((await client.request('ping')).result).toEqual({});
    const [refused = ''] = client.program.lines;
    expect(JSON.parse(refused)).toMatchObject({ jsonrpc: '2.0', id, error: { code } });
    await client.close();
  });

  it('may be too long: it is refused, and serving goes on', async () => {
    const client = open();
    const params = {
      name: 'deepseek_generate_code',
      arguments: { prompt: 'x'.repeat(LINE_LIMIT) },
    };
    client.send({ jsonrpc: '2.0', method: 'tools/call', params, id: 77 });
    expect((await client.request('ping')).result).toEqual({});
    const [refused = ''] = client.program.lines;
    expect(JSON.parse(refused)).toMatchObject({ id: null, error: { code: -32_600 } });
    await client.close();
  });

  it.each([
    ['an id above 2^53', '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}'],
    ['an id below -2^53', '{"jsonrpc":"2.0","id":-9007199254740993,"method":"ping"}'],
  ])('is refused, not changed: %s', async (_name, line) => {
    const client = open();
    client.program.write(`${line}\n`);
    expect((await client.request('ping')).result).toEqual({});
    const [refused = ''] = client.program.lines;
    expect(JSON.parse(refused)).toMatchObject({ id: null, error: { code: -32_600 } });
    await client.close();
  });

  it.each([
    '{"jsonrpc":"2.0","method":"notifications/initialized","params":5}',
    '{"jsonrpc":"2.0","method":"notifications/initialized","id":null}',
    '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"other"}}',
    '{"jsonrpc":"2.0","method":"server/discover"}',
    '{"method":"nothing/such"}',
  ])('and has no id is never answered: %s', async (line) => {
    const client = open();
    client.program.write(`${line}\n`);
    expect((await client.callTool('perplexity_search', { query: '' })).result?.isError).toBe(true);
    expect(client.program.lines).toHaveLength(1);
    await client.close();
  });
});

describe('a batch', () => {
  const search = {
    jsonrpc: '2.0',
    id: 'search',
    method: 'tools/call',
    params: { name: 'perplexity_search', arguments: { query: 'node', country: null } },
  };

  it('under 2025-03-26 is answered as one list', async () => {
    const client = open();
    await client.initialize('2025-03-26');
    const ping = { jsonrpc: '2.0', id: 'ping', method: 'ping' };
    const note = { jsonrpc: '2.0', method: 'notifications/initialized' };
    client.send([ping, note, search]);
    await expect.poll(() => client.program.lines.length, { timeout: 20_000 }).toBe(2);
    const answers: unknown = JSON.parse(client.program.lines[1] ?? '');
    expect(answers).toEqual([
      { jsonrpc: '2.0', id: 'ping', result: {} },
      {
        jsonrpc: '2.0',
        id: 'search',
        result: expect.objectContaining({ content: [expect.anything()] }),
      },
    ]);
    await client.close();
  });

  it('under a later revision is refused', async () => {
    const client = open();
    await client.initialize('2025-06-18');
    client.send([search]);
    expect((await client.request('ping')).result).toEqual({});
    const [, refused = ''] = client.program.lines;
    expect(JSON.parse(refused)).toMatchObject({ id: null, error: { code: -32_600 } });
    await client.close();
  });
});

describe('null where nothing is meant', () => {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    progressToken: null,
  };
  const asked = [
    ['tools/list', { cursor: null }],
    ['prompts/get', { name: 'generate_code', arguments: { task: 'x', language: null } }],
    [
      'tools/call',
      {
        name: 'perplexity_search',
        arguments: {
          query: 'node',
          max_results: null,
          max_tokens_per_page: null,
          country: null,
          search_domain_filter: null,
          search_language_filter: null,
          search_recency_filter: null,
          search_after_date_filter: null,
          search_before_date_filter: null,
          search_mode: null,
          answer: null,
        },
      },
    ],
    [
      'tools/call',
      {
        name: 'deepseek_generate_code',
        arguments: {
          prompt: 'x',
          language: null,
          context: null,
          model: null,
          thinking: null,
          temperature: null,
          max_tokens: null,
        },
      },
    ],
  ] as const;

  it.each(asked)('is as if absent in both eras: %s', async (method, params) => {
    const client = open();
    await client.initialize();
    for (const _meta of [null, { progressToken: null }, envelope]) {
      const answer = await client.request(method, { ...params, _meta });
      expect(resultOf(answer).isError).toBeUndefined();
    }
    await client.close();
  });

  it.each([null, []])('may stand for the parameters: %j', async (params) => {
    const client = open();
    client.send({ jsonrpc: '2.0', id: 'p', method: 'ping', params });
    expect((await client.answer('p')).result).toEqual({});
    await client.close();
  });
});
