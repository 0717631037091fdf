import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readText } from '../../src/upstream/wire/body.ts';
import { pinTo, proxyOptions } from '../../src/upstream/wire/http.ts';
import { fetchWith, GET, hello, listen } from './local-servers.ts';
import { errorOf } from './stage.ts';

/** A real proxy: absolute-form requests for http, CONNECT for https; asks for a password if told. */
async function startProxy(password: string | null = null) {
  const seen: string[] = [];
  const isAllowed = (message: IncomingMessage): boolean =>
    password === null ||
    message.headers['proxy-authorization'] ===
      `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
  const server = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    if (!isAllowed(incoming)) {
      outgoing.writeHead(407).end();
      return;
    }
    const onward = request(incoming.url ?? '', { method: incoming.method ?? 'GET' }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  server.on('connect', (incoming: IncomingMessage, client: Socket) => {
    seen.push(`CONNECT ${incoming.url}`);
    if (!isAllowed(incoming)) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    // Whatever name is asked for, it is this machine: the test needs no name service.
    const upstream = connect(Number(incoming.url?.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  return { port: await listen(server), seen };
}

describe('proxies', () => {
  it('http goes to HTTP_PROXY in absolute form', async () => {
    const target = await listen(createServer(hello));
    const proxy = await startProxy();
    const fetch = fetchWith({ httpProxy: `http://127.0.0.1:${proxy.port}` });
    const response = await fetch(`http://127.0.0.1:${target}/x`, GET);
    expect(JSON.parse(await readText(response, 10_000))).toMatchObject({ url: '/x' });
    expect(proxy.seen).toEqual([`GET http://127.0.0.1:${target}/x`]);
  });

  it('an address without a scheme and a password in it work', async () => {
    const target = await listen(createServer(hello));
    const proxy = await startProxy('p%ss');
    const fetch = fetchWith({ httpProxy: `user:p%25ss@127.0.0.1:${proxy.port}` });
    expect((await fetch(`http://127.0.0.1:${target}/`, GET)).status).toBe(200);
  });

  it('NO_PROXY names hosts that are reached directly', async () => {
    const target = await listen(createServer(hello));
    const proxy = await startProxy();
    const httpProxy = `http://127.0.0.1:${proxy.port}`;
    for (const noProxy of ['127.0.0.1', 'example.org, 127.0.0.1', '*', `127.0.0.1:${target}`]) {
      const fetch = fetchWith({ httpProxy, noProxy });
      expect((await fetch(`http://127.0.0.1:${target}/`, GET)).status).toBe(200);
    }
    expect(proxy.seen).toEqual([]);
  });

  it('a proxy elsewhere is not asked for this machine’s loopback, one on loopback is', () => {
    const read = (proxy: string, noProxy: string | null = null): string =>
      proxyOptions({ httpProxy: proxy, httpsProxy: null, noProxy }).noProxy;
    expect(read('http://proxy.example:3128')).toBe('localhost,127.0.0.1,[::1]');
    expect(read('http://proxy.example:3128', 'a.example ::1')).toBe(
      'a.example,[::1],localhost,127.0.0.1,[::1]',
    );
    expect(read('http://localhost:8080')).toBe('');
    expect(read('http://proxy.example:3128', 'x,*')).toBe('*');
  });

  it('what is no proxy’s address is refused in our words, without a try', async () => {
    for (const httpsProxy of ['http://', 'ftp://proxy.example', 'not a proxy']) {
      const error = await errorOf(fetchWith({ httpsProxy })('https://api.deepseek.com', GET));
      expect(error.name).toBe('UnusableProxyError');
    }
  });
});

describe('certificates', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'keypool-tls-'));
    const options = [
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=test CA',
    ];
    const names = ['-addext', 'subjectAltName=DNS:localhost,DNS:upstream.example,IP:127.0.0.1'];
    const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'ca.pem')];
    execFileSync('openssl', ['req', ...options, ...names, ...files], { stdio: 'ignore' });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function tlsServer(): Server {
    const [key, cert] = ['key.pem', 'ca.pem'].map((name) => readFileSync(join(folder, name)));
    return createTlsServer({ key, cert }, hello);
  }

  /** In a process of its own, for node reads NODE_EXTRA_CA_CERTS when it starts. */
  async function fetchElsewhere(url: string, httpsProxy: string | null, ca: string | null) {
    const script = join(folder, 'fetch.ts');
    const http = new URL('../../src/upstream/wire/http.ts', import.meta.url).href;
    const failure = new URL('../../src/upstream/failure.ts', import.meta.url).href;
    const body = new URL('../../src/upstream/wire/body.ts', import.meta.url).href;
    writeFileSync(
      script,
      `import { createFetch } from ${JSON.stringify(http)};
       import { readText } from ${JSON.stringify(body)};
       import { diagnoseSocket } from ${JSON.stringify(failure)};
       const proxy = { httpProxy: null, httpsProxy: ${JSON.stringify(httpsProxy)}, noProxy: null };
       const init = { method: 'GET', headers: {}, signal: AbortSignal.timeout(20_000) };
       createFetch({ proxy })(${JSON.stringify(url)}, init)
         .then((response) => readText(response, 10_000), (error) => JSON.stringify(diagnoseSocket(error)))
         .then((text) => { process.stdout.write(text, () => process.exit(0)); });`,
    );
    const { NODE_EXTRA_CA_CERTS: _unused, ...env } = process.env;
    const child = spawn(process.execPath, ['--import', 'tsx', script], {
      env: ca === null ? env : { ...env, NODE_EXTRA_CA_CERTS: ca },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await once(child, 'close');
    return JSON.parse(text);
  }

  it('one of an unknown CA is refused; NODE_EXTRA_CA_CERTS makes the CA known', async () => {
    const url = `https://localhost:${await listen(tlsServer())}/x`;
    expect(await fetchElsewhere(url, null, null)).toMatchObject({
      failure: { kind: 'unreachable' },
      unreachable: 'certificate',
    });
    expect(await fetchElsewhere(url, null, join(folder, 'ca.pem'))).toMatchObject({ url: '/x' });
  }, 30_000);

  it('https is tunnelled through HTTPS_PROXY, with the same CA known inside the tunnel', async () => {
    const target = await listen(tlsServer());
    const proxy = await startProxy();
    const through = `http://127.0.0.1:${proxy.port}`;
    const url = `https://upstream.example:${target}/y`;
    expect(await fetchElsewhere(url, through, join(folder, 'ca.pem'))).toMatchObject({ url: '/y' });
    expect(proxy.seen).toEqual([`CONNECT upstream.example:${target}`]);
  }, 30_000);

  it('a proxy that refuses is told apart from an upstream that cannot be reached', async () => {
    const proxy = await startProxy('secret-of-the-proxy');
    const through = `http://127.0.0.1:${proxy.port}`;
    expect(await fetchElsewhere('https://upstream.example:443/', through, null)).toMatchObject({
      failure: { kind: 'unreachable', mayBeBilled: false },
      unreachable: 'proxy',
    });
  }, 30_000);
});

describe('connections', () => {
  it('are reused', async () => {
    let connections = 0;
    const server = createServer(hello);
    server.on('connection', () => {
      connections += 1;
    });
    const url = `http://127.0.0.1:${await listen(server)}/`;
    const fetch = fetchWith({});
    for (let call = 0; call < 5; call++) await readText(await fetch(url, GET), 10_000);
    // The first may not be free again at the very moment its answer is complete.
    expect(connections).toBeLessThanOrEqual(2);
  });

  it('redirects are handed over as answers, never followed', async () => {
    let trapped = 0;
    const trap = await listen(
      createServer((_request, response) => {
        trapped += 1;
        response.end();
      }),
    );
    const redirecting = createServer((_request, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${trap}/` }).end();
    });
    const response = await fetchWith({})(`http://127.0.0.1:${await listen(redirecting)}/`, GET);
    expect(response.status).toBe(307);
    await readText(response, 10_000);
    expect(trapped).toBe(0);
  });

  it('go to the pinned origin only', async () => {
    const target = await listen(createServer(hello));
    const pinned = pinTo(`http://127.0.0.1:${target}/base`, fetchWith({}));
    expect((await pinned(`http://127.0.0.1:${target}/base/x`, GET)).status).toBe(200);
    for (const url of [
      'https://api.deepseek.com/chat/completions',
      `http://localhost:${target}/base/x`,
      `http://127.0.0.1:${target}@evil.example/`,
    ]) {
      expect((await errorOf(pinned(url, GET))).name).toBe('ForeignHostError');
    }
  });
});
