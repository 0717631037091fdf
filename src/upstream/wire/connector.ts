/** How undici gets its connections: directly, or through the proxy that the settings name. */

import type { SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import { type ProxySettings, proxyFor, targetOf } from './proxy.ts';
import { brokenTunnel } from './proxy-error.ts';
import { openTunnel, TUNNEL_MS } from './tunnel.ts';

type Connect = buildConnector.connector;

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('no connection', { cause: error });
}

/**
 * @param direct makes a connection, or puts TLS on one that there is (`httpSocket`)
 * @param trust for the proxy's own certificate; null: node's own list
 */
export function throughProxies(
  direct: Connect,
  settings: ProxySettings,
  trust: SecureContext | null,
): Connect {
  return (options, callback) => {
    const { protocol, hostname } = options;
    const target = targetOf(`${protocol}//${hostname}:${options.port}`);
    const open = async (): Promise<void> => {
      const proxy = proxyFor(settings, target);
      if (proxy === null) return direct(options, callback);
      const host = hostname.replace(/^\[|\]$/g, '');
      const socket = await openTunnel(proxy, { host, port: target.port }, trust);
      if (protocol === 'http:') return callback(null, socket);
      direct({ ...options, httpSocket: socket }, (error, secure) => {
        if (error === null) callback(null, secure);
        else callback(asError(brokenTunnel(proxy, error, TUNNEL_MS)), null);
      });
    };
    open().catch((error: unknown) => callback(asError(error), null));
  };
}
