/** Sockets for an address; for `localhost` one on each loopback, since clients try either first. */

import { once } from 'node:events';
import type { Server } from 'node:http';
import { ConfigError } from '../base/errors.ts';
import { systemCode } from '../base/system/system-error.ts';

export interface Listening {
  readonly port: number;
  readonly servers: readonly Server[];
}

/** This machine has no such address: IPv6 is switched off in many containers. */
const NOT_HERE: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENOTFOUND']);
/** A free port of one loopback may be taken on the other. */
const TRIES = 5;

function problem(cause: unknown, address: string, port: number): ConfigError {
  if (systemCode(cause) === 'EADDRINUSE') {
    return new ConfigError(`port ${port} on ${address} is in use`, {
      cause,
      hint: 'choose another one with --port, or stop the program that uses it',
    });
  }
  const hint = 'check --host and --port';
  return new ConfigError(`cannot listen on port ${port} of ${address}`, { cause, hint });
}

/** @returns the port, which the system chose where `port` is 0 */
async function bind(server: Server, host: string, port: number): Promise<number> {
  server.listen({ host, port });
  await once(server, 'listening');
  const bound = server.address();
  return bound !== null && typeof bound === 'object' ? bound.port : port;
}

/**
 * @param create a server for each socket
 * @param address as a socket takes it
 * @throws ConfigError when the address cannot be listened on
 */
export async function listen(
  create: () => Server,
  address: string,
  port: number,
): Promise<Listening> {
  const hosts = address === 'localhost' ? ['127.0.0.1', '::1'] : [address];
  for (let tries = 1; ; tries++) {
    const servers: Server[] = [];
    let found = port;
    let failure: unknown = null;
    for (const host of hosts) {
      const server = create();
      try {
        found = await bind(server, host, found);
        servers.push(server);
      } catch (error) {
        failure = error;
        if (!NOT_HERE.has(systemCode(error))) break;
      }
    }
    const isServed = servers.length > 0 && (failure === null || NOT_HERE.has(systemCode(failure)));
    if (isServed) return { port: found, servers };
    for (const server of servers) server.close();
    const mayTryAgain = port === 0 && systemCode(failure) === 'EADDRINUSE' && tries < TRIES;
    if (!mayTryAgain) throw problem(failure, address, found);
  }
}
