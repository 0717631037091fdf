import { describe, expect, it } from 'vitest';
import { ask, bearer, startTestServer, type TestServer } from './test-server.ts';

const VALUE = 'sk-test-value-4711-AbCdEfGh-337242';
const JSON_TYPE = { 'content-type': 'application/json' };

async function send(
  server: TestServer,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = JSON_TYPE,
) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await ask(server, path, {
    method,
    headers: { ...bearer(server), ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  return { ...answer, json: (): unknown => JSON.parse(answer.body) };
}

describe('/api', () => {
  it('adds, lists, replaces, verifies and removes a key without ever showing it', async () => {
    const server = await startTestServer();
    const key = { name: 'DEEPSEEK_API_KEY_2', value: VALUE, account: 'team' };
    const added = await send(server, 'POST', '/api/keys', key);
    expect([added.status, added.json()]).toEqual([201, { name: key.name, result: 'added' }]);
    const listed = await send(server, 'GET', '/api/keys');
    expect(listed.json()).toEqual([
      { name: key.name, masked: 'sk-…337242', key_id: '337242', account: 'team', created: null },
    ]);
    const replaced = await send(server, 'POST', '/api/keys', { ...key, value: `${VALUE}x` });
    expect([replaced.status, replaced.json()]).toEqual([
      200,
      { name: key.name, result: 'replaced' },
    ]);
    const verified = await send(server, 'POST', `/api/keys/${key.name}/verify`);
    expect(verified.json()).toEqual({ name: key.name, verdict: 'ok', detail: 'balance 10.00 USD' });
    const removed = await send(server, 'DELETE', `/api/keys/${key.name}`);
    expect(removed.json()).toEqual({ name: key.name, result: 'removed' });
    for (const { body } of [added, listed, replaced, verified, removed]) {
      expect(body).not.toContain('4711');
    }
  });

  it('logs every change by name, never by value', async () => {
    const server = await startTestServer();
    const name = 'PERPLEXITY_API_KEY_3';
    await send(server, 'POST', '/api/keys', { name, value: VALUE });
    await send(server, 'POST', `/api/keys/${name}/verify`);
    await send(server, 'DELETE', `/api/keys/${name}`);
    await send(server, 'POST', '/api/environment', { environment: 'staging' });
    const log = server.log.join('');
    for (const text of ['added', 'verified', 'removed']) {
      expect(log).toContain(`Key ${name} ${text} over HTTP`);
    }
    expect(log).toContain('"environment":"staging"');
    expect(log).not.toContain('4711');
  });

  it.each([
    ['nothing', undefined],
    ['an array', []],
    ['no value', { name: 'DEEPSEEK_API_KEY' }],
    ['no name', { value: VALUE }],
    ['a lower-case name', { name: 'deepseek', value: VALUE }],
    ['a name that is a key', { name: VALUE, value: VALUE }],
    ['a name with a path', { name: '../../A', value: VALUE }],
    ['an empty value', { name: 'A_B', value: '' }],
    ['a number as value', { name: 'A_B', value: 4711 }],
    ['a value without end', { name: 'A_B', value: `${VALUE}${'x'.repeat(9_000)}` }],
    ['an unknown field', { name: 'A_B', value: VALUE, extra: true }],
    ['a prototype', JSON.parse('{"__proto__":{"name":"A_B"},"value":"4711"}')],
  ])('refuses %s as a new key and repeats nothing of it', async (_what, body) => {
    const server = await startTestServer();
    const answer = await send(server, 'POST', '/api/keys', body);
    expect(answer.status).toBe(400);
    expect(answer.body).not.toContain('4711');
    expect(server.keys.size).toBe(0);
    expect(server.log.join('')).not.toContain('4711');
  });

  it('takes JSON alone, so that no form of another page can write', async () => {
    const server = await startTestServer();
    const key = { name: 'A_B', value: VALUE };
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
    ]) {
      const { status } = await send(server, 'POST', '/api/keys', key, { 'content-type': type });
      expect(status, type).toBe(415);
    }
    expect((await send(server, 'POST', '/api/keys', key, {})).status).toBe(415);
    expect(server.keys.size).toBe(0);
  });

  it('says 404 to unknown names and repeats none of them', async () => {
    const server = await startTestServer();
    for (const path of ['/api/keys/A_B', '/api/keys/sk-test-4711abcdef', '/api/keys/%2e%2e%2fA']) {
      for (const [method, suffix] of [
        ['DELETE', ''],
        ['POST', '/verify'],
      ] as const) {
        const { status, body } = await send(server, method, `${path}${suffix}`);
        expect(status, `${method} ${path}`).toBe(404);
        expect(body).not.toContain('4711');
      }
    }
  });

  it('shows the snapshot of the pool, and its history for the charts', async () => {
    const server = await startTestServer();
    const status = await send(server, 'GET', '/api/status');
    expect(status.json()).toMatchObject({
      providers: [
        { provider: 'deepseek', keys: [{ name: 'DEEPSEEK_API_KEY', breaker: 'closed' }] },
        { provider: 'perplexity', keys: [{ name: 'PERPLEXITY_API_KEY' }] },
      ],
    });
    const history = await send(server, 'GET', '/api/history');
    expect(history.json()).toMatchObject({ sampleMs: 2000, samples: [] });
  });

  it('chooses an environment and tells which there are', async () => {
    const server = await startTestServer();
    expect(
      (await send(server, 'POST', '/api/environment', { environment: 'staging' })).status,
    ).toBe(200);
    expect((await send(server, 'GET', '/api/environments')).json()).toMatchObject({
      current: 'staging',
      available: [null, 'staging'],
    });
    expect((await send(server, 'POST', '/api/environment', { environment: 1 })).status).toBe(400);
  });
});
