/** Who asks, from where and how: hosts, browsers, OAuth, connections and loopbacks, on the built program. */

import { describe, expect, it } from 'vitest';
import { TOKEN } from '../../../lab/program/http-program.ts';
import { run } from '../../../lab/program/program.ts';
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
  PAGE,
  POST,
  post,
  serveForms,
  server,
  start,
  url,
} from './form-server.ts';

serveForms();

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
