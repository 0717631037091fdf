import { randomUUID } from 'node:crypto';
import {
  Client as ModernClient,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PATIENT } from '../../../lab/until.ts';
import { ask, bearer, startTestServer, type TestServer } from '../test-server.ts';

const INFO = { name: 'test', version: '1' };
const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

async function legacyClient(server: TestServer): Promise<LegacyClient> {
  const client = new LegacyClient(INFO);
  const transport = new LegacyTransport(new URL(`${server.url}/mcp`), {
    requestInit: { headers: bearer(server) },
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return client;
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: INFO },
};

async function openSession(server: TestServer): Promise<string> {
  const { status, headers } = await ask(server, '/mcp', {
    method: 'POST',
    headers: { ...HEADERS, ...bearer(server) },
    body: JSON.stringify(INITIALIZE),
  });
  expect(status).toBe(200);
  const id = headers['mcp-session-id'];
  if (typeof id !== 'string') throw new Error('no session id');
  return id;
}

function inSession(server: TestServer, session: string): Record<string, string> {
  return { ...HEADERS, ...bearer(server), 'mcp-session-id': session };
}

function callOf(id: unknown, prompt: string): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'deepseek_generate_code', arguments: { prompt } },
  });
}

describe('/mcp', () => {
  it('tells an initialize without its members what it lacks', async () => {
    const server = await startTestServer();
    const answer = await ask(server, '/mcp', {
      method: 'POST',
      headers: { ...HEADERS, ...bearer(server) },
      body: JSON.stringify({ ...INITIALIZE, id: 7, params: { protocolVersion: 'fake' } }),
    });
    expect(answer.status).toBe(400);
    const message = 'Invalid params: initialize needs protocolVersion, capabilities and clientInfo';
    expect(JSON.parse(answer.body)).toEqual({
      jsonrpc: '2.0',
      id: 7,
      error: { code: -32_602, message },
    });
  });

  it('serves the official legacy client, progress included', async () => {
    const server = await startTestServer();
    const client = await legacyClient(server);
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual([
      'deepseek_generate_code',
      'perplexity_search',
    ]);
    const result = await client.callTool({
      name: 'deepseek_generate_code',
      arguments: { prompt: 'hello' },
    });
    expect(result.isError).not.toBe(true);
    expect(result.structuredContent).toMatchObject({ key: 'DEEPSEEK_API_KEY', attempts: 1 });
    const found = await client.callTool({
      name: 'perplexity_search',
      arguments: { query: 'keys' },
    });
    expect(found.structuredContent).toMatchObject({ key: 'PERPLEXITY_API_KEY' });
  });

  it('serves the official modern client, pinned to 2026-07-28', async () => {
    const server = await startTestServer();
    const client = new ModernClient(INFO, {
      versionNegotiation: { mode: { pin: '2026-07-28' } },
    });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), {
        requestInit: { headers: bearer(server) },
      }),
    );
    onTestFinished(() => client.close());
    expect((await client.listTools()).tools).toHaveLength(2);
    const result = await client.callTool({
      name: 'deepseek_generate_code',
      arguments: { prompt: 'hello' },
    });
    expect(result.structuredContent).toMatchObject({ key: 'DEEPSEEK_API_KEY' });
  });

  it.each([
    ['well-formed', INITIALIZE],
    ['malformed', { ...INITIALIZE, params: {} }],
    [
      'in a batch',
      [
        { jsonrpc: '2.0', id: 1, method: 'ping' },
        { ...INITIALIZE, params: {} },
      ],
    ],
  ])('is initialized once in a session: %s', async (_name, posted) => {
    const server = await startTestServer();
    const session = await openSession(server);
    const { status, body } = await ask(server, '/mcp', {
      method: 'POST',
      headers: inSession(server, session),
      body: JSON.stringify(posted),
    });
    expect(status).toBe(400);
    const message = 'Invalid request: this session is initialized already';
    expect(JSON.parse(body)).toEqual({ jsonrpc: '2.0', id: 0, error: { code: -32_600, message } });
  });

  it('names what a modern request has in another form, and repeats nothing of it', async () => {
    const server = await startTestServer();
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const params = { name: 'generate_code', arguments: { task: { 'fake-name': 5 } }, _meta };
    const { status, body } = await ask(server, '/mcp', {
      method: 'POST',
      headers: { ...HEADERS, ...bearer(server), 'mcp-protocol-version': '2026-07-28' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'prompts/get', params }),
    });
    expect(status).toBe(400);
    const message = 'Invalid params: params.arguments is missing or malformed';
    expect(JSON.parse(body)).toMatchObject({ id: 1, error: { code: -32_602, message } });
  });

  it('never sends the inbound token upstream', async () => {
    const server = await startTestServer();
    const client = await legacyClient(server);
    await client.callTool({ name: 'deepseek_generate_code', arguments: { prompt: 'hello' } });
    expect(server.simulator.calls.length).toBeGreaterThan(0);
    expect(server.simulator.violations).toEqual([]);
    expect(JSON.stringify(server.simulator.calls)).not.toContain(server.token);
    expect(server.log.join('')).not.toContain(server.token);
  });

  it('keeps fifty clients with the same ids apart', async () => {
    const server = await startTestServer();
    const sessions = await Promise.all(Array.from({ length: 50 }, () => openSession(server)));
    expect(new Set(sessions).size).toBe(50);
    const asked: string[] = [];
    for (const secret of server.secrets) {
      server.simulator.setBehaviour(secret, {
        answer: (body) => {
          const mark = /mark-[0-9a-f-]{36}/.exec(JSON.stringify(body))?.[0] ?? '';
          asked.push(mark);
          return `\`\`\`js\n// ${mark}\n\`\`\``;
        },
      });
    }
    const answers = await Promise.all(
      sessions.flatMap((session) =>
        [0, 1, '1'].map(async (id) => {
          const mark = `mark-${randomUUID()}`;
          const headers = inSession(server, session);
          const { body } = await ask(server, '/mcp', {
            method: 'POST',
            headers,
            body: callOf(id, mark),
          });
          return { id, mark, body };
        }),
      ),
    );
    for (const { id, mark, body } of answers) {
      expect(body).toContain(`"id":${JSON.stringify(id)}`);
      const marks = new Set(body.match(/mark-[0-9a-f-]{36}/g));
      expect([...marks]).toEqual([mark]);
    }
    expect(new Set(asked).size).toBe(150);
  }, 30_000);

  it('says 404 to an unknown session and 400 to none', async () => {
    const server = await startTestServer();
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    for (const method of ['POST', 'GET', 'DELETE']) {
      const options = { method, ...(method === 'POST' ? { body } : {}) };
      const unknown = await ask(server, '/mcp', {
        ...options,
        headers: inSession(server, randomUUID()),
      });
      expect(unknown.status, method).toBe(404);
      const none = await ask(server, '/mcp', {
        ...options,
        headers: { ...HEADERS, ...bearer(server) },
      });
      expect(none.status, method).toBe(400);
    }
  });

  it('forgets a session that its client deletes', async () => {
    const server = await startTestServer();
    const headers = inSession(server, await openSession(server));
    expect((await ask(server, '/mcp', { method: 'DELETE', headers })).status).toBe(200);
    expect((await ask(server, '/mcp', { method: 'DELETE', headers })).status).toBe(404);
  });

  it('makes room for a new session by ending the one that was quiet for longest', async () => {
    const server = await startTestServer({ sessionLimits: { most: 2, idleMs: 60_000 } });
    const [first, second] = [await openSession(server), await openSession(server)];
    const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const use = async (session: string): Promise<number> => {
      const headers = inSession(server, session);
      return (await ask(server, '/mcp', { method: 'POST', headers, body: list })).status;
    };
    expect(await use(first)).toBe(200);
    const third = await openSession(server);
    expect([await use(first), await use(second), await use(third)]).toEqual([200, 404, 200]);
  });

  it('refuses an id that is in flight in the same session', async () => {
    const server = await startTestServer();
    slowKey(server);
    const headers = inSession(server, await openSession(server));
    const aborter = new AbortController();
    const first = fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers,
      body: callOf(5, 'slow'),
      signal: aborter.signal,
    });
    await expect.poll(() => server.simulator.inFlight(), PATIENT).toBe(1);
    const second = await ask(server, '/mcp', { method: 'POST', headers, body: callOf(5, 'again') });
    expect([second.status, second.body]).toEqual([400, expect.stringContaining('in use')]);
    aborter.abort();
    await first.then((response) => response.text()).catch(() => '');
  });

  it.each([0, 7, 'seven'])('aborts the upstream when call %j is cancelled', async (id) => {
    const server = await startTestServer();
    slowKey(server);
    const headers = inSession(server, await openSession(server));
    const answer = ask(server, '/mcp', { method: 'POST', headers, body: callOf(id, 'slow') });
    await expect.poll(() => server.simulator.inFlight(), PATIENT).toBe(1);
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } };
    const said = await ask(server, '/mcp', {
      method: 'POST',
      headers,
      body: JSON.stringify(cancel),
    });
    expect(said.status).toBe(202);
    await expect.poll(() => server.simulator.inFlight(), PATIENT).toBe(0);
    expect((await answer).body).not.toContain('"result"');
  });

  it('aborts the upstream when the client hangs up', async () => {
    const server = await startTestServer();
    slowKey(server);
    const headers = inSession(server, await openSession(server));
    const aborter = new AbortController();
    const call = fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers,
      body: callOf(1, 'slow'),
      signal: aborter.signal,
    }).then((response) => response.text());
    await expect.poll(() => server.simulator.inFlight(), PATIENT).toBe(1);
    aborter.abort();
    await expect(call).rejects.toThrow();
    await expect.poll(() => server.simulator.inFlight(), PATIENT).toBe(0);
  });

  it('aborts the upstream when a modern client closes the stream', async () => {
    const server = await startTestServer();
    slowKey(server);
    const aborter = new AbortController();
    const name = 'deepseek_generate_code';
    const call = fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers: {
        ...HEADERS,
        ...bearer(server),
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': name,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name,
          arguments: { prompt: 'slow' },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': INFO,
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
      signal: aborter.signal,
    }).then((response) => response.text());
    await expect.poll(() => server.simulator.inFlight(), PATIENT).toBe(1);
    aborter.abort();
    await expect(call).rejects.toThrow();
    await expect.poll(() => server.simulator.inFlight(), PATIENT).toBe(0);
  });

  it('answers what is no JSON-RPC, no JSON and no text', async () => {
    const server = await startTestServer();
    const headers = { ...HEADERS, ...bearer(server) };
    const say = (body: string, over: Record<string, string> = {}) =>
      ask(server, '/mcp', { method: 'POST', headers: { ...headers, ...over }, body });
    expect((await say('{')).body).toContain('-32700');
    expect((await say('')).status).toBe(400);
    expect((await say('7')).status).toBe(400);
    expect((await say('{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await say('{}', { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await ask(server, '/mcp', { method: 'PUT', headers })).status).toBe(405);
  });

  it('lets calls in flight finish, refuses new ones and ends', async () => {
    const server = await startTestServer();
    slowKey(server, 700);
    const headers = inSession(server, await openSession(server));
    const answer = ask(server, '/mcp', { method: 'POST', headers, body: callOf(1, 'slow') });
    await expect.poll(() => server.simulator.calls.length, PATIENT).toBe(1);
    server.stop();
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    expect((await answer).body).toContain('"structuredContent"');
    expect(await server.exit).toBe(0);
  });

  it('ends within its bound although a call hangs and a client listens', async () => {
    const server = await startTestServer({ drainMs: 200 });
    slowKey(server, 60_000);
    const session = await openSession(server);
    const headers = inSession(server, session);
    const listening = fetch(`${server.url}/mcp`, {
      headers: { ...bearer(server), accept: 'text/event-stream', 'mcp-session-id': session },
    });
    expect((await listening).status).toBe(200);
    const answer = ask(server, '/mcp', { method: 'POST', headers, body: callOf(1, 'slow') });
    await expect.poll(() => server.simulator.inFlight(), PATIENT).toBe(1);
    server.stop();
    expect(await server.exit).toBe(0);
    await expect.poll(() => server.simulator.inFlight(), PATIENT).toBe(0);
    await answer.catch(() => null);
  });

  it('counts tool calls and upstream requests in /metrics', async () => {
    const server = await startTestServer();
    const client = await legacyClient(server);
    await client.callTool({ name: 'deepseek_generate_code', arguments: { prompt: 'hello' } });
    const { body } = await ask(server, '/metrics', { headers: bearer(server) });
    expect(body).toContain('mcp_tool_calls_total{tool="deepseek_generate_code",outcome="ok"} 1');
    expect(body).toMatch(/deepseek_requests_total\{key_id="[0-9a-f]{6}",outcome="ok"\} 1/);
    expect(body).toMatch(/deepseek_key_score\{key_id="[0-9a-f]{6}"\} \d+/);
  });
});

/** Makes the DeepSeek key answer late. */
function slowKey(server: TestServer, ttftMs = 20_000): void {
  for (const secret of server.secrets) server.simulator.setBehaviour(secret, { ttftMs });
}
