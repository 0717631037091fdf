/** An upstream that is down for a while: everything that reaches it meanwhile fails in one way. */

import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
  request as sendRequest,
} from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { listenOnLoopback } from './local-server.ts';

/**
 * A status; a connection that is reset as soon as it is there, or once the request has been read;
 * nobody who listens; an answer that breaks off in its middle.
 */
export type OutageKind = number | 'reset' | 'reset-after-request' | 'refused' | 'cut';

export interface Outage {
  readonly url: string;
  /** Milliseconds since the outage began, of every request or connection that met it or was served. */
  readonly sends: readonly { readonly atMs: number; readonly served: boolean }[];
  close(): Promise<void>;
}

export interface OutageOptions {
  readonly kind: OutageKind;
  /** How long it is down; the outage begins with the first connection. Infinity: for good. */
  readonly forMs: number;
  /** Who answers afterwards. */
  readonly behind: string;
}

function passOn(request: IncomingMessage, response: ServerResponse, behind: string): void {
  const { method, headers } = request;
  const onward = sendRequest(`${behind}${request.url ?? '/'}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

/** A chunk of an answer; at the beta address it goes on from what the first one began with. */
function chunkFor(path: string): string {
  const content = path.startsWith('/beta/') ? ' main():' : 'def';
  const choices = [{ index: 0, delta: { role: 'assistant', content } }];
  return `data: ${JSON.stringify({ choices })}\n\n`;
}

async function fail(
  kind: OutageKind,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume();
  await once(request, 'end');
  if (typeof kind === 'number') {
    response.writeHead(kind, { 'content-type': 'text/html' });
    response.end(`<html><title>${kind}</title></html>`);
    return;
  }
  if (kind === 'cut') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunkFor(request.url ?? '/'));
    await delay(100);
  }
  request.socket.resetAndDestroy();
}

/** Starts it; close it when done. */
export async function startOutage({ kind, forMs, behind }: OutageOptions): Promise<Outage> {
  const sends: { atMs: number; served: boolean }[] = [];
  let since: number | null = kind === 'refused' ? performance.now() : null;
  const elapsed = (): number => {
    since ??= performance.now();
    return performance.now() - since;
  };
  const server = createServer((request, response) => {
    const atMs = elapsed();
    const served = atMs >= forMs;
    // A balance is asked for with GET, and costs nothing.
    if (request.method === 'POST') sends.push({ atMs, served });
    if (served) passOn(request, response, behind);
    else void fail(kind, request, response).catch(() => response.destroy());
  });
  if (kind === 'reset') {
    server.on('connection', (socket: Socket) => {
      if (elapsed() >= forMs) return;
      sends.push({ atMs: elapsed(), served: false });
      socket.resetAndDestroy();
    });
  }
  const first = await listenOnLoopback(server);
  const url = `http://127.0.0.1:${first.port}`;
  if (kind !== 'refused') return { url, sends, close: first.close };
  await first.close();
  const timer = setTimeout(() => server.listen(first.port, '127.0.0.1'), Math.min(forMs, 2 ** 30));
  const close = async (): Promise<void> => {
    clearTimeout(timer);
    server.closeAllConnections();
    server.close();
  };
  return { url, sends, close };
}
