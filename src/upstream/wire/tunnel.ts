/**
 * Opens a connection through a proxy. undici's own ProxyAgent tells a refusal by its message alone,
 * waits for a silent proxy without a limit, and takes no user without a password.
 */

import { type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { basicLogin, type ProxyServer } from './proxy.ts';
import {
  badLogin,
  brokenProxy,
  cutByProxy,
  foreignProxy,
  lostByProxy,
  type ProxyError,
  refusedByProxy,
  silentProxy,
} from './proxy-error.ts';

/** From the first packet to the proxy's consent. */
export const TUNNEL_MS = 10_000;

/** The other side, as CONNECT and SOCKS name it. */
interface TunnelTarget {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

function nameOf({ host, port }: TunnelTarget): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A status other than 200. Some that do not accept a login say so with a 401. */
function refusal(proxy: ProxyServer, target: string, status: number): ProxyError {
  const isLogin = status === 407 || status === 401;
  if (isLogin) return badLogin(proxy, proxy.login !== null, status);
  return refusedByProxy(proxy, target, status);
}

/** `CONNECT host:port`, over TLS when the proxy's address says https. */
function connectThrough(
  proxy: ProxyServer,
  target: TunnelTarget,
  trust: SecureContext | null,
): Promise<Socket> {
  const path = nameOf(target);
  const login = proxy.login === null ? {} : { 'proxy-authorization': basicLogin(proxy.login) };
  const options: RequestOptions = {
    host: proxy.host,
    port: proxy.port,
    method: 'CONNECT',
    path,
    agent: false,
    headers: { host: path, ...login },
  };
  return new Promise((resolve, reject) => {
    const request =
      proxy.kind === 'https'
        ? requestHttps({ ...options, ...(trust === null ? {} : { secureContext: trust }) })
        : requestHttp(options);
    const timer = setTimeout(() => request.destroy(silentProxy(proxy, TUNNEL_MS)), TUNNEL_MS);
    request.once('error', (error) => {
      clearTimeout(timer);
      reject(brokenProxy(proxy, error));
    });
    // Emitted for every status.
    request.once('connect', ({ statusCode = 0 }, socket: Socket) => {
      clearTimeout(timer);
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(refusal(proxy, path, statusCode));
    });
    request.end();
  });
}

/** A plain connection to the proxy; the package for SOCKS would keep an error's code to itself. */
function reach(proxy: ProxyServer): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: proxy.host, port: proxy.port });
    const timer = setTimeout(() => socket.destroy(silentProxy(proxy, TUNNEL_MS)), TUNNEL_MS);
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      reject(brokenProxy(proxy, error));
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

async function socksThrough(proxy: ProxyServer, target: TunnelTarget): Promise<Socket> {
  const [{ SocksClient }, existing_socket] = await Promise.all([import('socks'), reach(proxy)]);
  const { host, port, login } = proxy;
  // The protocol's one byte for a length; the package would fail outside of any promise.
  const isTooLong = (text: string): boolean => Buffer.byteLength(text) > 255;
  if (login !== null && (isTooLong(login.user) || isTooLong(login.password))) {
    throw badLogin(proxy, true);
  }
  const credentials = login === null ? {} : { userId: login.user, password: login.password };
  try {
    const { socket } = await SocksClient.createConnection({
      command: 'connect',
      destination: { host: target.host, port: target.port },
      proxy: { type: 5, host, port, ...credentials },
      existing_socket,
      timeout: TUNNEL_MS,
    });
    return socket;
  } catch (error) {
    throw socksError(proxy, target, error);
  }
}

/** The package's errors have nothing but words, and hold the password: none is handed on. */
function socksError(proxy: ProxyServer, target: TunnelTarget, error: unknown): unknown {
  const words = error instanceof Error ? error.message : '';
  if (/timed out/i.test(words)) return silentProxy(proxy, TUNNEL_MS);
  if (/authentication/i.test(words)) return badLogin(proxy, proxy.login !== null);
  if (/not ?(?:allowed|supported)/i.test(words)) return refusedByProxy(proxy, nameOf(target));
  // Host or network unreachable, connection refused, or a failure without a name (RFC 1928, 6).
  if (/rejected connection/i.test(words)) return lostByProxy(proxy, nameOf(target));
  return /socket closed|ECONNRESET/i.test(words) ? cutByProxy(proxy) : foreignProxy(proxy);
}

/**
 * @param trust for a proxy that is itself reached over TLS; null: node's own list
 * @throws ProxyError; the socket's own error where the fault is not the proxy's
 */
export function openTunnel(
  proxy: ProxyServer,
  target: TunnelTarget,
  trust: SecureContext | null,
): Promise<Socket> {
  return proxy.kind === 'socks5'
    ? socksThrough(proxy, target)
    : connectThrough(proxy, target, trust);
}
