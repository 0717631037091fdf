/** What the suite is run on, and the proxy that lets it in: it cannot send a token. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Starts `serve --http` on a free port and waits for the line that names it. */
export async function startProduct(
  env: Readonly<Record<string, string>>,
  token: string,
): Promise<[ChildProcess, URL]> {
  const child = spawn(process.execPath, [CLI, 'serve', '--http', '--port', '0'], {
    env: { PATH: process.env.PATH, ...env, KEYPOOL_HTTP_TOKEN: token },
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
export async function startProxy(target: URL, token: string): Promise<[Server, number]> {
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
