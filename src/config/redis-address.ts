/**
 * `KEYPOOL_REDIS_URL`, read. Of one server, of sentinels, or of a cluster:
 *
 *     redis://[user:password@]host[:port][/database]
 *     redis-sentinel://[user:password@]host[:port],host[:port]/NAME[/database]
 *     redis-cluster://[user:password@]host[:port],host[:port]
 *
 * and the same with `rediss` for TLS. `valkey` and `valkeys` are read as `redis` and `rediss`.
 */

import { ConfigError } from '../base/errors.ts';
import { isLoopback } from '../base/loopback.ts';

export interface RedisAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly nodes: ReadonlyArray<{ readonly host: string; readonly port: number }>;
  readonly tls: boolean;
  readonly user: string | null;
  readonly password: string | null;
  /** What the sentinels call the server; null without them. */
  readonly sentinelName: string | null;
  readonly database: number;
}

const VARIABLE = 'KEYPOOL_REDIS_URL';
const HINT =
  'for instance redis://127.0.0.1:6379, rediss://user:password@host:6380, rediss-sentinel://host1,host2/NAME or rediss-cluster://host1,host2';
const FORM =
  /^(?:redis|valkey)(s?)(?:[-+](sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^?#]*))?$/i;
const PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 } as const;
const MAX_NODES = 64;

function refusal(what: string, hint: string = HINT): ConfigError {
  return new ConfigError(`${VARIABLE} ${what}`, { hint });
}

function decoded(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  try {
    return decodeURIComponent(text);
  } catch {
    throw refusal('holds a % that stands for nothing', 'write a % of the password as %25');
  }
}

function nodeOf(text: string, port: number): { host: string; port: number } {
  const url = URL.canParse(`http://${text}/`) ? new URL(`http://${text}/`) : null;
  if (url === null || url.hostname === '') throw refusal('names no host that can be read');
  // The default port of http is the one that a URL forgets.
  const given = /:(\d+)$/.exec(text)?.[1];
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(given ?? port) };
}

function credentials(text: string | undefined): { user: string | null; password: string | null } {
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || text === '') return { user: null, password: null };
  if (colon === -1) return { user: decoded(text), password: null };
  return { user: decoded(text.slice(0, colon)), password: decoded(text.slice(colon + 1)) };
}

function kindOf(word: string | undefined): RedisAddress['kind'] {
  const lower = word?.toLowerCase();
  return lower === 'sentinel' || lower === 'cluster' ? lower : 'single';
}

function databaseOf(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  const database = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (database >= 0) return database;
  throw refusal('ends in no number of a database');
}

function check({ kind, nodes, database, sentinelName }: RedisAddress): void {
  if (nodes.length > MAX_NODES) throw refusal(`names more than ${MAX_NODES} hosts`);
  if (kind === 'single' && nodes.length > 1) {
    throw refusal('names several hosts', 'say redis-sentinel:// or redis-cluster:// of them');
  }
  if (kind === 'sentinel' && sentinelName === null) {
    throw refusal('does not say what the sentinels call the server');
  }
  if (kind === 'cluster' && database !== 0) throw refusal('names a database of a cluster');
}

/** @throws ConfigError that repeats nothing of the address */
export function redisAddress(text: string): RedisAddress {
  const match = FORM.exec(text);
  if (match === null) throw refusal('is no address of a Redis');
  const [, secure, word, user, hosts = '', path = ''] = match;
  const kind = kindOf(word);
  const [first = '', second] = path.split('/');
  const address: RedisAddress = {
    kind,
    nodes: hosts.split(',').map((host) => nodeOf(host, PORTS[kind])),
    tls: secure !== '',
    ...credentials(user),
    sentinelName: kind === 'sentinel' ? decoded(first) : null,
    database: databaseOf(kind === 'sentinel' ? second : first),
  };
  check(address);
  return address;
}

/** Whether what goes there stays on this machine, or is encrypted. */
export function isProtected({ tls, nodes }: RedisAddress): boolean {
  return tls || nodes.every(({ host }) => isLoopback(host));
}
