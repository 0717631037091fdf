/** The names by which this server is reached: what Host and Origin headers may say. */

import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { LOOPBACK_NAMES } from '../../base/loopback.ts';

const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** `--host` as a socket takes it: `[::1]` is how people write `::1`. */
export function plainAddress(address: string): string {
  return /^\[.*\]$/.test(address) ? address.slice(1, -1) : address.toLowerCase();
}

export function inUrl(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}

/** Where a program on this machine reaches a server that listens on `address`. */
export function urlOf(address: string, port: number): string {
  return `http://${inUrl(ANY_ADDRESS.has(address) ? '127.0.0.1' : address)}:${port}`;
}

/**
 * `name` or `name:port` in one spelling: lower case, without the dot that ends an absolute name
 * and without the port that a scheme implies.
 */
export function plainHost(host: string): string {
  const [, name = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host.toLowerCase()) ?? [];
  const absolute = name.endsWith('.') ? name.slice(0, -1) : name;
  return port === '' || port === '80' || port === '443' ? absolute : `${absolute}:${port}`;
}

export interface ServedNames {
  /** What a Host header may say, plain. */
  readonly hosts: ReadonlySet<string>;
  /** What may stand behind the scheme of an Origin header, plain. */
  readonly origins: ReadonlySet<string>;
}

/**
 * @param address plain
 * @param allowed further names, with or without a port: a proxy's
 */
export function servedNames(
  address: string,
  port: number,
  allowed: readonly string[],
): ServedNames {
  const own = [...LOOPBACK_NAMES, inUrl(address)];
  if (ANY_ADDRESS.has(address)) {
    own.push(hostname());
    for (const each of Object.values(networkInterfaces()).flat()) {
      if (each !== undefined) own.push(inUrl(each.address));
    }
  }
  const withPort = own.map((name) => plainHost(`${name}:${port}`));
  const given = allowed.flatMap((name) =>
    /:\d+$/.test(name) ? [plainHost(name)] : [plainHost(name), plainHost(`${name}:${port}`)],
  );
  return {
    // A proxy on a standard port leaves the port out, and none can be reached under these names
    // from another machine. Another page's Origin could: it has to say the port.
    hosts: new Set([...own.map(plainHost), ...withPort, ...given]),
    origins: new Set([...withPort, ...given]),
  };
}
