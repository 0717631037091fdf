import { chmodSync, copyFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Certificates, createCertificates } from '../../../lab/servers/test-certificates.ts';
import {
  type ProxyOptions,
  startProxy,
  startSocksProxy,
  type TestProxy,
} from '../../../lab/servers/test-proxy.ts';
import { readText } from '../../../src/upstream/wire/body.ts';
import { createFetch, type HttpSettings } from '../../../src/upstream/wire/http.ts';
import { proxySecrets } from '../../../src/upstream/wire/proxy.ts';
import { GET, hello, listen } from '../local-servers.ts';
import { errorOf } from '../stage.ts';

const NAME = 'upstream.test';
const NONE = { httpsProxy: null, allProxy: null, httpProxy: null, noProxy: null } as const;

const folder = join(tmpdir(), `keypool-proxies-${process.pid}`);
let certificates: Certificates;
beforeAll(() => {
  certificates = createCertificates(folder, ['localhost', NAME]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** An https upstream that is known by a name to the proxy alone. */
async function startUpstream(): Promise<number> {
  return listen(createHttpsServer({ key: certificates.key, cert: certificates.cert }, hello));
}

async function running(proxy: Promise<TestProxy>): Promise<TestProxy> {
  const started = await proxy;
  onTestFinished(() => started.close());
  return started;
}

async function proxyTo(options: Omit<ProxyOptions, 'routes'> = {}): Promise<TestProxy> {
  return running(startProxy({ ...options, routes: { [`${NAME}:443`]: await startUpstream() } }));
}

async function socksTo(options: Omit<ProxyOptions, 'routes'> = {}): Promise<TestProxy> {
  return running(
    startSocksProxy({ ...options, routes: { [`${NAME}:443`]: await startUpstream() } }),
  );
}

async function ask(
  proxy: Partial<HttpSettings['proxy']>,
  url = `https://${NAME}/x`,
): Promise<unknown> {
  const settings = { proxy: { ...NONE, ...proxy }, extraCaCerts: certificates.caFile };
  return JSON.parse(await readText(await createFetch(settings)(url, GET), 10_000));
}

describe('a proxy', () => {
  it.each(['http://127.0.0.1:PORT', 'HTTP://127.0.0.1:PORT/', '127.0.0.1:PORT', 'localhost:PORT'])(
    'is used in the spelling %s',
    async (spelling) => {
      const proxy = await proxyTo();
      const httpsProxy = spelling.replace('PORT', String(proxy.port));
      expect(await ask({ httpsProxy })).toMatchObject({ url: '/x' });
      expect(proxy.seen).toEqual([`CONNECT ${NAME}:443`]);
    },
  );

  it('that speaks TLS itself is used, in its own name', async () => {
    const proxy = await proxyTo({ certificates });
    expect(await ask({ httpsProxy: `https://localhost:${proxy.port}` })).toMatchObject({
      url: '/x',
    });
    expect(proxy.seen).toEqual([`CONNECT ${NAME}:443`]);
  });

  it.each([
    ['user:plain', 'user:plain@'],
    ['user:p@ss:w/rd', 'user:p%40ss%3Aw%2Frd@'],
    ['us er:100%', 'us%20er:100%@'],
    ['user:', 'user@'],
    ['ü:ö', '%C3%BC:%C3%B6@'],
  ])('with the login %s is used, http, https and SOCKS', async (login, written) => {
    const plain = await proxyTo({ login });
    await ask({ httpsProxy: `http://${written}127.0.0.1:${plain.port}` });
    await ask({ httpsProxy: `${written}127.0.0.1:${plain.port}` });
    expect(plain.seen).toHaveLength(2);
    const secure = await proxyTo({ login, certificates });
    await ask({ httpsProxy: `https://${written}127.0.0.1:${secure.port}` });
    expect(secure.seen).toHaveLength(1);
    if (login.endsWith(':')) return;
    const socks = await socksTo({ login });
    await ask({ allProxy: `socks5://${written}127.0.0.1:${socks.port}` });
    expect(socks.seen).toEqual([`SOCKS ${NAME}:443`]);
  });

  it.each(['socks5', 'socks5h', 'socks'])(
    'of the kind %s looks the name up itself',
    async (kind) => {
      const proxy = await socksTo();
      expect(await ask({ allProxy: `${kind}://127.0.0.1:${proxy.port}` })).toMatchObject({
        url: '/x',
      });
      expect(proxy.seen).toEqual([`SOCKS ${NAME}:443`]);
    },
  );

  it('is HTTPS_PROXY, else ALL_PROXY, else HTTP_PROXY', async () => {
    const proxy = await proxyTo();
    const right = `http://127.0.0.1:${proxy.port}`;
    const wrong = 'http://127.0.0.1:1';
    await ask({ httpsProxy: right, allProxy: wrong, httpProxy: wrong });
    await ask({ allProxy: right, httpProxy: wrong });
    await ask({ httpProxy: right });
    expect(proxy.seen).toHaveLength(3);
  });

  it('keeps its connections: one tunnel serves several calls', async () => {
    const proxy = await proxyTo();
    const settings = { ...NONE, httpsProxy: `http://127.0.0.1:${proxy.port}` };
    const fetch = createFetch({ proxy: settings, extraCaCerts: certificates.caFile });
    for (let call = 0; call < 6; call++)
      await readText(await fetch(`https://${NAME}/`, GET), 10_000);
    // The first may not be free again at the very moment its answer is complete.
    expect(proxy.seen.length).toBeLessThanOrEqual(2);
  });

  it('is passed by for a plain upstream on this machine, but for who wants otherwise', async () => {
    const port = await listen(createServer(hello));
    const proxy = await running(startProxy({ routes: { [`127.0.0.1:${port}`]: port } }));
    const httpProxy = `http://127.0.0.1:${proxy.port}`;
    const url = `http://127.0.0.1:${port}/x`;
    expect(await ask({ httpProxy, allProxy: httpProxy }, url)).toMatchObject({ url: '/x' });
    expect(proxy.seen).toEqual([]);
    await ask({ httpProxy, noProxy: '<-loopback>' }, url);
    expect(proxy.seen).toEqual([`CONNECT 127.0.0.1:${port}`]);
  });
});

describe('a proxy in trouble is named, by its address and its setting', () => {
  const failing = (proxy: Partial<HttpSettings['proxy']>) => errorOf(ask(proxy));

  it.each([
    [403, 'refused', /does not let connections to upstream\.test:443 through \(403\)$/],
    [407, 'login', /asks for a user and a password \(407\)$/],
    [401, 'login', /asks for a user and a password \(401\)$/],
    [502, 'no_way', /could not reach upstream\.test:443 \(502\)$/],
    [503, 'no_way', /could not reach/],
    ['cut', 'cut', /closed the connection before it was open$/],
    ['cut-late', 'cut', /closed the connection before it was open$/],
    ['garbage', 'foreign', /does not speak the protocol that its address names$/],
  ] as const)('that answers with %s', async (manner, problem, message) => {
    const proxy = await proxyTo({ manner });
    const error = await failing({ httpsProxy: `http://127.0.0.1:${proxy.port}` });
    expect(error).toMatchObject({ name: 'ProxyError', problem });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`the proxy 127.0.0.1:${proxy.port} (HTTPS_PROXY)`);
  });

  it.each([
    ['cut', 'cut'],
    ['garbage', 'foreign'],
    [2, 'refused'], // not allowed
    [1, 'no_way'], // a failure
    [4, 'no_way'], // host unreachable
    [5, 'no_way'], // connection refused
    [7, 'refused'], // command not supported
  ] as const)('SOCKS, that answers with %s', async (manner, problem) => {
    const proxy = await socksTo({ manner });
    const error = await failing({ allProxy: `socks5://127.0.0.1:${proxy.port}` });
    expect(error).toMatchObject({ name: 'ProxyError', problem });
    expect(error.message).toContain('(ALL_PROXY)');
  });

  it('that wants another login, without a word of the one it got', async () => {
    const login = 'user:right-password-1';
    const [plain, socks] = [await proxyTo({ login }), await socksTo({ login })];
    const wrong = 'somebody:wrong-password-1';
    for (const httpsProxy of [
      `http://${wrong}@127.0.0.1:${plain.port}`,
      `socks5h://${wrong}@127.0.0.1:${socks.port}`,
      `socks5h://user:${'x'.repeat(300)}@127.0.0.1:${socks.port}`,
    ]) {
      const error = await failing({ httpsProxy });
      expect(error).toMatchObject({ name: 'ProxyError', problem: 'login' });
      expect(`${error.message} ${JSON.stringify(error)} ${String(error.cause)}`).not.toMatch(
        /somebody|wrong-password|xxx/,
      );
    }
    expect(await failing({ httpsProxy: `socks5://127.0.0.1:${socks.port}` })).toMatchObject({
      problem: 'login',
    });
  });

  it('that does not let a name through, SOCKS', async () => {
    const proxy = await running(startSocksProxy({ routes: {} }));
    const error = await failing({ httpsProxy: `socks5://127.0.0.1:${proxy.port}` });
    expect(error).toMatchObject({ problem: 'refused' });
  });

  it('that is not there, of each kind', async () => {
    for (const kind of ['http', 'https', 'socks5']) {
      const error = await failing({ httpsProxy: `${kind}://127.0.0.1:1` });
      expect(error).toMatchObject({ name: 'ProxyError', problem: 'unreachable' });
      expect(error.message).toContain('127.0.0.1:1 (HTTPS_PROXY) could not be reached');
    }
  });

  it('whose certificate nobody vouches for', async () => {
    const other = createCertificates(join(folder, 'other'), ['localhost']);
    const proxy = await proxyTo({ certificates: other });
    const error = await failing({ httpsProxy: `https://localhost:${proxy.port}` });
    expect(error).toMatchObject({ name: 'ProxyError', problem: 'untrusted' });
  });

  it('that speaks TLS where plain http was expected, and the other way round', async () => {
    const secure = await proxyTo({ certificates });
    const plain = await proxyTo();
    for (const httpsProxy of [
      `http://127.0.0.1:${secure.port}`,
      `https://127.0.0.1:${plain.port}`,
    ]) {
      expect(await failing({ httpsProxy })).toMatchObject({ name: 'ProxyError' });
    }
  });

  it('the certificate of the upstream behind it stays the upstream’s', async () => {
    const proxy = await proxyTo();
    const httpsProxy = `http://127.0.0.1:${proxy.port}`;
    const fetch = createFetch({ proxy: { ...NONE, httpsProxy } });
    expect(await errorOf(fetch(`https://${NAME}/`, GET))).toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
  });

  it.each([
    ['http://', 'unusable'],
    ['not a proxy', 'unusable'],
    ['http://127.0.0.1:0', 'unusable'],
    ['http://user:12#34567890@proxy.test:3128', 'unusable'],
    ['http://user:12/34567890@proxy.test:3128', 'unusable'],
    ['ftp://proxy.test', 'unsupported'],
    ['socks4://proxy.test:1080', 'unsupported'],
  ])('%s is refused without a try', async (httpsProxy, problem) => {
    const error = await failing({ httpsProxy });
    expect(error).toMatchObject({ name: 'ProxyError', problem });
    expect(error.message).toMatch(/^HTTPS_PROXY /);
    expect(error.message).not.toMatch(/user|34567890/);
  });
});

describe('a proxy that says nothing', () => {
  it('is given up after ten seconds, of each kind', async () => {
    const silent = await listen(createTcpServer(() => {}));
    const asked = ['http', 'https', 'socks5'].map(async (kind) =>
      errorOf(ask({ httpsProxy: `${kind}://127.0.0.1:${silent}` })),
    );
    for (const error of await Promise.all(asked)) {
      expect(error).toMatchObject({ name: 'ProxyError', problem: 'silent' });
      expect(error.message).toContain('did not answer within 10 s');
    }
  }, 60_000);
});

describe('the secrets in proxies’ settings', () => {
  it('are known in the forms in which they might be seen', () => {
    const found = proxySecrets({
      ...NONE,
      httpsProxy: 'http://user:p%40ssword-1@proxy.test:3128',
      allProxy: 'socks5://proxy.test',
      httpProxy: 'http://user:12#34567890@proxy.test',
    });
    expect(found).toEqual([
      'p@ssword-1',
      Buffer.from('user:p@ssword-1').toString('base64'),
      'http://user:12#34567890@proxy.test',
    ]);
  });
});

describe('NODE_EXTRA_CA_CERTS of the settings file', () => {
  const at = (path: string | null) => {
    const problems: string[] = [];
    const onProblem = (problem: string): void => void problems.push(problem);
    return { fetch: createFetch({ proxy: NONE, extraCaCerts: path, onProblem }), problems };
  };

  it('makes its certificates known, beside those that node knows', async () => {
    const url = `https://localhost:${await startUpstream()}/`;
    const { fetch, problems } = at(certificates.caFile);
    expect((await fetch(url, GET)).status).toBe(200);
    expect(problems).toEqual([]);
    expect(await errorOf(at(null).fetch(url, GET))).toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
  });

  it.each([
    ['is not there', '/nowhere/ca.pem', /is ignored: there is no \/nowhere\/ca\.pem$/],
    ['is a folder', tmpdir(), /is ignored: .* is a folder, not a file$/],
    ['never ends', '/dev/zero', /is ignored: .* is a device, not a file$/],
    ['is no PEM', new URL(import.meta.url).pathname, /is ignored: .* holds no certificate/],
  ])('that %s is said once, and plain calls go on', async (_name, path, words) => {
    const port = await listen(createServer(hello));
    const { fetch, problems } = at(path);
    for (let call = 0; call < 2; call++) {
      expect((await fetch(`http://127.0.0.1:${port}/`, GET)).status).toBe(200);
    }
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(words);
  });

  it('that others can write is not trusted', async () => {
    const path = join(folder, 'writable.pem');
    copyFileSync(certificates.caFile, path);
    chmodSync(path, 0o666);
    const { fetch, problems } = at(path);
    expect(await errorOf(fetch(`https://localhost:${await startUpstream()}/`, GET))).toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    expect(problems).toEqual([expect.stringMatching(/is ignored: others can write/)]);
  });
});
