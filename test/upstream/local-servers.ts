/** Servers on loopback that end with their test, and the product's own way to ask them. */

import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { Server, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  createFetch,
  type Fetch,
  type FetchInit,
  type HttpSettings,
} from '../../src/upstream/wire/http.ts';

/** Every request has a signal of its own, as every attempt has: undici listens to it until the answer
 * is read, and some of these answers nobody reads. */
export const GET: FetchInit = {
  method: 'GET',
  headers: {},
  get signal() {
    return new AbortController().signal;
  },
};
export const open: Array<{ server: Server; sockets: Set<Socket> }> = [];

export async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const entry = { server, sockets };
  open.push(entry);
  onTestFinished(async () => {
    open.splice(open.indexOf(entry), 1);
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export const hello: RequestListener = (message, response) => {
  response.end(JSON.stringify({ url: message.url, agent: message.headers['user-agent'] }));
};

export function fetchWith(proxy: Partial<HttpSettings['proxy']>): Fetch {
  return createFetch({
    proxy: { httpsProxy: null, allProxy: null, httpProxy: null, noProxy: null, ...proxy },
  });
}
