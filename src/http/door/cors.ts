/** Browser clients from other pages: only those that the operator named, each for itself. */

import type { IncomingMessage } from 'node:http';

const ALLOWED_HEADERS = [
  ...['Authorization', 'Content-Type', 'Accept', 'Last-Event-ID'],
  ...['Mcp-Session-Id', 'Mcp-Protocol-Version', 'Mcp-Method', 'Mcp-Name'],
].join(', ');

export function isAllowedOrigin(request: IncomingMessage, allowed: ReadonlySet<string>): boolean {
  const { origin } = request.headers;
  return origin !== undefined && allowed.has(origin.toLowerCase());
}

/** A browser asks before it sends; it has no token to show yet. */
export function isPreflight(request: IncomingMessage, allowed: ReadonlySet<string>): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headers['access-control-request-method'] !== undefined &&
    isAllowedOrigin(request, allowed)
  );
}

/** Sent with every answer to an allowed origin, refusals included; empty for anybody else. */
export function corsHeaders(
  request: IncomingMessage,
  allowed: ReadonlySet<string>,
): Readonly<Record<string, string>> {
  const { origin } = request.headers;
  if (origin === undefined || !isAllowedOrigin(request, allowed)) return {};
  return {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': 'Mcp-Session-Id, WWW-Authenticate',
    Vary: 'Origin',
    ...(isPreflight(request, allowed) && {
      'Access-Control-Allow-Methods': 'GET, POST, DELETE',
      'Access-Control-Allow-Headers': ALLOWED_HEADERS,
      'Access-Control-Max-Age': '7200',
      // Chrome asks this when a page of the internet calls this machine.
      ...(request.headers['access-control-request-private-network'] === 'true' && {
        'Access-Control-Allow-Private-Network': 'true',
      }),
    }),
  };
}
