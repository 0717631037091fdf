/**
 * `/mcp`: both protocol eras at one address. The body is parsed once; whether a message is of the
 * modern era is the v2 SDK's own judgement, so that the two can never disagree.
 */

import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import {
  createMcpHandler,
  isLegacyRequest,
  type McpHttpHandler,
  type McpServer,
  type Server as ModernServer,
} from '@modelcontextprotocol/server';
import type { Logger } from '../base/logger.ts';
import {
  errorReply,
  INVALID_PARAMS,
  INVALID_REQUEST,
  isRecord,
  PARSE_ERROR,
  type RequestId,
} from '../mcp/json-rpc.ts';
import type { ServerHost } from '../mcp/server-host.ts';
import type { ShellOptions } from '../mcp/shell.ts';
import type { Exchange } from './http-exchange.ts';
import { readJson } from './request-body.ts';
import { type Session, type SessionLimits, Sessions } from './sessions.ts';

/** What is served in each era: a server for one session, a server for one request. */
export interface ServerFactories {
  readonly legacy: (options: ShellOptions) => LegacyServer;
  readonly modern: (options: ShellOptions) => ModernServer | McpServer;
}

export interface McpRouteOptions {
  readonly servers: ServerFactories;
  readonly host: ServerHost;
  readonly logger: Logger;
  readonly token: string;
  readonly sessionLimits?: SessionLimits;
}

const NOT_FOUND = -32_001;
const REFUSED = -32_000;

function reply(status: number, code: number, message: string): Response {
  return Response.json(errorReply(null, code, message), { status });
}

function requestIdsOf(message: unknown): RequestId[] {
  const messages: unknown[] = Array.isArray(message) ? message : [message];
  return messages.flatMap((each) => {
    const id = isRecord(each) && 'method' in each ? each.id : null;
    return typeof id === 'string' || typeof id === 'number' ? [id] : [];
  });
}

/** Calls back once when the answer is out, or when the client is gone before that. */
function whenOver(outgoing: ServerResponse, over: (isWhole: boolean) => void): void {
  outgoing.once('close', () => over(outgoing.writableFinished));
}

export class McpRoute {
  readonly #options: McpRouteOptions;
  readonly #sessions: Sessions;
  readonly #modern: McpHttpHandler;

  constructor(options: McpRouteOptions) {
    this.#options = options;
    const { host, logger, servers, sessionLimits } = options;
    this.#sessions = new Sessions({
      host,
      logger,
      createServer: servers.legacy,
      ...(sessionLimits === undefined ? {} : { limits: sessionLimits }),
    });
    this.#modern = createMcpHandler(
      // A modern request stands alone: each one takes its own turn.
      () => servers.modern({ host, logger, session: randomUUID() }),
      { legacy: 'reject', onerror: (error) => logger.debug('protocol error', { error }) },
    );
  }

  async handle(exchange: Exchange): Promise<Response> {
    const { method } = exchange.request;
    if (method === 'GET' || method === 'DELETE') return this.#sessionRequest(exchange);
    if (method !== 'POST') {
      const headers = { Allow: 'GET, POST, DELETE' };
      return Response.json(errorReply(null, REFUSED, 'Method not allowed'), {
        status: 405,
        headers,
      });
    }
    const body = await readJson(exchange.incoming);
    if (body.kind === 'none') return reply(400, PARSE_ERROR, 'Parse error: the body is empty');
    if (body.kind === 'bad') {
      return reply(body.status, body.status === 400 ? PARSE_ERROR : REFUSED, body.message);
    }
    if (await isLegacyRequest(exchange.request, body.value)) {
      return this.#legacy(exchange, body.value);
    }
    return this.#modern.fetch(exchange.request, { parsedBody: body.value });
  }

  /** Ends sessions and exchanges of both eras; calls in flight are aborted. */
  async close(): Promise<void> {
    await Promise.all([this.#sessions.close(), this.#modern.close()]);
  }

  async #legacy(exchange: Exchange, message: unknown): Promise<Response> {
    if (exchange.request.headers.get('mcp-session-id') !== null) {
      const session = this.#find(exchange.request);
      return session === null ? sessionNotFound() : this.#post(exchange, session, message);
    }
    if (!isInitializeRequest(message)) return outsideSession(message);
    const session = await this.#sessions.open(this.#options.token);
    if (session === null) return reply(503, REFUSED, 'Too many sessions are at work; try later');
    const response = await this.#post(exchange, session, message);
    if (!session.isReady) await session.transport.close();
    return response;
  }

  async #post(exchange: Exchange, session: Session, message: unknown): Promise<Response> {
    const ids = requestIdsOf(message);
    if (new Set(ids).size < ids.length || ids.some((id) => session.ids.has(id))) {
      return reply(400, INVALID_REQUEST, 'Invalid request: this id is in use');
    }
    const [only] = ids;
    const isSingle = ids.length === 1 && only !== undefined && !Array.isArray(message);
    if (isSingle) session.single.add(only);
    session.open++;
    whenOver(exchange.outgoing, (isWhole) => {
      session.open--;
      if (isSingle) session.single.delete(only);
      // Nothing can be replayed on another stream: an answer without its reader is only paid for.
      if (!isWhole) for (const id of ids) session.ids.cancel(id);
    });
    return session.transport.handleRequest(exchange.request, { parsedBody: message });
  }

  async #sessionRequest(exchange: Exchange): Promise<Response> {
    if (exchange.request.headers.get('mcp-session-id') === null) {
      return reply(400, REFUSED, 'Bad request: the Mcp-Session-Id header is missing');
    }
    const session = this.#find(exchange.request);
    if (session === null) return sessionNotFound();
    session.open++;
    whenOver(exchange.outgoing, () => {
      session.open--;
    });
    return session.transport.handleRequest(exchange.request);
  }

  #find(request: Request): Session | null {
    return this.#sessions.find(request.headers.get('mcp-session-id') ?? '', this.#options.token);
  }
}

/** Nothing but `initialize` may come without a session; a malformed one is told what it lacks. */
function outsideSession(message: unknown): Response {
  if (!isRecord(message) || message.method !== 'initialize') {
    return reply(400, REFUSED, 'Bad request: the Mcp-Session-Id header is missing');
  }
  const [id = null] = requestIdsOf(message);
  const needs = 'initialize needs protocolVersion, capabilities and clientInfo';
  const refusal = errorReply(id, INVALID_PARAMS, `Invalid params: ${needs}`);
  return Response.json(refusal, { status: 400 });
}

function sessionNotFound(): Response {
  return reply(404, NOT_FOUND, 'Session not found');
}
