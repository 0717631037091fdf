/**
 * MCP over Streamable HTTP, metrics and the page, on one port. Loopback by default; a guard before
 * every route; ends gracefully.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from '../base/logger.ts';
import { onEndingSignal } from '../base/system/signals.ts';
import { within } from '../base/system/within.ts';
import { createLegacyServer } from '../mcp/legacy/legacy-server.ts';
import { createModernServer } from '../mcp/modern/modern-server.ts';
import type { ServerHost } from '../mcp/server-host.ts';
import type { Admin } from './api/admin.ts';
import { History } from './api/history.ts';
import { createApp, PUBLIC_PATHS } from './app.ts';
import { createCallers } from './door/callers.ts';
import { doorOf, type Listener, Traffic } from './door/door.ts';
import { createGuard, type Guard } from './door/guard.ts';
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
