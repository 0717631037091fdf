/**
 * The one door: every request passes it before any route, and before its body is read.
 *
 * Host and Origin are checked on every route, public ones included: a page that a browser reaches
 * under a rebound name gets nothing, not even that somebody lives here.
 */

import type { IncomingMessage } from 'node:http';
import { type Callers, mayAsk } from './callers.ts';
import { isAllowedOrigin, isPreflight } from './cors.ts';
import { plainHost, type ServedNames } from './served-names.ts';

export const BODY_LIMIT = 4 * 1024 * 1024;

export interface GuardOptions {
  readonly names: ServedNames;
  /** Lower case: pages of others that may send requests from a browser. */
  readonly allowedOrigins: ReadonlySet<string>;
  readonly callers: Callers;
  /** Paths that hold no data: served without a token for GET and HEAD. */
  readonly publicPaths: ReadonlySet<string>;
}

export interface DoorRefusal {
  readonly status: 400 | 401 | 403 | 404 | 413;
  /** Our words: what is wrong and what to do. */
  readonly message: string;
}

/** null: come in. */
export type Guard = (request: IncomingMessage) => DoorRefusal | null;

/** Sent with every answer, refusals included. */
export const SAFETY_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
    "require-trusted-types-for 'script'; trusted-types 'none'",
};

/** Node keeps the first of several Host headers; a second one is a trick. */
function headerCount(request: IncomingMessage, name: string): number {
  return request.rawHeaders.filter((entry, at) => at % 2 === 0 && entry.toLowerCase() === name)
    .length;
}

export function hostRefusal(request: IncomingMessage, { hosts }: ServedNames): DoorRefusal | null {
  const { host = '' } = request.headers;
  if (headerCount(request, 'host') === 1 && hosts.has(plainHost(host))) return null;
  const message =
    'This Host is not served here. Use the address the server prints, or allow the name with --allow-host';
  return { status: 403, message };
}

/** A client that is no browser sends no Origin; a sandboxed frame or a file sends `null`. */
export function originRefusal(
  request: IncomingMessage,
  { names, allowedOrigins }: Pick<GuardOptions, 'names' | 'allowedOrigins'>,
): DoorRefusal | null {
  const { origin, host = '' } = request.headers;
  const message =
    'This Origin may not talk to this server. A browser client may with --allow-origin ORIGIN';
  const refusal: DoorRefusal = { status: 403, message };
  if (origin === undefined) {
    const site = request.headers['sec-fetch-site'];
    // A link on another page may lead here; a script on another page may not ask for anything.
    const isLink = request.headers['sec-fetch-mode'] === 'navigate' && request.method === 'GET';
    return (site === 'cross-site' || site === 'same-site') && !isLink ? refusal : null;
  }
  if (headerCount(request, 'origin') !== 1) return refusal;
  if (isAllowedOrigin(request, allowedOrigins)) return null;
  const address = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1];
  if (address === undefined) return refusal;
  const from = plainHost(address);
  return from === plainHost(host) || names.origins.has(from) ? null : refusal;
}

/**
 * Where clients look for an OAuth server when they are refused, beside `/mcp` and under it. A plain
 * 404 is what makes them give up.
 */
const OAUTH_PATH =
  /^(?:\/mcp)?\/(?:\.well-known\/(?:oauth-[a-z-]+|openid-configuration)(?:\/.*)?|register)$/;

const TOKEN_HELP =
  'This server takes its own bearer token and no OAuth: send the header "Authorization: Bearer TOKEN". ' +
  'The token is in KEYPOOL_HTTP_TOKEN, or in the file http-token of the home folder; ' +
  'keypool-mcp dashboard opens the page with it';

export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

export function createGuard(options: GuardOptions): Guard {
  const { publicPaths, callers } = options;
  const isPublic = (request: IncomingMessage): boolean =>
    (request.method === 'GET' || request.method === 'HEAD') && publicPaths.has(pathOf(request));
  const tokenRefusal = (request: IncomingMessage): DoorRefusal | null => {
    const caller = callers(request);
    if (caller === null) return { status: 401, message: TOKEN_HELP };
    if (mayAsk(caller, request.method, pathOf(request))) return null;
    const message = "This token may call the tools, and not manage keys: that takes the owner's";
    return { status: 403, message };
  };
  return (request) => {
    const stranger = hostRefusal(request, options.names) ?? originRefusal(request, options);
    if (stranger !== null) return stranger;
    if (request.url?.startsWith('/') !== true) {
      return { status: 400, message: 'The request target has to be a path' };
    }
    if (isPreflight(request, options.allowedOrigins)) return null;
    if (OAUTH_PATH.test(pathOf(request))) return { status: 404, message: TOKEN_HELP };
    const refusal = isPublic(request) ? null : tokenRefusal(request);
    if (refusal !== null) return refusal;
    if (Number(request.headers['content-length'] ?? 0) > BODY_LIMIT) {
      return { status: 413, message: 'The body is larger than 4 MiB' };
    }
    return null;
  };
}
