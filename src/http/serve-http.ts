/**
 * MCP over Streamable HTTP, metrics and the page, on one port. Loopback by default; a guard before
 * every route; ends gracefully.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { getRequestListener } from '@hono/node-server';
import { ConfigError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { LOOPBACK_NAMES } from '../base/loopback.ts';
import { onEndingSignal } from '../base/signals.ts';
import { within } from '../base/within.ts';
import { createLegacyServer } from '../mcp/legacy/legacy-server.ts';
import { createModernServer } from '../mcp/modern/modern-server.ts';
import type { ServerHost } from '../mcp/server-host.ts';
import type { Admin } from './api/admin.ts';
import { History } from './api/history.ts';
import { createApp, PUBLIC_PATHS } from './app.ts';
import { createGuard, type Guard, SAFETY_HEADERS } from './guard.ts';
import { McpRoute, type ServerFactories } from './mcp-route.ts';
import type { Metrics } from './metrics.ts';
import type { SessionLimits } from './sessions.ts';

export interface HttpOptions {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  readonly token: string;
  /** Further names, with or without a port, that a Host header may carry: a proxy's. */
  readonly allowedHosts: readonly string[];
  readonly host: ServerHost;
  readonly admin: Admin;
  readonly metrics: Pick<Metrics, 'render'>;
  readonly pageFolder: URL;
  readonly logger: Logger;
  readonly sessionLimits?: SessionLimits;
  /** Default: the product's own. The conformance suite brings servers with its fixtures. */
  readonly servers?: ServerFactories;
  /** How long calls in flight may take to finish once the server ends. Default 8,000. */
  readonly drainMs?: number;
  /** Ends the server as a signal of the operating system would. */
  readonly signal?: AbortSignal;
  readonly onListening?: (url: string) => void;
}

/** Below the ten seconds after which a container's runtime kills. */
const DRAIN_MS = 8_000;
const CLOSE_MS = 1_000;

const SERVERS: ServerFactories = { legacy: createLegacyServer, modern: createModernServer };

const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
} as const;
const MAX_CONNECTIONS = 4_096;

const ANY_ADDRESS = new Set(['0.0.0.0', '::']);
function inUrl(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}

/** Every Host header that names this server. */
function hostNames(options: HttpOptions, port: number): ReadonlySet<string> {
  const own = [...LOOPBACK_NAMES, inUrl(options.address)];
  if (ANY_ADDRESS.has(options.address)) {
    own.push(hostname());
    for (const each of Object.values(networkInterfaces()).flat()) {
      if (each !== undefined) own.push(inUrl(each.address));
    }
  }
  // A proxy on the standard port leaves the port out.
  const given = options.allowedHosts.flatMap((name) =>
    /:\d+$/.test(name) ? [name] : [name, `${name}:${port}`],
  );
  return new Set([...own.map((name) => `${name}:${port}`), ...given].map((n) => n.toLowerCase()));
}

function refuse(response: ServerResponse, status: number, message: string, isMcp: boolean): void {
  const body = isMcp
    ? { jsonrpc: '2.0', id: null, error: { code: -32_000, message } }
    : { error: message };
  response.writeHead(status, {
    ...SAFETY_HEADERS,
    'Content-Type': 'application/json; charset=utf-8',
    // What follows on this connection would be the body that nobody read.
    Connection: 'close',
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
    ...(status === 503 ? { 'Retry-After': '5' } : {}),
  });
  response.end(JSON.stringify(body));
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Requests that came in and whose answers are not out yet. */
class Traffic {
  readonly #open = new Set<ServerResponse>();
  #onIdle: (() => void) | null = null;
  isEnding = false;

  enter(response: ServerResponse): void {
    this.#open.add(response);
    response.once('close', () => {
      this.#open.delete(response);
      if (this.#open.size === 0) this.#onIdle?.();
    });
  }

  /** Resolves when every answer is out, or after `ms`. */
  async drain(ms: number): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A listening stream has no end of its own; it must not hold up the server's. */
function isListening(request: IncomingMessage, isMcp: boolean): boolean {
  const isSubscription = request.headers['mcp-method'] === 'subscriptions/listen';
  return isMcp && (request.method === 'GET' || isSubscription);
}

function guarded(guard: () => Guard, traffic: Traffic, listener: Listener): Listener {
  return (request, response) => {
    const isMcp = request.url?.split('?', 1)[0] === '/mcp';
    const refusal = guard()(request);
    if (refusal !== null) {
      refuse(response, refusal.status, refusal.message, isMcp);
      return;
    }
    if (traffic.isEnding) {
      refuse(response, 503, 'The server is stopping', isMcp);
      return;
    }
    if (!isListening(request, isMcp)) traffic.enter(response);
    for (const [name, value] of Object.entries(SAFETY_HEADERS)) response.setHeader(name, value);
    listener(request, response);
  };
}

async function listen(server: Server, options: HttpOptions): Promise<number> {
  const { address, port } = options;
  try {
    server.listen({ host: address, port });
    await once(server, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : '';
    if (code === 'EADDRINUSE') {
      throw new ConfigError(`port ${port} on ${address} is in use`, {
        cause,
        hint: 'choose another one with --port, or stop the program that uses it',
      });
    }
    const hint = 'check --host and --port';
    throw new ConfigError(`cannot listen on port ${port} of ${address}`, { cause, hint });
  }
  const bound = server.address();
  return bound !== null && typeof bound === 'object' ? bound.port : port;
}

/** Resolves on the first signal; a second one ends the drain. */
function watchEnd(signal: AbortSignal | undefined): {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
  readonly stop: () => void;
} {
  const steps: Array<() => void> = [];
  const first = new Promise<void>((resolve) => steps.push(resolve));
  const second = new Promise<void>((resolve) => steps.push(resolve));
  const next = (): void => steps.shift()?.();
  const ignoreSignals = onEndingSignal(next);
  signal?.addEventListener('abort', next, { once: true });
  if (signal?.aborted === true) next();
  const stop = (): void => {
    ignoreSignals();
    signal?.removeEventListener('abort', next);
  };
  return { first, second, stop };
}

/**
 * Serves until a signal comes: then calls in flight finish within a bound, new ones are refused.
 *
 * @returns the exit code
 * @throws ConfigError when the address cannot be listened on
 */
export async function serveHttp(options: HttpOptions): Promise<number> {
  const { host, logger, admin, token, drainMs = DRAIN_MS } = options;
  const mcp = new McpRoute({
    host,
    logger,
    token,
    servers: options.servers ?? SERVERS,
    ...(options.sessionLimits === undefined ? {} : { sessionLimits: options.sessionLimits }),
  });
  const history = new History(() => admin.snapshot());
  const app = await createApp({ ...options, mcp, history });
  const traffic = new Traffic();
  let guard: Guard = () => ({ status: 403, message: 'The server is starting' });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const door = guarded(
    () => guard,
    traffic,
    (request, response) => void listener(request, response),
  );
  const server = createServer(LIMITS, door);
  server.maxConnections = MAX_CONNECTIONS;
  // `Expect: 100-continue`: whoever is refused shall not send its body first.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (guard(request) === null) response.writeContinue();
    door(request, response);
  });
  const port = await listen(server, options);
  guard = createGuard({ hosts: hostNames(options, port), token, publicPaths: PUBLIC_PATHS });
  const url = `http://${inUrl(ANY_ADDRESS.has(options.address) ? '127.0.0.1' : options.address)}:${port}`;
  const end = watchEnd(options.signal);
  logger.info(`Listening on ${url}/mcp`, { url, port });
  options.onListening?.(url);

  await end.first;
  logger.info('Stopping; calls in flight may finish', { boundMs: drainMs });
  traffic.isEnding = true;
  history.stop();
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await Promise.race([traffic.drain(drainMs), end.second]);
  await within(CLOSE_MS, mcp.close());
  server.closeAllConnections();
  await within(CLOSE_MS, closed);
  end.stop();
  return 0;
}
