/** A connection to a Redis, to one that sentinels name, or to a cluster: set up never to wait. */

import { Cluster, Redis } from 'ioredis';

/**
 * When a command counts as lost; it is not sent again. Nobody waits so long: whoever asks has a
 * patience of his own, which lets the loop read what has arrived before it is over.
 */
const COMMAND_MS = 1_000;
const CONNECT_MS = 1_000;
const RECONNECT_MS = 50;
const RECONNECT_MAX_MS = 1_000;

export interface RedisServer {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly nodes: ReadonlyArray<{ readonly host: string; readonly port: number }>;
  readonly user: string | null;
  readonly password: string | null;
  /** What the sentinels call the server; null without them. */
  readonly sentinelName: string | null;
  readonly database: number;
  /** null: in clear. PEM texts. */
  readonly tls: {
    readonly ca: string | null;
    readonly certificate: string | null;
    readonly key: string | null;
  } | null;
}

/** What both kinds of client of ioredis can do, as far as we need it. */
export interface RedisClient {
  call(command: string, args: Array<string | number>): Promise<unknown>;
  connect(): Promise<void>;
  /** Ends the connection; with `true` another one is made. */
  disconnect(reconnect?: boolean): void;
  on(event: 'ready' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

/** In words of an address; nothing of a user or a password. */
export function nameOf({ nodes }: RedisServer): string {
  const [first] = nodes;
  const others = nodes.length > 1 ? ` and ${nodes.length - 1} more` : '';
  return `${first?.host ?? ''}:${first?.port ?? 0}${others}`;
}

/** Not all at once after a restart of the server. */
function pause(attempts: number): number {
  const most = Math.min(RECONNECT_MAX_MS, RECONNECT_MS * 2 ** Math.min(attempts, 10));
  return most / 2 + (Math.random() * most) / 2;
}

function optionsOf({ user, password, tls }: RedisServer) {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_MS,
    connectTimeout: CONNECT_MS,
    retryStrategy: pause,
    autoResendUnfulfilledCommands: false,
    // A user of few rights may not ask for INFO; what a server that loads says, the script hears.
    enableReadyCheck: false,
    disableClientInfo: true,
    // Old servers and proxies know no HELLO.
    protocol: 2 as const,
    ...(user === null ? {} : { username: user }),
    ...(password === null ? {} : { password }),
    ...(tls === null
      ? {}
      : {
          tls: {
            ...(tls.ca === null ? {} : { ca: tls.ca }),
            ...(tls.certificate === null ? {} : { cert: tls.certificate }),
            ...(tls.key === null ? {} : { key: tls.key }),
          },
        }),
  };
}

/** Nothing is connected yet. */
export function openRedis(server: RedisServer): RedisClient {
  const { kind, nodes, database, sentinelName, tls } = server;
  const options = optionsOf(server);
  if (kind === 'cluster') {
    return new Cluster([...nodes], {
      lazyConnect: true,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      clusterRetryStrategy: pause,
      retryDelayOnFailover: 10,
      retryDelayOnClusterDown: 10,
      maxRedirections: 4,
      // With certificates a name has to stay a name.
      ...(tls === null ? {} : { dnsLookup: (address, found) => found(null, address) }),
      redisOptions: options,
    });
  }
  if (kind === 'sentinel') {
    return new Redis({
      ...options,
      db: database,
      sentinels: [...nodes],
      name: sentinelName ?? '',
      sentinelRetryStrategy: pause,
      sentinelCommandTimeout: CONNECT_MS,
      enableTLSForSentinelMode: tls !== null,
    });
  }
  const [first] = nodes;
  return new Redis({ ...options, db: database, host: first?.host ?? '', port: first?.port ?? 0 });
}
