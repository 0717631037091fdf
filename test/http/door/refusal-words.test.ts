/** The guard alone, before a real server: what each refusal says, and what a named client may ask. */

import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCallers } from '../../../src/http/door/callers.ts';
import { BODY_LIMIT, createGuard, type Guard } from '../../../src/http/door/guard.ts';
import { servedNames } from '../../../src/http/door/served-names.ts';

const OWNER = 'the-owner-of-this-test-0123456789';
const CLIENT = 'a-client-of-this-test-0123456789';

interface Asked {
  readonly method?: string;
  readonly headers?: IncomingHttpHeaders;
}

let guard: Guard;
const server = createServer((request, response) => {
  response.end(JSON.stringify(guard(request)));
});
let port = 0;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  guard = createGuard({
    names: servedNames('127.0.0.1', port, []),
    allowedOrigins: new Set(['https://app.example']),
    callers: createCallers({
      token: OWNER,
      clientOf: (token) => (token === CLIENT ? 'build-server' : null),
    }),
    publicPaths: new Set(['/healthz']),
  });
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** What the guard says; null for "come in". */
async function asked(path: string, { method = 'GET', headers = {} }: Asked = {}): Promise<unknown> {
  const request = httpRequest({ host: '127.0.0.1', port, path, method, headers });
  request.on('error', () => {});
  request.end();
  const [response] = await once(request, 'response');
  return method === 'HEAD' ? response.statusCode : JSON.parse(await text(response));
}

const bearer = (token: string): IncomingHttpHeaders => ({ authorization: `Bearer ${token}` });

describe('each refusal says what to do', () => {
  it('a Host that is not served', async () => {
    expect(await asked('/healthz', { headers: { host: 'evil.example' } })).toEqual({
      status: 403,
      message:
        'This Host is not served here. Use the address the server prints, or allow the name with --allow-host',
    });
  });

  it('an Origin of somebody else', async () => {
    const refusal = {
      status: 403,
      message:
        'This Origin may not talk to this server. A browser client may with --allow-origin ORIGIN',
    };
    for (const origin of [
      'https://evil.example',
      `ftp+http://127.0.0.1:${port}`,
      `x http://127.0.0.1:${port}`,
    ]) {
      expect(await asked('/healthz', { headers: { origin } })).toEqual(refusal);
    }
    expect(await asked('/healthz', { headers: { origin: 'https://app.example' } })).toBeNull();
  });

  it('two Origins, of which the first is allowed', async () => {
    const request = httpRequest({ host: '127.0.0.1', port, path: '/healthz' });
    request.setHeader('origin', [`http://127.0.0.1:${port}`, 'https://evil.example']);
    request.end();
    const [response] = await once(request, 'response');
    expect(JSON.parse(await text(response))).toMatchObject({ status: 403 });
  });

  it('a script of another page that a browser names without an Origin', async () => {
    for (const site of ['cross-site', 'same-site']) {
      const from = (mode: string) => ({ 'sec-fetch-site': site, 'sec-fetch-mode': mode });
      expect(await asked('/healthz', { headers: from('no-cors') })).toMatchObject({ status: 403 });
      expect(await asked('/healthz', { headers: from('navigate') })).toBeNull();
      const posted = { method: 'POST', headers: { ...from('navigate'), ...bearer(OWNER) } };
      expect(await asked('/mcp', posted)).toMatchObject({ status: 403 });
    }
    for (const site of ['same-origin', 'none']) {
      expect(await asked('/healthz', { headers: { 'sec-fetch-site': site } })).toBeNull();
    }
  });

  it('a target that is no path', async () => {
    const answered = await asked('http://evil.example/healthz', { headers: bearer(OWNER) });
    expect(answered).toEqual({ status: 400, message: 'The request target has to be a path' });
  });

  it('a body that is too large, before it is read', async () => {
    const post = (length: number) => {
      const headers = { ...bearer(OWNER), 'content-length': length };
      const request = httpRequest({
        host: '127.0.0.1',
        port,
        path: '/mcp',
        method: 'POST',
        headers,
      });
      request.on('error', () => {});
      request.flushHeaders();
      return once(request, 'response').then(([response]) => text(response).then(JSON.parse));
    };
    expect(await post(BODY_LIMIT + 1)).toEqual({
      status: 413,
      message: 'The body is larger than 4 MiB',
    });
    expect(await post(BODY_LIMIT)).toBeNull();
  });

  it('no token, and where clients look for OAuth', async () => {
    const help = expect.stringContaining('takes its own bearer token and no OAuth');
    expect(await asked('/mcp')).toEqual({ status: 401, message: help });
    for (const path of [
      '/.well-known/oauth-authorization-server',
      '/.well-known/oauth-protected-resource/mcp',
      '/mcp/.well-known/openid-configuration',
      '/register',
      '/register?x=1',
    ]) {
      expect(await asked(path)).toEqual({ status: 404, message: help });
    }
  });

  it('a preflight of a page that may come needs no token, one of another does', async () => {
    const preflight = (origin: string) => ({
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(await asked('/mcp', preflight('https://app.example'))).toBeNull();
    expect(await asked('/mcp', preflight('https://evil.example'))).toMatchObject({ status: 403 });
  });
});

describe('whoever shows a token', () => {
  it('may see what is public without one, with GET and HEAD alone', async () => {
    expect(await asked('/healthz')).toBeNull();
    expect(await asked('/healthz?x=1')).toBeNull();
    expect(await asked('/healthz', { method: 'POST' })).toMatchObject({ status: 401 });
  });

  it('as a client calls and looks, and does not manage', async () => {
    const headers = bearer(CLIENT);
    for (const [method, path] of [
      ['POST', '/mcp'],
      ['POST', '/mcp/'],
      ['DELETE', '/mcp'],
      ['GET', '/metrics'],
      ['GET', '/api/status?x=1'],
    ] as const) {
      expect(await asked(path, { method, headers })).toBeNull();
    }
    for (const [method, path] of [
      ['GET', '/api/keys'],
      ['POST', '/api/keys'],
      ['DELETE', '/api/keys/A_B'],
      ['POST', '/api/status'],
      ['GET', '/api/status/'],
      ['GET', '/mcp/../api/keys'],
    ] as const) {
      expect(await asked(path, { method, headers })).toEqual({
        status: 403,
        message: "This token may call the tools, and not manage keys: that takes the owner's",
      });
    }
  });

  it('as the owner does both, and as a stranger neither', async () => {
    for (const path of ['/mcp', '/api/keys', '/metrics', '/anything']) {
      expect(await asked(path, { headers: bearer(OWNER) })).toBeNull();
      expect(await asked(path, { headers: bearer(`${OWNER}x`) })).toMatchObject({ status: 401 });
      expect(await asked(path, { headers: { authorization: OWNER } })).toMatchObject({
        status: 401,
      });
    }
  });
});
