import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { canarySecret, findLeaks, folderSinks } from '../../../lab/canary.ts';
import {
  brokenLines,
  startHttp,
  TOKEN,
  untilListening,
} from '../../../lab/program/http-program.ts';
import { Program, run } from '../../../lab/program/program.ts';
import { createHome, type Home, type HomeOptions } from '../../../lab/program/test-home.ts';
import { PATIENT } from '../../../lab/until.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const hasPrometheus =
  spawnSync('prometheus', ['--version']).status === 0 &&
  spawnSync('promtool', ['--version']).status === 0;
if (!hasPrometheus)
  console.warn('prometheus is missing (Debian package prometheus): scrape skipped');

let simulator: Simulator;
const homes: Home[] = [];

beforeEach(async () => {
  simulator = await startSimulator();
});

afterEach(async () => {
  await simulator.close();
  for (const home of homes.splice(0)) home.remove();
});

async function home(options: HomeOptions = {}): Promise<Home> {
  const made = await createHome({ simulator, ...options });
  homes.push(made);
  return made;
}

async function homeWithKeys(): Promise<{ home: Home; secrets: string[] }> {
  const secrets = [canarySecret(), canarySecret(), canarySecret('pplx-fake')];
  const [first = '', second = '', search = ''] = secrets;
  simulator.addKey(first, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000 });
  simulator.addKey(second, { provider: 'deepseek', ttftMs: 5, tokensPerSecond: 20_000 });
  simulator.addKey(search, { provider: 'perplexity', ttftMs: 5 });
  const keys = [
    { name: 'DEEPSEEK_API_KEY', secret: first },
    { name: 'DEEPSEEK_API_KEY_2', secret: second },
    { name: 'PERPLEXITY_API_KEY', secret: search },
  ];
  return { home: await home({ keys }), secrets };
}

describe('serve --http', () => {
  it('serves tools, status, keys, metrics and the page from an encrypted store', async () => {
    const { home: made } = await homeWithKeys();
    const server = await startHttp(made.env);
    expect(await server.call('deepseek_generate_code', { prompt: 'hi' })).toContain(
      '"structuredContent"',
    );
    expect(await server.call('perplexity_search', { query: 'keys' })).toContain(
      'PERPLEXITY_API_KEY',
    );
    const status = await (await server.ask('/api/status')).text();
    expect(status).toContain('"DEEPSEEK_API_KEY_2"');
    const keys: unknown = await (await server.ask('/api/keys')).json();
    expect(keys).toHaveLength(3);
    const metrics = await (await server.ask('/metrics')).text();
    expect(metrics).toContain('mcp_tool_calls_total{tool="perplexity_search",outcome="ok"} 1');
    const page = await fetch(`${server.url}/dashboard`);
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(brokenLines(server.program)).toEqual([]);
    expect(server.program.stdout).toBe('');
  });

  it('starts without a store and without a key, and recovers when both come', async () => {
    const made = await home();
    const server = await startHttp(made.env);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await server.call('deepseek_generate_code', { prompt: 'hi' })).toContain(
      '"isError":true',
    );
    expect(await (await server.ask('/api/status')).text()).toContain('"unavailable"');
    expect((await server.ask('/api/keys')).status).toBe(503);
    expect((await server.ask('/metrics')).status).toBe(200);
    expect((await run(['init'], made.env)).code).toBe(0);
    const secret = canarySecret();
    simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5 });
    const key = { name: 'DEEPSEEK_API_KEY', value: secret };
    const put = () =>
      server.ask('/api/keys', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(key),
      });
    await vi.waitFor(async () => expect((await put()).ok).toBe(true), { timeout: 10_000 });
    await vi.waitFor(
      async () =>
        expect(await server.call('deepseek_generate_code', { prompt: 'hi' })).toContain(
          '"structuredContent"',
        ),
      { timeout: 10_000 },
    );
  });

  it('makes its own token on first start, for the owner alone', async () => {
    const { home: made } = await homeWithKeys();
    const program = new Program({ args: ['serve', '--http', '--port', '0'], env: made.env });
    onTestFinished(() => program.kill('SIGKILL'));
    const url = await untilListening(program);
    const path = join(made.folder, 'http-token');
    const token = readFileSync(path, 'utf8').trim();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(token.length).toBeGreaterThanOrEqual(32);
    const ask = (authorization: string) =>
      fetch(`${url}/api/status`, { headers: { authorization } });
    expect((await ask(`Bearer ${token}`)).status).toBe(200);
    expect((await ask(`Bearer ${token}x`)).status).toBe(401);
    expect(program.stderr).not.toContain(token);
  });

  it.each([
    ['another host without a token', ['--host', '0.0.0.0'], {}],
    ['a port that is none', ['--port', '70000'], {}],
    ['a token that is too short', [], { KEYPOOL_HTTP_TOKEN: 'short' }],
    ['two tokens', [], { KEYPOOL_HTTP_TOKEN: TOKEN, KEYPOOL_HTTP_TOKEN_FILE: '/nowhere' }],
    ['a token file that is not there', [], { KEYPOOL_HTTP_TOKEN_FILE: '/nowhere/token' }],
    ['a host name with a path', ['--allow-host', 'http://evil.example/'], {}],
  ])('refuses %s with exit code 2', async (_what, args, env) => {
    const made = await home();
    const { code, stderr } = await run(['serve', '--http', ...args], { ...made.env, ...env });
    expect([code, stderr.split('\n').length]).toEqual([2, 3]);
    expect(stderr).toMatch(/^keypool-mcp: error: .+\nkeypool-mcp: hint: .+\n$/);
    expect(stderr).not.toContain('short\n');
  });

  it('refuses --port without --http, and a port that is in use', async () => {
    const made = await home();
    expect((await run(['serve', '--port', '1'], made.env)).code).toBe(2);
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    onTestFinished(() => void blocker.close());
    const address = blocker.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    const { code, stderr } = await run(['serve', '--http', '--port', port], made.env);
    expect(code).toBe(2);
    expect(stderr).toContain('in use');
  });

  it('spends nothing for who has no token, a foreign Host or a foreign Origin', async () => {
    const { home: made } = await homeWithKeys();
    const server = await startHttp(made.env);
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'deepseek_generate_code',
        arguments: { prompt: 'hi' },
        _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
      },
    });
    const send = async (headers: Record<string, string>): Promise<string> => {
      const args = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-d', body];
      const all = {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        ...headers,
      };
      for (const [name, value] of Object.entries(all)) args.push('-H', `${name}: ${value}`);
      return execFileSync('curl', [...args, `${server.url}/mcp`]).toString();
    };
    const good = { Authorization: `Bearer ${TOKEN}` };
    expect(await send({})).toBe('401');
    expect(await send({ Authorization: `Bearer ${TOKEN}x` })).toBe('401');
    expect(await send({ ...good, Host: 'evil.example' })).toBe('403');
    expect(await send({ ...good, Origin: 'http://evil.example' })).toBe('403');
    expect(await send({ ...good, Origin: 'null' })).toBe('403');
    expect(simulator.calls.filter(({ path }) => path.includes('chat'))).toHaveLength(0);
  });

  it('finishes the call in flight on SIGTERM and leaves with 0', async () => {
    const { home: made, secrets } = await homeWithKeys();
    const server = await startHttp(made.env);
    for (const secret of secrets) simulator.setBehaviour(secret, { ttftMs: 800 });
    const answer = server.call('deepseek_generate_code', { prompt: 'hi' });
    await vi.waitFor(() => expect(simulator.inFlight()).toBe(1), { timeout: 10_000 });
    server.program.kill('SIGTERM');
    expect(await answer).toContain('"structuredContent"');
    expect(await server.program.exit).toEqual({ code: 0, signal: null });
  });

  it('ends at once on a second signal', async () => {
    const { home: made, secrets } = await homeWithKeys();
    const server = await startHttp(made.env);
    for (const secret of secrets) simulator.setBehaviour(secret, { ttftMs: 60_000 });
    const answer = server.call('deepseek_generate_code', { prompt: 'hi' }).catch(() => 'cut');
    await vi.waitFor(() => expect(simulator.inFlight()).toBe(1), { timeout: 10_000 });
    server.program.kill('SIGTERM');
    await expect.poll(() => server.program.stderr, PATIENT).toContain('Stopping');
    server.program.kill('SIGTERM');
    expect((await server.program.exit).code).toBe(0);
    await answer;
  });

  it('lets no secret out by any address, log or file', async () => {
    const { home: made, secrets } = await homeWithKeys();
    const server = await startHttp(made.env);
    const added = canarySecret();
    const post = (path: string, body: unknown) =>
      server.ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const answers = [
      await post('/api/keys', { name: 'DEEPSEEK_API_KEY_3', value: added }),
      await post('/api/keys', { name: added, value: added }),
      await post('/api/keys', { name: 'DEEPSEEK_API_KEY_4', value: `${added} ${added}` }),
      await post('/api/keys/import', {
        text: `DEEPSEEK_API_KEY_5=${added}\nBYBIT_SECRET=${added}1`,
      }),
      await post('/api/keys/import', { text: `{"A": "${added}"` }),
      await post(`/api/keys/${added}/verify`, {}),
      await post('/api/keys/DEEPSEEK_API_KEY/verify', {}),
      await server.ask(`/api/keys/${added}`, { method: 'DELETE' }),
      await server.ask('/api/keys'),
      await server.ask('/api/status'),
      await server.ask('/api/history'),
      await server.ask('/metrics'),
      await server.ask(`/${added}`),
    ];
    const sinks = await Promise.all(
      answers.map(async (answer, at) => ({ name: `answer ${at}`, content: await answer.text() })),
    );
    sinks.push({
      name: 'call',
      content: await server.call('deepseek_generate_code', { prompt: 'x' }),
    });
    server.program.kill();
    await server.program.exit;
    sinks.push({ name: 'stderr', content: server.program.stderr });
    sinks.push({ name: 'stdout', content: server.program.stdout });
    const files = [...folderSinks('home', made.folder), ...folderSinks('tmp', made.tmp)];
    expect(findLeaks([...secrets, added], [...sinks, ...files]).leaks).toEqual([]);
  });

  it('serves the environment that is chosen, and keeps its own when there is no such store', async () => {
    const { home: made } = await homeWithKeys();
    const staging = { ...made.env, KEYPOOL_ENVIRONMENT: 'staging' };
    const secret = canarySecret();
    simulator.addKey(secret, { provider: 'deepseek', ttftMs: 5 });
    expect((await run(['init'], staging)).code).toBe(0);
    expect(
      (await run(['keys', 'add', 'DEEPSEEK_API_KEY_7'], staging, { input: secret })).code,
    ).toBe(0);
    const server = await startHttp(made.env);
    const choose = (environment: string | null) =>
      server.ask('/api/environment', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ environment }),
      });
    expect(await (await server.ask('/api/environments')).json()).toEqual({
      current: null,
      available: [null, 'staging'],
      canChoose: true,
    });
    expect((await choose('nowhere')).ok).toBe(false);
    expect(await server.call('deepseek_generate_code', { prompt: 'hi' })).toMatch(
      /"key":"DEEPSEEK_API_KEY(_2)?"/,
    );
    expect((await choose('staging')).status).toBe(200);
    expect(await server.call('deepseek_generate_code', { prompt: 'hi' })).toContain(
      '"key":"DEEPSEEK_API_KEY_7"',
    );
    expect((await choose(null)).status).toBe(200);
    expect(await server.call('deepseek_generate_code', { prompt: 'hi' })).toMatch(
      /"key":"DEEPSEEK_API_KEY(_2)?"/,
    );
  });

  it.skipIf(!hasPrometheus)(
    'is scraped by a real Prometheus, and promtool has nothing to say',
    async () => {
      const { home: made } = await homeWithKeys();
      const server = await startHttp(made.env);
      await server.call('deepseek_generate_code', { prompt: 'hi' });
      await server.call('perplexity_search', { query: 'keys' });
      const input = await (await server.ask('/metrics')).text();
      expect(execFileSync('promtool', ['check', 'metrics'], { input }).toString()).toBe('');

      const data = join(made.tmp, 'prometheus');
      mkdirSync(data);
      const config = join(made.tmp, 'prometheus.yml');
      writeFileSync(
        config,
        `global: {scrape_interval: 1s}
scrape_configs:
  - job_name: keypool
    authorization: {credentials: ${TOKEN}}
    static_configs: [{targets: ['127.0.0.1:${server.port}']}]
`,
      );
      expect(spawnSync('promtool', ['check', 'config', config]).status).toBe(0);
      const free = createServer().listen(0, '127.0.0.1');
      await once(free, 'listening');
      const address = free.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      free.close();
      const scraper = spawn(
        'prometheus',
        [
          `--config.file=${config}`,
          `--storage.tsdb.path=${data}`,
          `--web.listen-address=127.0.0.1:${port}`,
        ],
        { stdio: 'ignore' },
      );
      onTestFinished(async () => {
        scraper.kill('SIGKILL');
        await once(scraper, 'exit');
      });
      const query = async (expression: string): Promise<string> => {
        const encoded = encodeURIComponent(expression);
        return (await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encoded}`)).text();
      };
      await vi.waitFor(
        async () => {
          expect(await query('up{job="keypool"}')).toContain('"1"');
          expect(await query('sum(deepseek_requests_total{outcome="ok"})')).toContain('"1"');
        },
        { timeout: 30_000, interval: 500 },
      );
      expect(await query('count(deepseek_key_score)')).toContain('"2"');
      expect(await query('sum(mcp_tool_calls_total{outcome="ok"})')).toContain('"2"');
    },
  );
});
