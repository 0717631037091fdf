/**
 * The official conformance suite on the built program, over HTTP: `npm run conformance`.
 *
 * The requirement sets are those frozen at each revision's release. The suite needs Node 22; on an
 * older Linux it is run with npm's own copy. It cannot send a token, so a proxy of ours adds it.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
const REVISIONS = ['2025-11-25', '2026-07-28'] as const;
const HERE = fileURLToPath(new URL('.', import.meta.url));
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Starts `serve --http` on a free port and waits for the line that names it. */
async function startProduct(home: string, token: string): Promise<[ChildProcess, URL]> {
  const child = spawn(process.execPath, [CLI, 'serve', '--http', '--port', '0'], {
    env: {
      PATH: process.env.PATH,
      HOME: home,
      KEYPOOL_HOME: join(home, 'keypool'),
      KEYPOOL_HTTP_TOKEN: token,
      DEEPSEEK_API_KEY: 'sk-fake-for-conformance',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const url = await new Promise<URL>((resolve, reject) => {
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString('utf8');
      const found = /"url":"(http:[^"]+)"/.exec(log)?.[1];
      if (found !== undefined) resolve(new URL(found));
    });
    child.once('exit', () => reject(new Error(`the server did not start: ${log}`)));
  });
  return [child, url];
}

/** Passes everything on with the token; its own port in Host and Origin becomes the server's. */
async function startProxy(target: URL, token: string): Promise<[Server, number]> {
  const proxy = createServer((incoming, outgoing) => {
    const translated = (header: string | undefined): string | undefined =>
      header?.replace(`:${incoming.socket.localPort}`, `:${target.port}`);
    const { host, origin } = incoming.headers;
    const headers = {
      ...incoming.headers,
      authorization: `Bearer ${token}`,
      host: translated(host),
      ...(origin === undefined ? {} : { origin: translated(origin) }),
    };
    const { url: path, method } = incoming;
    const { hostname, port } = target;
    const passed = request({ hostname, port, path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return [proxy, address.port];
}

async function runSuite(url: string, revision: string, results: string): Promise<number> {
  const isOld = Number(process.versions.node.split('.')[0]) < 22;
  const packages = [SUITE, ...(isOld ? [`node-linux-${process.arch}@22`] : [])];
  const child = spawn(
    'npm',
    [
      'exec',
      '--yes',
      ...packages.map((name) => `--package=${name}`),
      '--',
      ...['conformance', 'server', '--url', url, '--requirements', revision],
      ...['--expected-failures', join(HERE, `product-${revision}.yaml`)],
      ...['--output-dir', join(results, revision)],
    ],
    { cwd: results, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

async function main(): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'keypool-conformance-'));
  const token = randomBytes(24).toString('base64url');
  const [product, target] = await startProduct(home, token);
  const [proxy, port] = await startProxy(target, token);
  let worst = 0;
  try {
    for (const revision of REVISIONS) {
      const code = await runSuite(`http://127.0.0.1:${port}/mcp`, revision, home);
      console.log(`requirements ${revision}: ${code === 0 ? 'as expected' : 'NOT as expected'}`);
      worst = Math.max(worst, code);
    }
  } finally {
    proxy.closeAllConnections();
    proxy.close();
    if (product.exitCode === null) {
      product.kill();
      await once(product, 'exit');
    }
    rmSync(home, { recursive: true, force: true });
  }
  return worst;
}

process.exitCode = await main();
