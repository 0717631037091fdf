/** What clients, browsers and proxies send beside the ordinary, on the built program. */

import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { TOKEN, untilListening } from '../../../lab/program/http-program.ts';
import { Program, run } from '../../../lab/program/program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const KEY = canarySecret('pplx-fake');
const PAGE = 'https://app.example';
const INFO = { name: 'test-client', version: '1.0.0' };
const BEARER = { authorization: `Bearer ${TOKEN}` };
const JSON_TYPE = { 'content-type': 'application/json' };
const ACCEPT = { accept: 'application/json, text/event-stream' };
const POST = { ...BEARER, ...JSON_TYPE, ...ACCEPT };
const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': INFO,
  'io.modelcontextprotocol/clientCapabilities': {},
};

let simulator: Simulator;
let home: Home;
let server: Program;
let url: string;
let port: number;

async function start(args: readonly string[]): Promise<[Program, string]> {
  const program = new Program({
    args: ['serve', '--http', '--port', '0', ...args],
    env: { ...home.env, KEYPOOL_HTTP_TOKEN: TOKEN },
  });
  return [program, await untilListening(program)];
}

beforeAll(async () => {
  simulator = await startSimulator({ seed: 3 });
  simulator.addKey(KEY, { provider: 'perplexity' });
  home = await createHome({ simulator, env: { PERPLEXITY_API_KEY: KEY } });
  [server, url] = await start(['--allow-origin', PAGE, '--allow-host', 'keys.example']);
  port = Number(new URL(url).port);
});

afterAll(async () => {
  server.kill();
  await server.exit;
  home.remove();
  await simulator.close();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** fetch would set Host, Origin and Accept itself. */
function ask(
  path: string,
  headers: Readonly<Record<string, string>>,
  { method = 'GET', body }: { method?: string; body?: unknown } = {},
): Promise<Answer> {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const length = sent === undefined ? {} : { 'content-length': String(Buffer.byteLength(sent)) };
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, method, headers: { ...length, ...headers }, agent: false },
      (answer) => {
        const { statusCode: status = 0, headers: said } = answer;
        text(answer).then((read) => resolve({ status, headers: said, body: read }), reject);
      },
    );
    asked.on('error', reject).end(sent);
  });
}

function post(body: unknown, headers: Readonly<Record<string, string>> = {}, path = '/mcp') {
  return ask(path, { ...POST, ...headers }, { method: 'POST', body });
}

function message(method: string, params?: unknown, id: unknown = 1) {
  return { jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) };
}

const INITIALIZE = message('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: INFO,
});

async function openSession(headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const { status, headers: said, body } = await post(INITIALIZE, headers);
  expect(status, body).toBe(200);
  return String(said['mcp-session-id']);
}

function modern(method: string, name?: string): Record<string, string> {
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(name !== undefined && { 'mcp-name': name }),
  };
}

/** A connection by hand; `said` is whole when the server has closed it. */
function byHand(bytes: string): { socket: Socket; said: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  socket.setTimeout(10_000, () => socket.destroy(new Error('the connection stayed open')));
  return { socket, said: text(socket) };
}

function head(method: string, path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers });
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`;
}

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

describe('Host', () => {
  it.each([
    'localhost',
    'LOCALHOST.',
    '127.0.0.1:80',
    '[::1]',
    'keys.example',
    'keys.example.',
    'keys.example:443',
    'Keys.Example:80',
  ])('%s names the server', async (host) => {
    expect((await ask('/api/status', { ...BEARER, host })).status).toBe(200);
  });

  it.each(['keys.example.evil', 'keys.example:4430', 'localhost:1', 'evil.example', '443', '.'])(
    '%j does not',
    async (host) => {
      expect((await ask('/api/status', { ...BEARER, host })).status).toBe(403);
    },
  );

  it('without a port does not let in a page without one', async () => {
    const headers = { ...BEARER, origin: 'http://localhost' };
    expect((await ask('/api/status', { ...headers, host: 'localhost' })).status).toBe(200);
    expect((await ask('/api/status', headers)).status).toBe(403);
  });
});

describe('--allow-origin', () => {
  const preflight = (origin: string, more = {}) =>
    ask(
      '/mcp',
      {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,mcp-session-id',
        ...more,
      },
      { method: 'OPTIONS' },
    );

  it('lets the browser ask first, without a token', async () => {
    const { status, headers, body } = await preflight(PAGE);
    expect([status, body]).toEqual([204, '']);
    expect(headers).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': expect.stringContaining('DELETE'),
      'access-control-allow-headers': expect.stringMatching(/Authorization.*Mcp-Session-Id/),
      vary: 'Origin',
    });
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    const more = { 'access-control-request-private-network': 'true' };
    const local = await preflight(PAGE, more);
    expect(local.headers['access-control-allow-private-network']).toBe('true');
  });

  it('lets its page read the answers, the refusals and the id of its session', async () => {
    for (const headers of [{ origin: PAGE }, { origin: PAGE, authorization: 'Bearer wrong' }]) {
      const said = await post(INITIALIZE, headers);
      expect(said.headers['access-control-allow-origin']).toBe(PAGE);
      expect(said.headers['access-control-expose-headers']).toContain('Mcp-Session-Id');
    }
    const streamed = await post(message('tools/list', { _meta: ENVELOPE }), {
      origin: PAGE,
      ...modern('tools/list'),
    });
    expect([streamed.status, streamed.headers['access-control-allow-origin']]).toEqual([200, PAGE]);
  });

  it.each([
    'https://evil.example',
    'http://app.example',
    'https://app.example:8443',
    'https://app.example.evil',
    'https://sub.app.example',
    'null',
  ])('lets nobody else in: %s', async (origin) => {
    for (const said of [await preflight(origin), await post(INITIALIZE, { origin })]) {
      expect(said.status).toBe(403);
      expect(said.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('says nothing of it to who sends no Origin', async () => {
    const { headers } = await post(INITIALIZE);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it.each(['app.example', '*', 'https://app.example/path', ''])('refuses %j', async (origin) => {
    const args = ['serve', '--http', '--port', '0', '--allow-origin', origin];
    const ended = await run(args, { ...home.env, KEYPOOL_HTTP_TOKEN: TOKEN });
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('--allow-origin')]);
  });
});

describe('a client that looks for OAuth', () => {
  it('is told by the refusal what to send instead', async () => {
    for (const authorization of ['', 'Bearer wrong']) {
      const said = await ask('/mcp', { ...POST, authorization }, { method: 'POST', body: {} });
      expect([said.status, said.headers['www-authenticate']]).toEqual([401, 'Bearer']);
      const help = expect.stringContaining('Authorization: Bearer');
      expect(JSON.parse(said.body)).toMatchObject({
        error: { message: help },
        error_description: help,
      });
    }
  });

  it.each([
    ['GET', '/.well-known/oauth-protected-resource'],
    ['GET', '/.well-known/oauth-protected-resource/mcp'],
    ['GET', '/.well-known/oauth-authorization-server'],
    ['GET', '/.well-known/oauth-authorization-server/mcp'],
    ['GET', '/.well-known/openid-configuration'],
    ['GET', '/.well-known/openid-configuration/mcp'],
    ['GET', '/mcp/.well-known/openid-configuration'],
    ['POST', '/register'],
  ])('finds nothing at %s %s, without a token', async (method, path) => {
    const body = method === 'POST' ? { redirect_uris: [] } : undefined;
    const said = await ask(path, JSON_TYPE, { method, ...(body !== undefined && { body }) });
    expect(said.status).toBe(404);
    expect(JSON.parse(said.body)).toMatchObject({ error: expect.any(String) });
    expect((await ask(path, { host: 'evil.example' }, { method })).status).toBe(403);
  });
});

describe('a connection', () => {
  it('is closed when the client says so, also behind a stream', async () => {
    const session = await openSession();
    const body = JSON.stringify(message('ping'));
    const headers = {
      ...POST,
      'mcp-session-id': session,
      'content-length': String(body.length),
      connection: 'close',
    };
    const said = await byHand(head('POST', '/mcp', headers) + body).said;
    expect(said).toMatch(/^HTTP\/1\.1 200/);
    expect(said).toMatch(/\r\nconnection: close\r\n/i);
    expect(said).toContain('"result":{}');
  });

  it.each([
    ['declared', { 'content-length': '5000000' }, ''],
    ['in chunks', { 'transfer-encoding': 'chunked' }, '500000\r\n'],
  ])('is closed at once when the body is too large: %s', async (_, length, chunk) => {
    for (const path of ['/mcp', '/api/keys']) {
      const { socket, said } = byHand(head('POST', path, { ...POST, ...length }) + chunk);
      if (chunk !== '') {
        for (let sent = 0; sent <= 64; sent++) socket.write('x'.repeat(65_536));
      }
      expect(await said).toMatch(/^HTTP\/1\.1 413/);
    }
  });

  it('that breaks in mid-body is no internal error', async () => {
    for (const path of ['/mcp', '/api/keys']) {
      const { socket, said } = byHand(
        `${head('POST', path, { ...POST, 'content-length': '1000' })}{"jsonrpc"`,
      );
      said.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 100));
      socket.resetAndDestroy();
    }
    expect((await ask('/healthz', {})).status).toBe(200);
    expect(server.stderr).not.toContain('internal error');
  });
});

describe('a listening stream', () => {
  it('gives way to a newer one of its session', async () => {
    const session = await openSession();
    const headers = { ...BEARER, accept: 'text/event-stream', 'mcp-session-id': session };
    const first = await fetch(`${url}/mcp`, { headers });
    const left = new AbortController();
    const second = await fetch(`${url}/mcp`, { headers, signal: left.signal });
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(await first.text()).toBe('');
    const ping = { 'mcp-session-id': session };
    expect((await post(message('ping'), ping)).body).toContain('"result":{}');
    left.abort();
  });
});

describe('--host', () => {
  it('localhost serves both loopbacks', async () => {
    const [program, address] = await start(['--host', 'localhost']);
    const found = new URL(address).port;
    const answers = await Promise.all(
      ['127.0.0.1', '[::1]', 'localhost'].map((host) => fetch(`http://${host}:${found}/healthz`)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    program.kill();
    expect((await program.exit).code).toBe(0);
  });

  it.each(['[::1]', '::1'])('%s works', async (host) => {
    const [program, address] = await start(['--host', host]);
    expect(address).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    program.kill();
    expect((await program.exit).code).toBe(0);
  });
});
