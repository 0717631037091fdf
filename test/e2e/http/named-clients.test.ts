/** Tokens for a team: they call and do not manage, are taken back, and cannot be guessed. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { findLeaks, folderSinks } from '../../../lab/canary.ts';
import { startHttp } from '../../../lab/program/http-program.ts';
import { run } from '../../../lab/program/program.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { fakeKey } from '../../../lab/store.ts';
import { until } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

let simulator: Simulator;
let home: Home;

beforeEach(async () => {
  simulator = await startSimulator();
  const secret = fakeKey();
  simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000 });
  home = await createHome({ keys: [{ name: 'DEEPSEEK_API_KEY', secret }], simulator });
  // Once the servers of the test are gone: what was registered last goes first.
  onTestFinished(async () => {
    await simulator.close();
    home.remove();
  });
});

async function add(name: string): Promise<string> {
  const { code, stdout, stderr } = await run(['clients', 'add', name], home.env);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^kpc1_[A-Za-z0-9_-]{43}\n$/);
  return stdout.trim();
}

/** One call of the 2026 era, and one of an older session. */
async function calls(url: string, token: string): Promise<string[]> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const post = (body: unknown, more: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: JSON.stringify(body),
    });
  const params = { name: 'deepseek_generate_code', arguments: { prompt: 'x' } };
  const modern = await post(
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    },
    {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': params.name,
    },
  );
  const opened = await post({
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'test', version: '1' },
    },
  });
  await opened.text();
  const session = opened.headers.get('mcp-session-id') ?? '';
  const legacy = await post(
    { jsonrpc: '2.0', id: 2, method: 'tools/call', params },
    { 'mcp-session-id': session },
  );
  return [await modern.text(), await legacy.text(), session];
}

describe('a client with a token of its own', () => {
  it('calls, reads what calls tell anyway, and manages nothing', async () => {
    const token = await add('build-server');
    const http = await startHttp(home.env);
    const [modern, legacy] = await calls(http.url, token);
    expect(modern).toContain('structuredContent');
    expect(legacy).toContain('structuredContent');
    const as = (path: string, method = 'GET', body?: string): Promise<Response> =>
      fetch(http.url + path, {
        method,
        headers: { authorization: `bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body }),
      });
    expect((await as('/api/status')).status).toBe(200);
    const metrics = await (await as('/metrics')).text();
    expect(metrics).toMatch(
      /mcp_client_calls_total\{client="build-server",tool="deepseek_generate_code",outcome="ok"\} 2/,
    );
    const key = JSON.stringify({ name: 'DEEPSEEK_API_KEY_2', value: fakeKey() });
    const managing: ReadonlyArray<readonly [string, string, string?]> = [
      ['/api/keys', 'GET'],
      ['/api/keys', 'POST', key],
      ['/api/keys/import', 'POST', '{"text":"A=b"}'],
      ['/api/keys/DEEPSEEK_API_KEY', 'DELETE'],
      ['/api/keys/DEEPSEEK_API_KEY/verify', 'POST', '{}'],
      ['/api/environments', 'GET'],
      ['/api/environment', 'POST', '{"environment":null}'],
      ['/api/status', 'POST', '{}'],
      ['/api/history', 'GET'],
    ];
    for (const [path, method, body] of managing) {
      const answer = await as(path, method, body);
      expect([path, answer.status]).toEqual([path, 403]);
      expect(await answer.text()).toContain('may call the tools');
    }
    expect((await http.ask('/api/keys')).status).toBe(200);
    expect(http.program.stderr).toContain('"caller":"build-server"');
  });

  it('cannot use the session of another one', async () => {
    const [one, other] = [await add('one'), await add('other')];
    const http = await startHttp(home.env);
    const [, , session = ''] = await calls(http.url, one);
    const answer = await fetch(`${http.url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${other}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': session,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 3, method: 'tools/list' }),
    });
    expect(answer.status).toBe(404);
  });

  it('is known to a running server at once, and refused once its token is taken back', async () => {
    const http = await startHttp(home.env);
    const token = await add('laptop');
    const status = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${http.url}/metrics`, { headers })).status;
    };
    const settle = async (wanted: number): Promise<void> => {
      for (let left = 40; left > 0 && (await status()) !== wanted; left--) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(await status()).toBe(wanted);
    };
    await settle(200);
    await until('the use is written down', () =>
      readdirSync(home.folder).includes('client-uses.json'),
    );
    const listed = await run(['clients', 'list', '--json'], home.env);
    const [client] = JSON.parse(listed.stdout);
    expect(client).toMatchObject({ name: 'laptop' });
    expect(Date.parse(client.last_used)).toBeGreaterThan(Date.now() - 60_000);
    expect((await run(['clients', 'list'], home.env)).stdout).toMatch(/^laptop\s+20\d\d-/m);
    expect((await run(['clients', 'remove', 'laptop'], home.env)).code).toBe(0);
    await settle(401);
    expect((await run(['clients', 'remove', 'laptop'], home.env)).code).toBe(1);
  });

  it('has a token that is shown once and stands nowhere', async () => {
    const token = await add('once');
    const again = await run(['clients', 'add', 'once'], home.env);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('already');
    const list = await run(['clients', 'list'], home.env);
    const sinks = [
      ...folderSinks('home', home.folder),
      { name: 'output', content: again.stdout + again.stderr + list.stdout },
    ];
    expect(findLeaks([token.slice(5)], sinks).leaks).toEqual([]);
    expect(statSync(join(home.folder, 'clients.json')).mode & 0o777).toBe(0o600);
    const refused = await run(['clients', 'add', token], home.env);
    expect(refused.code).toBe(2);
    expect(refused.stderr).not.toContain(token.slice(5, 20));
  });
});

describe('a token that nobody has', () => {
  it('is counted, and whoever goes on showing some waits longer and longer', async () => {
    const http = await startHttp(home.env);
    const guess = (token: string): Promise<number> =>
      fetch(`${http.url}/metrics`, { headers: { authorization: `Bearer ${token}` } }).then(
        (response) => response.status,
      );
    // One that was set up wrong is no guesser.
    for (let at = 0; at < 40; at++) expect(await guess('misspelt')).toBe(401);
    expect(http.program.stderr).not.toContain('they are slowed down');
    for (let at = 0; at < 25; at++) expect(await guess(`guess-${at}`)).toBe(401);
    await until('it is said', () => http.program.stderr.includes('they are slowed down'));
    const burst = await Promise.all(Array.from({ length: 20 }, (_, at) => guess(`more-${at}`)));
    expect(burst).toContain(401);
    expect(burst).toContain(429);
    expect((await http.ask('/metrics')).status).toBe(200);
    const text = await (await http.ask('/metrics')).text();
    const counted = Number(/http_refused_requests_total\{status="401"\} (\d+)/.exec(text)?.[1]);
    expect(counted).toBeGreaterThanOrEqual(85);
  });
});

describe('a list of clients that cannot be trusted', () => {
  it('lets nobody in, and the owner still', async () => {
    const token = await add('someone');
    const http = await startHttp(home.env);
    const { chmodSync, writeFileSync } = await import('node:fs');
    const path = join(home.folder, 'clients.json');
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${http.url}/metrics`, { headers })).status).toBe(200);
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, 40));
    await until('it is said', () => http.program.stderr.includes('No client but the owner'));
    expect((await fetch(`${http.url}/metrics`, { headers })).status).toBe(401);
    expect((await http.ask('/metrics')).status).toBe(200);
    chmodSync(path, 0o666);
    expect((await run(['clients', 'list'], home.env)).code).toBe(1);
  });
});
