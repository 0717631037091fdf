/** Proxies and certificates on the built program: bundling once broke what the sources could do. */

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  afterAll,
  beforeAll,
  describe,
  expect,
  it,
  onTestFinished,
  type TestContext,
} from 'vitest';
import { run, type Variables } from '../../../lab/program/program.ts';
import {
  callTool,
  connect,
  noise,
  type Session,
  textOf,
} from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import { type LocalServer, listenOnLoopback } from '../../../lab/servers/local-server.ts';
import {
  type Certificates,
  createCertificates,
  createTlsFront,
} from '../../../lab/servers/test-certificates.ts';
import {
  type ProxyOptions,
  startProxy,
  startSocksProxy,
  type TestProxy,
} from '../../../lab/servers/test-proxy.ts';
import { fakeKey } from '../../../lab/store.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

const DEEPSEEK = 'api.deepseek.test';
const PERPLEXITY = 'api.perplexity.test';
const URLS = {
  DEEPSEEK_BASE_URL: `https://${DEEPSEEK}`,
  PERPLEXITY_BASE_URL: `https://${PERPLEXITY}`,
  KEYPOOL_CALL_TIMEOUT_MS: '20000',
} as const;

let folder: string;
let certificates: Certificates;
let simulator: Simulator;
let fronts: LocalServer[];
let routes: Record<string, number>;
let home: Home;

const KEYS = [
  { name: 'DEEPSEEK_API_KEY', secret: fakeKey() },
  { name: 'PERPLEXITY_API_KEY', secret: `pplx-${fakeKey()}` },
] as const;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keypool-proxy-'));
  certificates = createCertificates(folder, ['localhost', DEEPSEEK, PERPLEXITY]);
  simulator = await startSimulator({ seed: 13 });
  simulator.addKey(KEYS[0].secret, { provider: 'deepseek' });
  simulator.addKey(KEYS[1].secret, { provider: 'perplexity' });
  fronts = await Promise.all(
    [simulator.deepseekUrl, simulator.perplexityUrl].map((url) =>
      listenOnLoopback(createTlsFront(certificates, url)),
    ),
  );
  const [deepseek, perplexity] = fronts.map(({ port }) => port);
  routes = { [`${DEEPSEEK}:443`]: deepseek ?? 0, [`${PERPLEXITY}:443`]: perplexity ?? 0 };
  home = await createHome({ keys: KEYS });
});
afterAll(async () => {
  home.remove();
  await simulator.close();
  for (const front of fronts) await front.close();
  rmSync(folder, { recursive: true });
});

/** Of a test that runs beside others: the general one knows only one at a time. */
type AtItsEnd = TestContext['onTestFinished'];

async function proxyWith(
  options: Omit<ProxyOptions, 'routes'> = {},
  atEnd: AtItsEnd = onTestFinished,
): Promise<TestProxy> {
  const proxy = await startProxy({ ...options, routes });
  atEnd(() => proxy.close());
  return proxy;
}

/** A table's text, which goes on below itself where it is too wide. */
function unwrapped(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** The names that a test's environment sets, on top of the home's. */
function environment(env: Variables): Variables {
  return { ...home.env, ...URLS, NODE_EXTRA_CA_CERTS: certificates.caFile, ...env };
}

async function serve(env: Variables, atEnd: AtItsEnd = onTestFinished): Promise<Session> {
  const session = await connect(environment(env));
  atEnd(() => session.close());
  return session;
}

async function bothTools({ client }: Session): Promise<void> {
  const code = await callTool(client, 'deepseek_generate_code', { prompt: 'Write a queue' });
  expect(code.isError, textOf(code)).not.toBe(true);
  const found = await callTool(client, 'perplexity_search', { query: 'history of tea' });
  expect(found.isError, textOf(found)).not.toBe(true);
}

const BOTH = [`CONNECT ${DEEPSEEK}:443`, `CONNECT ${PERPLEXITY}:443`];

describe('a proxy', () => {
  it.each([
    ['HTTPS_PROXY', 'http://127.0.0.1:PORT'],
    ['https_proxy', 'http://127.0.0.1:PORT/'],
    ['HTTPS_PROXY', '127.0.0.1:PORT'],
    ['ALL_PROXY', 'http://127.0.0.1:PORT'],
    ['all_proxy', 'localhost:PORT'],
    ['HTTP_PROXY', 'http://127.0.0.1:PORT'],
  ])('%s=%s serves both tools and keys verify', async (variable, spelling) => {
    const proxy = await proxyWith();
    const env = { [variable]: spelling.replace('PORT', String(proxy.port)) };
    await bothTools(await serve(env));
    expect([...new Set(proxy.seen)]).toEqual(BOTH);
    const { code, stdout } = await run(['keys', 'verify'], environment(env));
    expect(code, stdout).toBe(0);
    expect(proxy.seen.length).toBeGreaterThanOrEqual(4);
  });

  it('over https, with user and password, from the settings file alone', async () => {
    const login = 'user:p@ss w0rd-of-the-proxy';
    const proxy = await proxyWith({ certificates, login });
    const own = await createHome({
      keys: [{ name: 'DEEPSEEK_API_KEY_9', secret: fakeKey() }],
    });
    onTestFinished(() => own.remove());
    const settings = {
      ...URLS,
      NODE_EXTRA_CA_CERTS: certificates.caFile,
      HTTPS_PROXY: `https://user:p%40ss%20w0rd-of-the-proxy@localhost:${proxy.port}`,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    appendFileSync(join(own.folder, '.env'), lines.join(''));
    const { stdout } = await run(['keys', 'verify', '--json'], own.env);
    // The key is one that the upstream does not know: it said so, through the proxy.
    expect(JSON.parse(stdout)).toMatchObject([{ verdict: 'invalid_key' }]);
    expect(proxy.seen).toEqual([BOTH[0]]);
    const session = await connect(own.env);
    onTestFinished(() => session.close());
    const result = await callTool(session.client, 'deepseek_generate_code', { prompt: 'x' });
    expect(textOf(result)).toContain('rejected');
    const doctor = await run(['doctor'], own.env);
    expect(doctor.stdout).toMatch(/^ok {2,}proxy .*localhost:/m);
    const all = stdout + textOf(result) + session.program.stderr + doctor.stdout + doctor.stderr;
    expect(all).not.toMatch(/w0rd/);
    expect(all).not.toContain(Buffer.from(login).toString('base64').slice(0, 12));
  });

  it.each(['socks5', 'socks5h'])('%s serves both tools', async (kind) => {
    const proxy = await startSocksProxy({ routes, login: 'user:password-of-socks' });
    onTestFinished(() => proxy.close());
    const address = `user:password-of-socks@127.0.0.1:${proxy.port}`;
    const session = await serve({ ALL_PROXY: `${kind}://${address}` });
    await bothTools(session);
    expect([...new Set(proxy.seen)]).toEqual([`SOCKS ${DEEPSEEK}:443`, `SOCKS ${PERPLEXITY}:443`]);
    expect(noise(session.program.lines)).toEqual([]);
    expect(session.program.stderr).not.toMatch(/experimental|password-of-socks/i);
  });

  it('is passed by for a plain upstream on this machine, and for what NO_PROXY names', async () => {
    const proxy = await proxyWith();
    const address = `http://127.0.0.1:${proxy.port}`;
    const plain = {
      DEEPSEEK_BASE_URL: simulator.deepseekUrl,
      PERPLEXITY_BASE_URL: simulator.perplexityUrl,
    };
    await bothTools(await serve({ ...plain, HTTP_PROXY: address, ALL_PROXY: address }));
    const port = new URL(simulator.deepseekUrl).port;
    const noProxy = `<-loopback>,127.0.0.1:${port},${new URL(simulator.perplexityUrl).hostname}/32`;
    await bothTools(await serve({ ...plain, HTTP_PROXY: address, NO_PROXY: noProxy }));
    expect(proxy.seen).toEqual([]);
  });
});

describe.concurrent('a proxy in trouble', () => {
  /** What a call, keys verify and doctor say. */
  async function said(
    env: Variables,
    atEnd: AtItsEnd,
  ): Promise<{ call: string; verify: string; doctor: string }> {
    const session = await serve({ KEYPOOL_CALL_TIMEOUT_MS: '9000', ...env }, atEnd);
    const { KEYPOOL_CALL_TIMEOUT_MS: _time, ...settings } = env;
    const [result, verify, doctor] = await Promise.all([
      callTool(session.client, 'deepseek_generate_code', { prompt: 'x' }),
      run(['keys', 'verify', 'DEEPSEEK_API_KEY'], environment(settings)),
      run(['doctor'], environment(settings)),
    ]);
    expect(result.isError).toBe(true);
    expect([verify.code, doctor.code]).toEqual([1, 1]);
    expect(doctor.stdout).toMatch(/^FAIL {2,}proxy /m);
    return { call: textOf(result), verify: unwrapped(verify.stdout), doctor: doctor.stdout };
  }

  it.for([
    [403, /does not let connections to api\.deepseek\.test:443 through \(403\)/],
    [407, /asks for a user and a password \(407\)/],
    [502, /could not reach api\.deepseek\.test:443 \(502\)/],
    ['cut', /closed the connection before it was open/],
    ['cut-late', /closed the connection before it was open/],
    ['hang', /did not answer within 10 s/],
  ] as const)(
    'that answers with %s is named',
    async ([manner, words], { onTestFinished: atEnd }) => {
      const proxy = await proxyWith({ manner }, atEnd);
      const env = {
        HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
        // A proxy is waited for longer than the other calls here have time.
        ...(manner === 'hang' ? { KEYPOOL_CALL_TIMEOUT_MS: '15000' } : {}),
      };
      const { call, verify, doctor } = await said(env, atEnd);
      for (const text of [call, verify, doctor]) {
        expect(text).toMatch(words);
        expect(text).toContain(`proxy 127.0.0.1:${proxy.port} (HTTPS_PROXY)`);
      }
    },
  );

  it('that is not there is named, and its password is not', async ({ onTestFinished: atEnd }) => {
    const env = { ALL_PROXY: 'http://somebody:secret-of-nobody@127.0.0.1:1' };
    const { call, verify, doctor } = await said(env, atEnd);
    for (const text of [call, verify, doctor]) {
      expect(text).toContain('proxy 127.0.0.1:1 (ALL_PROXY) could not be reached');
      expect(text).not.toMatch(/somebody|secret-of/);
    }
  });

  it.for(['socks4://127.0.0.1:1080', 'not a proxy'])(
    '%s is refused by its setting',
    async (value, { onTestFinished: atEnd }) => {
      const { call, verify, doctor } = await said({ HTTPS_PROXY: value }, atEnd);
      for (const text of [call, verify, doctor]) expect(text).toMatch(/HTTPS_PROXY (names|is not)/);
    },
  );
});

describe('certificates', () => {
  it('of the settings file are trusted; a file that is none is said once, in words', async () => {
    const proxy = await proxyWith();
    const own = await createHome({ keys: KEYS });
    onTestFinished(() => own.remove());
    const env = { ...own.env, ...URLS, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    const settings = join(own.folder, '.env');
    appendFileSync(settings, `NODE_EXTRA_CA_CERTS=${certificates.caFile}\n`);
    const good = await run(['keys', 'verify'], env);
    expect(good.code, good.stdout + good.stderr).toBe(0);
    const session = await connect(env);
    await bothTools(session);
    await session.close();

    appendFileSync(settings, 'NODE_EXTRA_CA_CERTS=/nowhere/ca.pem\n');
    const words = /NODE_EXTRA_CA_CERTS is ignored: there is no \/nowhere\/ca\.pem/g;
    const bad = await run(['keys', 'verify'], env);
    expect(bad.code).toBe(1);
    expect(bad.stderr.match(words)).toHaveLength(1);
    expect(unwrapped(bad.stdout)).toContain('certificate is not trusted here');
    const second = await connect({ ...env, KEYPOOL_CALL_TIMEOUT_MS: '9000' });
    const result = await callTool(second.client, 'deepseek_generate_code', { prompt: 'x' });
    await second.close();
    expect(textOf(result)).toContain('NODE_EXTRA_CA_CERTS');
    expect(second.program.stderr.match(words)).toHaveLength(1);
    const doctor = await run(['doctor'], env);
    expect(doctor.stdout).toMatch(/^FAIL {2,}certificates .*there is no \/nowhere\/ca\.pem$/m);
  });

  it('that are not checked at all are named by doctor', async () => {
    const { stdout } = await run(['doctor'], {
      ...home.env,
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
    });
    expect(stdout).toMatch(/^FAIL {2,}certificates .*NODE_TLS_REJECT_UNAUTHORIZED/m);
  });
});
