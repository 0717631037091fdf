/**
 * MCP over Streamable HTTP, metrics and the page, on one port. Loopback by default; a guard before
 * every route; ends gracefully.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from '../base/logger.ts';
import { onEndingSignal } from '../base/signals.ts';
import { within } from '../base/within.ts';
import { createLegacyServer } from '../mcp/legacy/legacy-server.ts';
import { createModernServer } from '../mcp/modern/modern-server.ts';
import type { ServerHost } from '../mcp/server-host.ts';
import type { Admin } from './api/admin.ts';
import { History } from './api/history.ts';
import { createApp, PUBLIC_PATHS } from './app.ts';
import { createCallers } from './door/callers.ts';
import { corsHeaders, isPreflight } from './door/cors.ts';
import { createGuard, type Guard, pathOf, type Refusal, SAFETY_HEADERS } from './door/guard.ts';
import { Refusals } from './door/refusals.ts';
import { plainAddress, servedNames, urlOf } from './door/served-names.ts';
import { McpRoute, type ServerFactories } from './endpoint/mcp-route.ts';
import type { SessionLimits } from './endpoint/sessions.ts';
import { listen } from './listen.ts';
import type { Metrics } from './metrics.ts';
import { newSecret } from './proof.ts';

export interface HttpOptions {
  /** `localhost` is both loopbacks. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  /** The owner's. */
  readonly token: string;
  /** The name of the client that a token belongs to; null for nobody's. */
  readonly clientOf?: (token: string) => string | null;
  /** Further names, with or without a port, that a Host header may carry: a proxy's. */
  readonly allowedHosts: readonly string[];
  /** Origins of browser clients, `https://app.example`; each gets CORS for itself. */
  readonly allowedOrigins?: readonly string[];
  readonly host: ServerHost;
  readonly admin: Admin;
  readonly metrics: Pick<Metrics, 'render' | 'requestRefused'>;
  readonly pageFolder: URL;
  /** Of the record that says where this server listens; without one there is nothing to prove. */
  readonly recordSecret?: string;
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

const MCP_PATHS: ReadonlySet<string> = new Set(['/mcp', '/mcp/']);

/** In the form that who asked can read: JSON-RPC on `/mcp`, with OAuth's own word for a message. */
function refusalBody(
  { status, message }: Pick<Refusal, 'message'> & { status: number },
  isMcp: boolean,
) {
  if (isMcp) {
    const error = { code: -32_000, message };
    return {
      jsonrpc: '2.0',
      id: null,
      error,
      ...(status === 401 && { error_description: message }),
    };
  }
  return status === 404 ? { error: 'not_found', error_description: message } : { error: message };
}

function refuse(
  response: ServerResponse,
  refusal: { readonly status: number; readonly message: string },
  isMcp: boolean,
): void {
  const { status } = refusal;
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    // What follows on this connection would be the body that nobody read.
    Connection: 'close',
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
    ...(status === 503 || status === 429 ? { 'Retry-After': '5' } : {}),
  });
  response.end(JSON.stringify(refusalBody(refusal, isMcp)));
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

interface Door {
  readonly guard: () => Guard;
  readonly refusals: Refusals;
  readonly onRefusal: (status: number) => void;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly traffic: Traffic;
  readonly mcp: Listener;
  readonly app: Listener;
}

/** Every request comes in here. */
function doorOf({ guard, refusals, onRefusal, allowedOrigins, traffic, mcp, app }: Door): Listener {
  const turnAway = (request: IncomingMessage, response: ServerResponse, refusal: Refusal): void => {
    onRefusal(refusal.status);
    const isMcp = MCP_PATHS.has(pathOf(request));
    const pauseMs = refusal.status === 401 ? refusals.begin(request) : 0;
    if (pauseMs === null) {
      refuse(response, { status: 429, message: 'Too many requests with a wrong token' }, isMcp);
      return;
    }
    if (pauseMs === 0) {
      refuse(response, refusal, isMcp);
      return;
    }
    const say = (): void => {
      refusals.end(request);
      if (!response.destroyed) refuse(response, refusal, isMcp);
    };
    setTimeout(say, pauseMs).unref();
  };
  return (request, response) => {
    const isMcp = MCP_PATHS.has(pathOf(request));
    const headers = { ...SAFETY_HEADERS, ...corsHeaders(request, allowedOrigins) };
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const refusal = guard()(request);
    if (refusal !== null) turnAway(request, response, refusal);
    else if (traffic.isEnding) {
      refuse(response, { status: 503, message: 'The server is stopping' }, isMcp);
    } else if (isPreflight(request, allowedOrigins)) response.writeHead(204).end();
    else {
      if (!isListening(request, isMcp)) traffic.enter(response);
      const listener = isMcp ? mcp : app;
      listener(request, response);
    }
  };
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

function serverOf(door: Listener, guard: () => Guard): Server {
  const server = createServer(LIMITS, door);
  server.maxConnections = MAX_CONNECTIONS;
  // `Expect: 100-continue`: whoever is refused shall not send its body first.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (guard()(request) === null) response.writeContinue();
    door(request, response);
  });
  return server;
}

/**
 * Serves until a signal comes: then calls in flight finish within a bound, new ones are refused.
 *
 * @returns the exit code
 * @throws ConfigError when the address cannot be listened on
 */
export async function serveHttp(options: HttpOptions): Promise<number> {
  const { host, logger, admin, metrics, drainMs = DRAIN_MS } = options;
  const callers = createCallers(options);
  const mcp = new McpRoute({
    host,
    logger,
    callers,
    servers: options.servers ?? SERVERS,
    ...(options.sessionLimits === undefined ? {} : { sessionLimits: options.sessionLimits }),
  });
  const history = new History(() => admin.snapshot());
  const app = await createApp({
    ...options,
    history,
    recordSecret: options.recordSecret ?? newSecret(),
  });
  const traffic = new Traffic();
  let guard: Guard = () => ({ status: 403, message: 'The server is starting' });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const allowedOrigins = new Set(options.allowedOrigins?.map((origin) => origin.toLowerCase()));
  const door = doorOf({
    guard: () => guard,
    refusals: new Refusals({ logger }),
    onRefusal: (status) => metrics.requestRefused(status),
    allowedOrigins,
    traffic,
    mcp: (incoming, outgoing) => void mcp.handle({ incoming, outgoing }),
    app: (incoming, outgoing) => void listener(incoming, outgoing),
  });
  const address = plainAddress(options.address);
  const { port, servers } = await listen(() => serverOf(door, () => guard), address, options.port);
  guard = createGuard({
    names: servedNames(address, port, options.allowedHosts),
    allowedOrigins,
    callers,
    publicPaths: PUBLIC_PATHS,
  });
  const url = urlOf(address, port);
  const end = watchEnd(options.signal);
  logger.info(`Listening on ${url}/mcp`, { url, port });
  options.onListening?.(url);

  await end.first;
  logger.info('Stopping; calls in flight may finish', { boundMs: drainMs });
  traffic.isEnding = true;
  history.stop();
  const closed = Promise.all(servers.map((server) => once(server, 'close')));
  for (const server of servers) {
    server.close();
    server.closeIdleConnections();
  }
  await Promise.race([traffic.drain(drainMs), end.second]);
  await within(CLOSE_MS, mcp.close());
  for (const server of servers) server.closeAllConnections();
  await within(CLOSE_MS, closed);
  end.stop();
  return 0;
}
