/** Where every request comes in: headers, guard, refusals, and on to who serves it. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { corsHeaders, isPreflight } from './cors.ts';
import { type DoorRefusal, type Guard, pathOf, SAFETY_HEADERS } from './guard.ts';
import type { Refusals } from './refusals.ts';

const MCP_PATHS: ReadonlySet<string> = new Set(['/mcp', '/mcp/']);

/** In the form that who asked can read: JSON-RPC on `/mcp`, with OAuth's own word for a message. */
function refusalBody(
  { status, message }: Pick<DoorRefusal, 'message'> & { status: number },
  isMcp: boolean,
) {
  if (isMcp) {
    const error = { code: -32_000, message };
    return {
      jsonrpc: '2.0',
      id: null,
      error,
      ...(status === 401 && { error_description: message }),
    };
  }
  return status === 404 ? { error: 'not_found', error_description: message } : { error: message };
}

function refuse(
  response: ServerResponse,
  refusal: { readonly status: number; readonly message: string },
  isMcp: boolean,
): void {
  const { status } = refusal;
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    // What follows on this connection would be the body that nobody read.
    Connection: 'close',
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
    ...(status === 503 || status === 429 ? { 'Retry-After': '5' } : {}),
  });
  response.end(JSON.stringify(refusalBody(refusal, isMcp)));
}

export type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Requests that came in and whose answers are not out yet. */
export class Traffic {
  readonly #open = new Set<ServerResponse>();
  #onIdle: (() => void) | null = null;
  isEnding = false;

  enter(response: ServerResponse): void {
    this.#open.add(response);
    response.once('close', () => {
      this.#open.delete(response);
      if (this.#open.size === 0) this.#onIdle?.();
    });
  }

  /** Resolves when every answer is out, or after `ms`. */
  async drain(ms: number): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A listening stream has no end of its own; it must not hold up the server's. */
function isListening(request: IncomingMessage, isMcp: boolean): boolean {
  const isSubscription = request.headers['mcp-method'] === 'subscriptions/listen';
  return isMcp && (request.method === 'GET' || isSubscription);
}

export interface DoorOptions {
  readonly guard: () => Guard;
  readonly refusals: Refusals;
  readonly onRefusal: (status: number) => void;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly traffic: Traffic;
  readonly mcp: Listener;
  readonly app: Listener;
}

/** Every request comes in here. */
export function doorOf({
  guard,
  refusals,
  onRefusal,
  allowedOrigins,
  traffic,
  mcp,
  app,
}: DoorOptions): Listener {
  const turnAway = (
    request: IncomingMessage,
    response: ServerResponse,
    refusal: DoorRefusal,
  ): void => {
    onRefusal(refusal.status);
    const isMcp = MCP_PATHS.has(pathOf(request));
    const pauseMs = refusal.status === 401 ? refusals.begin(request) : 0;
    if (pauseMs === null) {
      refuse(response, { status: 429, message: 'Too many requests with a wrong token' }, isMcp);
      return;
    }
    if (pauseMs === 0) {
      refuse(response, refusal, isMcp);
      return;
    }
    const say = (): void => {
      refusals.end(request);
      if (!response.destroyed) refuse(response, refusal, isMcp);
    };
    setTimeout(say, pauseMs).unref();
  };
  return (request, response) => {
    const isMcp = MCP_PATHS.has(pathOf(request));
    const headers = { ...SAFETY_HEADERS, ...corsHeaders(request, allowedOrigins) };
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const refusal = guard()(request);
    if (refusal !== null) turnAway(request, response, refusal);
    else if (traffic.isEnding) {
      refuse(response, { status: 503, message: 'The server is stopping' }, isMcp);
    } else if (isPreflight(request, allowedOrigins)) response.writeHead(204).end();
    else {
      if (!isListening(request, isMcp)) traffic.enter(response);
      const listener = isMcp ? mcp : app;
      listener(request, response);
    }
  };
}
