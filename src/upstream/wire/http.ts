/**
 * The one way out: every request of the product goes through the function that `createFetch` makes.
 *
 * undici rather than node's own fetch, because that one ignores HTTPS_PROXY on Node 20 and brings
 * 300 s limits of its own for headers and body. Its `dispatch` rather than its `fetch` or `request`,
 * whose streams cost a call more than the pool does. Loaded at the first request: start-up pays
 * nothing.
 */

import { isIPv6 } from 'node:net';
import type { Answer } from './body.ts';
import { Exchange } from './exchange.ts';

export interface HttpSettings {
  readonly proxy: {
    readonly httpProxy: string | null;
    readonly httpsProxy: string | null;
    readonly noProxy: string | null;
  };
  /** Default `keypool-mcp`. */
  readonly userAgent?: string;
}

export interface FetchInit {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/**
 * Sends one request. Redirects are answers like any other, never followed.
 *
 * @throws the socket's error, `UnusableProxyError`, or an abort
 */
export interface Fetch {
  (url: string, init: FetchInit): Promise<Answer>;
  /** Loads what the first request needs, so that its time is not taken for a key's slowness. */
  readonly prepare?: () => Promise<unknown>;
}

/** HTTPS_PROXY or HTTP_PROXY holds something that is no proxy's address. */
export class UnusableProxyError extends Error {
  override readonly name = 'UnusableProxyError';
}

/** An upstream would have been called under another address than the configured one. */
export class ForeignHostError extends Error {
  override readonly name = 'ForeignHostError';
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'] as const;
const PROXY_PROTOCOLS = new Set(['http:', 'https:', 'socks5:']);
/** Long enough to serve the next call of a person at work; a server's own shorter hint wins. */
const KEEP_ALIVE_MS = 30_000;

/** `proxy.example:8080` means http, as it does for curl. Empty when there is none. */
function proxyUrl(raw: string | null): string {
  if (raw === null || raw === '') return '';
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(raw) ? raw : `http://${raw}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !PROXY_PROTOCOLS.has(url.protocol)) throw new UnusableProxyError();
  return url.href;
}

function isLoopbackProxy(url: string): boolean {
  return url !== '' && LOOPBACK.some((host) => host === new URL(url).hostname);
}

/**
 * NO_PROXY as undici reads it. A proxy on another machine cannot reach this machine's loopback, so
 * loopback bypasses it; one that runs here (a debugging proxy) sees everything.
 */
function bypass(noProxy: string | null, proxies: readonly string[]): string {
  const named = (noProxy ?? '').split(/[,\s]+/).filter((entry) => entry !== '');
  if (named.includes('*')) return '*';
  const entries = named.map((entry) => (isIPv6(entry) ? `[${entry}]` : entry));
  return [...entries, ...(proxies.some(isLoopbackProxy) ? [] : LOOPBACK)].join(',');
}

/** What undici's EnvHttpProxyAgent is told; strings throughout, or it would read the environment. */
export function proxyOptions(proxy: HttpSettings['proxy']): {
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
} {
  const httpProxy = proxyUrl(proxy.httpProxy);
  const httpsProxy = proxyUrl(proxy.httpsProxy);
  return { httpProxy, httpsProxy, noProxy: bypass(proxy.noProxy, [httpProxy, httpsProxy]) };
}

/** An address in undici's terms; read once for a row of calls. */
interface Place {
  readonly url: string;
  readonly origin: string;
  readonly path: string;
}

function placeOf(url: string): Place {
  const { origin, pathname, search } = new URL(url);
  return { url, origin, path: pathname + search };
}

async function load(settings: HttpSettings): Promise<Fetch> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const proxy = proxyOptions(settings.proxy);
  const options = {
    // Deadline and idle watchdog are ours: keep-alives would feed these for ever.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
  const isDirect = proxy.httpProxy === '' && proxy.httpsProxy === '';
  const dispatcher = isDirect
    ? new Agent(options)
    : // Plain http goes to a proxy in absolute form, as every proxy takes it; https is tunnelled.
      new EnvHttpProxyAgent({ ...options, ...proxy, proxyTunnel: false });
  const userAgent = settings.userAgent ?? 'keypool-mcp';
  let place: Place = { url: '', origin: '', path: '' };
  return (url, { method, headers, body, signal }) => {
    // Compressing pays on the way through the internet, not within this machine.
    const encoding = url.startsWith('https:') ? 'gzip, deflate, br' : 'identity';
    if (url !== place.url) place = placeOf(url);
    const { origin, path } = place;
    const exchange = new Exchange(signal);
    dispatcher.dispatch(
      {
        origin,
        path,
        method,
        ...(body === undefined ? {} : { body }),
        headers: { 'user-agent': userAgent, 'accept-encoding': encoding, ...headers },
      },
      exchange,
    );
    return exchange.answered;
  };
}

/** One connection pool for both upstreams. */
export function createFetch(settings: HttpSettings): Fetch {
  let loading: Promise<Fetch> | null = null;
  const loaded = (): Promise<Fetch> => {
    loading ??= load(settings);
    return loading;
  };
  const fetch = (url: string, init: FetchInit): Promise<Answer> =>
    loaded().then((send) => send(url, init));
  // What is wrong with the settings is said by the request itself.
  return Object.assign(fetch, { prepare: () => loaded().catch(() => {}) });
}

/** The same, for addresses under `baseUrl` only: a key never reaches another host. */
export function pinTo(baseUrl: string, fetch: Fetch): Fetch {
  const { origin } = new URL(baseUrl);
  const inside = `${origin}/`;
  const isInside = (url: string): boolean =>
    url.startsWith(inside) || (URL.canParse(url) && new URL(url).origin === origin);
  const pinned = (url: string, init: FetchInit): Promise<Answer> =>
    isInside(url) ? fetch(url, init) : Promise.reject(new ForeignHostError());
  return fetch.prepare === undefined ? pinned : Object.assign(pinned, { prepare: fetch.prepare });
}
