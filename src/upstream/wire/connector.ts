/** How undici gets its connections: directly, or through the proxy that the settings name. */

import type { SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import { type ProxySettings, proxyFor, targetOf } from './proxy.ts';
import { brokenTunnel } from './proxy-error.ts';
import { openTunnel, TUNNEL_MS } from './tunnel.ts';

type Connect = buildConnector.connector;
type Options = buildConnector.Options;
type Connection = Extract<Parameters<buildConnector.Callback>, [null, unknown]>[1];

/** A socket may come free as soon as another call ends. */
const SHORTAGE = { tries: 20, pauseMs: 250 } as const;

/** This process or machine has no socket to give: no other key and no other host would help. */
export function isShortage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(EMFILE|ENFILE|EADDRNOTAVAIL|ENOBUFS|ENOMEM)$/.test(code);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('no connection', { cause: error });
}

function connectBy(direct: Connect, options: Options): Promise<Connection> {
  return new Promise((resolve, reject) => {
    direct(options, (...[error, connection]) => {
      if (error === null) resolve(connection);
      else reject(error);
    });
  });
}

async function patiently<T>(open: () => Promise<T>): Promise<T> {
  for (let left: number = SHORTAGE.tries; ; left--) {
    try {
      return await open();
    } catch (error) {
      if (left === 0 || !isShortage(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, SHORTAGE.pauseMs));
    }
  }
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
  const open = async (options: Options): Promise<Connection> => {
    const { protocol, hostname } = options;
    const target = targetOf(`${protocol}//${hostname}:${options.port}`);
    const proxy = proxyFor(settings, target);
    if (proxy === null) return connectBy(direct, options);
    const host = hostname.replace(/^\[|\]$/g, '');
    const httpSocket = await openTunnel(proxy, { host, port: target.port }, trust);
    if (target.protocol === 'http:') return httpSocket;
    try {
      return await connectBy(direct, { ...options, httpSocket });
    } catch (error) {
      throw brokenTunnel(proxy, error, TUNNEL_MS);
    }
  };
  return (options, callback) => {
    patiently(() => open(options)).then(
      (connection) => callback(null, connection),
      (error: unknown) => callback(asError(error), null),
    );
  };
}
