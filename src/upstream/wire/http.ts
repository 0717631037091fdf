/**
 * The one way out: every request of the product goes through the function that `createFetch` makes.
 *
 * undici rather than node's own fetch, because that one takes no proxy on Node 20 and brings 300 s
 * limits of its own for headers and body. Its `request` rather than its `fetch`, whose streams cost
 * a call more than the pool does. Loaded at the first request: start-up pays nothing.
 */

import type { Answer } from './body.ts';
import { readExtraCertificates, trusting } from './certificates.ts';
import { throughProxies } from './connector.ts';
import type { ProxySettings } from './proxy.ts';
import { unpacked } from './unpack.ts';

export interface HttpSettings {
  readonly proxy: ProxySettings;
  /** A file of certificates to trust as well; null: those that node trusts by itself. */
  readonly extraCaCerts?: string | null;
  /** Told, once, what is wrong with that file: our words, without a final period. */
  readonly onProblem?: (problem: string) => void;
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
 * @throws the socket's error, `ProxyError`, `ForeignHostError`, or the signal's reason
 */
export interface Fetch {
  (url: string, init: FetchInit): Promise<Answer>;
  /** Loads what the first request needs, so that its time is not taken for a key's slowness. */
  readonly prepare?: () => Promise<unknown>;
}

/** An upstream would have been called under another address than the configured one. */
export class ForeignHostError extends Error {
  override readonly name = 'ForeignHostError';
}

/** Long enough to serve the next call of a person at work; a server's own shorter hint wins. */
const KEEP_ALIVE_MS = 30_000;

/** undici hears of an abort only when a request has its connection, which may be never. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    promise.then(
      (value) => end(() => resolve(value)),
      (error) => end(() => reject(error)),
    );
  });
}

async function load(settings: HttpSettings): Promise<Fetch> {
  const [{ Agent, buildConnector, request }, extra] = await Promise.all([
    import('undici'),
    settings.extraCaCerts ? readExtraCertificates(settings.extraCaCerts) : null,
  ]);
  if (extra !== null && extra.problem !== null) settings.onProblem?.(extra.problem);
  const trust =
    extra === null || extra.certificates.length === 0 ? null : trusting(extra.certificates);
  const direct = buildConnector(trust === null ? {} : { secureContext: trust });
  const dispatcher = new Agent({
    // Deadline and idle watchdog are ours: keep-alives would feed these for ever.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: throughProxies(direct, settings.proxy, trust),
  });
  const userAgent = settings.userAgent ?? 'keypool-mcp';
  return async (url, { method, headers, body, signal }) => {
    // Compressing pays on the way through the internet, not within this machine.
    const encoding = url.startsWith('https:') ? 'gzip, deflate, br' : 'identity';
    const asked = request(url, {
      dispatcher,
      method,
      headers: { 'user-agent': userAgent, 'accept-encoding': encoding, ...headers },
      body: body ?? null,
      signal,
    });
    const answer = await unlessAborted(asked, signal);
    const { statusCode: status, headers: fields } = answer;
    const get = (name: string): string | null => {
      const value = fields[name.toLowerCase()];
      return (typeof value === 'string' ? value : value?.join(', ')) ?? null;
    };
    const ok = status >= 200 && status < 300;
    return { status, ok, headers: { get }, body: unpacked(answer.body, get('content-encoding')) };
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
  // What cannot be loaded is said by the request itself.
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
