import { describe, expect, it } from 'vitest';
import { ask, bearer, sendBytes, startTestServer, type TestServer } from '../test-server.ts';

/** A call that would spend the owner's key if it got through. */
const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'deepseek_generate_code', arguments: { prompt: 'hello' } },
});
const MCP_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

const ROUTES = [
  { method: 'POST', path: '/mcp', body: CALL, isPublic: false },
  { method: 'GET', path: '/mcp', isPublic: false },
  { method: 'DELETE', path: '/mcp', isPublic: false },
  { method: 'GET', path: '/metrics', isPublic: false },
  { method: 'GET', path: '/healthz', isPublic: true },
  { method: 'GET', path: '/dashboard', isPublic: true },
  { method: 'GET', path: '/dashboard/page.js', isPublic: true },
  { method: 'GET', path: '/dashboard/../api/status', isPublic: false },
  { method: 'GET', path: '/dashboard/page.js/../../api/keys', isPublic: false },
  { method: 'GET', path: '/dashboard%2fpage.js', isPublic: false },
  { method: 'POST', path: '/dashboard', isPublic: false },
  { method: 'GET', path: '/api/status', isPublic: false },
  { method: 'GET', path: '/api/history', isPublic: false },
  { method: 'GET', path: '/api/keys', isPublic: false },
  { method: 'GET', path: '/api/environments', isPublic: false },
  { method: 'POST', path: '/api/keys', body: '{"name":"A_B","value":"x"}', isPublic: false },
  { method: 'POST', path: '/api/keys/A_B/verify', isPublic: false },
  { method: 'POST', path: '/api/environment', body: '{"environment":null}', isPublic: false },
  { method: 'DELETE', path: '/api/keys/A_B', isPublic: false },
  { method: 'OPTIONS', path: '/api/keys', isPublic: false },
  { method: 'OPTIONS', path: '/mcp', isPublic: false },
  { method: 'GET', path: '/', isPublic: false },
  { method: 'GET', path: '/nothing-here', isPublic: false },
  { method: 'GET', path: '//mcp', isPublic: false },
] as const;

const badHosts = ({ port }: TestServer): string[] => [
  'evil.example',
  `evil.example:${port}`,
  `127.0.0.1.evil.example:${port}`,
  `localhost.evil.example:${port}`,
  `evil.example#127.0.0.1:${port}`,
  `127.0.0.1@evil.example:${port}`,
  `user@127.0.0.1:${port}`,
  `0.0.0.0:${port}`,
  `192.168.1.7:${port}`,
  `[::ffff:127.0.0.1]:${port}`,
  `2130706433:${port}`,
  `127.1:${port}`,
  `127.0.0.1:${port + 1}`,
  `localhost..:${port}`,
  'localhost..',
];

const badOrigins = ({ port }: TestServer): string[] => [
  'null',
  '',
  'http://evil.example',
  'https://evil.example',
  `http://evil.example:${port}`,
  `http://127.0.0.1.evil.example:${port}`,
  `http://127.0.0.1:${port}.evil.example`,
  'http://localhost:3000',
  'http://127.0.0.1',
  `http://127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}@evil.example`,
  `file://127.0.0.1:${port}`,
  `chrome-extension://127.0.0.1:${port}`,
  `http://127.0.0.1:${port}, http://evil.example`,
];

const badTokens = ({ token }: TestServer): Array<string | undefined> => [
  undefined,
  '',
  token,
  'Bearer',
  'Bearer ',
  'Bearer undefined',
  `Bearer ${token.slice(0, -1)}`,
  `Bearer ${token}x`,
  `Bearer ${token.toUpperCase()}`,
  `Basic ${Buffer.from(`x:${token}`).toString('base64')}`,
  `Bearer ${token}, Bearer ${token}`,
];

const goodHosts = ({ port }: TestServer): string[] => [
  `127.0.0.1:${port}`,
  `localhost:${port}`,
  `LocalHost:${port}`,
  `[::1]:${port}`,
  // As a proxy passes on what it was called by, on a standard port.
  'localhost',
  '127.0.0.1:80',
  'localhost:443',
  `localhost.:${port}`,
];

function bodyOf(route: (typeof ROUTES)[number]): { body: string } | object {
  return 'body' in route ? { body: route.body } : {};
}

describe('the guard', () => {
  it('refuses every wrong Host on every route, whatever else is right', async () => {
    const server = await startTestServer();
    for (const route of ROUTES) {
      for (const host of badHosts(server)) {
        const headers = { ...MCP_HEADERS, ...bearer(server), host };
        const { status } = await ask(server, route.path, {
          method: route.method,
          headers,
          ...bodyOf(route),
        });
        expect.soft(status, `${route.method} ${route.path} with Host ${host}`).toBe(403);
      }
    }
    expect(server.simulator.calls).toHaveLength(0);
    expect(server.keys.size).toBe(0);
  });

  it('refuses every foreign Origin on every route, whatever else is right', async () => {
    const server = await startTestServer();
    for (const route of ROUTES) {
      for (const origin of badOrigins(server)) {
        const headers = { ...MCP_HEADERS, ...bearer(server), origin };
        const { status } = await ask(server, route.path, {
          method: route.method,
          headers,
          ...bodyOf(route),
        });
        expect.soft(status, `${route.method} ${route.path} with Origin ${origin}`).toBe(403);
      }
    }
    expect(server.simulator.calls).toHaveLength(0);
    expect(server.keys.size).toBe(0);
  });

  it('refuses every wrong token on every route that shows or does something', async () => {
    for (const route of ROUTES) {
      // A server for each route: one that is asked on and on answers more and more slowly.
      const server = await startTestServer();
      for (const authorization of badTokens(server)) {
        const sent = authorization === undefined ? {} : { authorization };
        const { status, headers, body } = await ask(server, route.path, {
          method: route.method,
          headers: { ...MCP_HEADERS, ...sent },
          ...bodyOf(route),
        });
        const what = `${route.method} ${route.path} with ${authorization ?? 'no token'}`;
        if (route.isPublic) expect.soft([200, 503], what).toContain(status);
        else {
          expect.soft(status, what).toBe(401);
          expect.soft(headers['www-authenticate'], what).toBe('Bearer');
        }
        expect.soft(body, what).not.toContain(server.token);
      }
      expect(server.simulator.calls).toHaveLength(0);
      expect(server.keys.size).toBe(0);
      // Each listens for the signals of the process as long as it serves.
      server.stop();
      await server.exit;
    }
  });

  it('lets in who has a right Host, no Origin or the own one, and the token', async () => {
    const server = await startTestServer();
    for (const host of goodHosts(server)) {
      for (const origin of [undefined, `http://${host}`]) {
        const headers = { ...bearer(server), host, ...(origin === undefined ? {} : { origin }) };
        const { status } = await ask(server, '/api/status', { headers });
        expect.soft(status, `${host} ${origin ?? 'no Origin'}`).toBe(200);
      }
    }
  });

  it('serves a name that was allowed, with and without the port', async () => {
    const server = await startTestServer({ allowedHosts: ['keys.example'] });
    for (const host of ['keys.example', `keys.example:${server.port}`, 'KEYS.example']) {
      const headers = { ...bearer(server), host, origin: `https://${host}` };
      const { status } = await ask(server, '/api/status', { headers });
      expect.soft(status, host).toBe(200);
    }
    const headers = { ...bearer(server), host: 'other.example' };
    expect((await ask(server, '/api/status', { headers })).status).toBe(403);
  });

  it('tells every answer not to be stored, sniffed, framed or scripted', async () => {
    const server = await startTestServer();
    const answers = [
      await ask(server, '/healthz'),
      await ask(server, '/dashboard'),
      await ask(server, '/api/status'),
      await ask(server, '/api/status', { headers: bearer(server) }),
      await ask(server, '/metrics', { headers: bearer(server) }),
      await ask(server, '/nothing', { headers: bearer(server) }),
      await ask(server, '/mcp', { headers: { ...bearer(server), host: 'evil.example' } }),
      await ask(server, '/mcp', {
        method: 'POST',
        body: CALL,
        headers: { ...MCP_HEADERS, ...bearer(server) },
      }),
    ];
    for (const { headers } of answers) {
      expect(headers['cache-control']).toMatch(/no-store/);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-frame-options']).toBe('DENY');
      expect(headers['content-security-policy']).toMatch(/^default-src 'none';/);
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers['set-cookie']).toBeUndefined();
    }
  });

  it('says of itself without a token only that it lives', async () => {
    const server = await startTestServer();
    const { status, body } = await ask(server, '/healthz');
    expect([status, body]).toEqual([200, '{"status":"ok"}']);
  });

  it('refuses a script of another page even where a browser leaves Origin out', async () => {
    const server = await startTestServer();
    const from = (mode: string) => ({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': mode });
    expect((await ask(server, '/dashboard/page.js', { headers: from('no-cors') })).status).toBe(
      403,
    );
    expect((await ask(server, '/healthz', { headers: from('no-cors') })).status).toBe(403);
    expect((await ask(server, '/healthz', { headers: from('navigate') })).status).toBe(200);
  });

  it('refuses two Host headers, a proxy form and a request without Host', async () => {
    const server = await startTestServer();
    const { port, token } = server;
    const auth = `Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
    const own = `Host: 127.0.0.1:${port}\r\n`;
    const twice = await sendBytes(
      port,
      `GET /api/status HTTP/1.1\r\n${own}Host: evil.example\r\n${auth}`,
    );
    expect(twice).toMatch(/^HTTP\/1\.1 40[03]/);
    const proxy = await sendBytes(
      port,
      `GET http://evil.example/api/status HTTP/1.1\r\n${own}${auth}`,
    );
    expect(proxy).toMatch(/^HTTP\/1\.1 400/);
    expect(await sendBytes(port, `GET /api/status HTTP/1.1\r\n${auth}`)).toMatch(
      /^HTTP\/1\.1 40[03]/,
    );
    const empty = await sendBytes(port, `GET /api/status HTTP/1.1\r\nHost:\r\n${auth}`);
    expect(empty).toMatch(/^HTTP\/1\.1 403/);
    expect(await sendBytes(port, `GET /api/status HTTP/1.0\r\n${auth}`)).toMatch(/^HTTP\/1\.1 403/);
  });

  it('asks nobody for a body that it will not read', async () => {
    const server = await startTestServer();
    const said = await sendBytes(
      server.port,
      `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: 10\r\n` +
        'Expect: 100-continue\r\nConnection: close\r\n\r\n',
    );
    expect(said).toMatch(/^HTTP\/1\.1 401/);
  });

  it('takes 4 MiB and not a byte more, declared or streamed', async () => {
    const server = await startTestServer();
    const headers = { ...MCP_HEADERS, ...bearer(server) };
    const limit = 4 * 1024 * 1024;
    const declared = await ask(server, '/mcp', {
      method: 'POST',
      headers,
      body: `"${'x'.repeat(limit)}"`,
    }).catch(() => ({ status: 413 }));
    expect(declared.status).toBe(413);
    const chunked = await fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers,
      duplex: 'half',
      body: new ReadableStream({
        start: (stream) => {
          for (let sent = 0; sent <= limit; sent += 65_536) {
            stream.enqueue(Buffer.alloc(65_536, 'x'));
          }
          stream.close();
        },
      }),
    }).catch(() => ({ status: 413 }));
    expect(chunked.status).toBe(413);
    const fits = await ask(server, '/mcp', {
      method: 'POST',
      headers,
      body: `"${'x'.repeat(limit - 2)}"`,
    });
    expect(fits.status).toBe(400);
  });
});
