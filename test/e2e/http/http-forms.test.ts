/** What clients send beside the ordinary, on the built program: messages, headers, ids. */

import { describe, expect, it } from 'vitest';
import { Program } from '../../../lab/program/program.ts';
import {
  ask,
  BEARER,
  byHand,
  ENVELOPE,
  head,
  home,
  INITIALIZE,
  JSON_TYPE,
  message,
  modern,
  openSession,
  POST,
  post,
  serveForms,
} from './form-server.ts';

serveForms();

describe('null where nothing is meant', () => {
  const call = { name: 'perplexity_search', arguments: { query: 'node', country: null } };

  it.each([
    ['ping', null],
    ['ping', []],
    ['tools/list', { cursor: null, _meta: null }],
    ['tools/call', { ...call, _meta: { progressToken: null } }],
    ['prompts/get', { name: 'generate_code', arguments: { task: 'x', model: null } }],
  ])('is as if absent in a session: %s %j', async (method, params) => {
    const session = await openSession();
    const { status, body } = await post(message(method, params), { 'mcp-session-id': session });
    expect([status, body]).toEqual([200, expect.stringContaining('"result"')]);
    expect(body).not.toContain('isError');
  });

  it.each([
    ['tools/list', { cursor: null }],
    ['tools/call', { ...call, arguments: { query: 'node', search_mode: null } }],
    ['prompts/get', { name: 'generate_code', arguments: { task: 'x', model: null } }],
  ])('is as if absent in the modern era: %s %j', async (method, params) => {
    const name = 'name' in params ? params.name : undefined;
    const meant = { ...params, _meta: { ...ENVELOPE, progressToken: null } };
    const { status, body } = await post(message(method, meant), modern(method, name));
    expect([status, body]).toEqual([200, expect.stringContaining('"result"')]);
    expect(body).not.toContain('isError');
  });

  it.each([null, [], 5, { requestId: null }, { _meta: 7 }])(
    'or nonsense in the params %j of a notification has no answer',
    async (params) => {
      const session = await openSession();
      const said = { jsonrpc: '2.0', method: 'notifications/cancelled', params };
      for (const headers of [{ 'mcp-session-id': session }, modern('notifications/cancelled')]) {
        const { status, body } = await post(said, headers);
        expect([status, body]).toEqual([202, '']);
      }
    },
  );
});

describe('an id', () => {
  it('above 2^53 is refused, not changed', async () => {
    const session = await openSession();
    const raw = '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}';
    const sent = head('POST', '/mcp', {
      ...POST,
      'mcp-session-id': session,
      'content-length': String(raw.length),
      connection: 'close',
    });
    const said = await byHand(sent + raw).said;
    expect(said).toMatch(/^HTTP\/1\.1 400/);
    expect(said).toContain('"id":null');
    expect(said).toContain('-32600');
  });
});

describe('the era', () => {
  it('of server/discover without _meta is judged as on stdio', async () => {
    const program = new Program({ args: [], env: home.env });
    const line = new Promise<string>((resolve) => {
      program.onLine = resolve;
    });
    program.write(`${JSON.stringify(message('server/discover'))}\n`);
    const onStdio: unknown = JSON.parse(await line);
    program.end();
    await program.exit;
    const { status, body } = await post(message('server/discover'));
    expect(status).toBe(400);
    expect(JSON.parse(body)).toEqual(onStdio);
    expect(onStdio).toMatchObject({ id: 1, error: { code: -32_602 } });
  });

  it.each(['2027-01-01', '2026-07-28', '2099-12-31'])(
    'of an initialize whose header hopes for %s is negotiated',
    async (version) => {
      const { status, body } = await post(INITIALIZE, { 'mcp-protocol-version': version });
      expect([status, body]).toEqual([200, expect.stringContaining('2025-11-25')]);
    },
  );
});

describe('Accept', () => {
  it.each([
    '*/*',
    'application/*, text/*',
    'Application/JSON, Text/Event-Stream',
    'text/event-stream;q=0.5 , application/json;charset=utf-8',
    'text/event-stream, */*;q=0.1',
    '',
  ])('%j takes an answer', async (accept) => {
    expect((await post(INITIALIZE, { accept })).status).toBe(200);
    const params = { _meta: ENVELOPE };
    const said = await post(message('tools/list', params), { accept, ...modern('tools/list') });
    expect(said.status).toBe(200);
  });

  it('may be left out', async () => {
    const headers = { ...BEARER, ...JSON_TYPE };
    expect((await ask('/mcp', headers, { method: 'POST', body: INITIALIZE })).status).toBe(200);
  });

  it.each(['text/html', 'application/json', '*/*;q=0', 'text/event-stream;q=0, */*'])(
    '%j takes none in a session',
    async (accept) => {
      expect((await post(INITIALIZE, { accept })).status).toBe(406);
    },
  );
});

describe('/mcp/', () => {
  it('is /mcp', async () => {
    expect((await post(INITIALIZE, {}, '/mcp/')).status).toBe(200);
    const { status, body } = await ask('/mcp/', {});
    expect([status, body]).toEqual([401, expect.stringContaining('"jsonrpc"')]);
  });
});
