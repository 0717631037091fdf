/**
 * `/mcp`: both protocol eras at one address. The body is parsed once and judged as on stdio; then
 * it goes to its session, or to the v2 SDK's entry for requests that stand alone.
 */

import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import {
  type AuthInfo,
  createMcpHandler,
  type McpHttpHandler,
  type McpServer,
  type Server as ModernServer,
} from '@modelcontextprotocol/server';
import type { Logger } from '../../base/logger.ts';
import { noteClient, unknownClient } from '../../mcp/client-facts.ts';
import { eraOf, LEGACY_VERSIONS, missingClaim } from '../../mcp/era.ts';
import {
  errorReply,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  PARSE_ERROR,
} from '../../mcp/json-rpc.ts';
import { KeptResults } from '../../mcp/kept-results.ts';
import { badParams } from '../../mcp/modern/judge-params.ts';
import { presentError } from '../../mcp/present-error.ts';
import type { ServerHost, ServerOptions } from '../../mcp/server-host.ts';
import type { Caller, Callers } from '../door/callers.ts';
import { type HttpExchange, headerOf, sendAnswer, webRequest, whenLeft } from '../http-exchange.ts';
import { readJson } from '../request-body.ts';
import { plainAccept } from './accept.ts';
import { isBatch, type Posted, postedId, readPosted, reply } from './posted.ts';
import { type McpSession, type SessionLimits, Sessions } from './sessions.ts';

/** What is served in each era: a server for one session, a server for one request. */
export interface ServerFactories {
  readonly legacy: (options: ServerOptions) => LegacyServer;
  readonly modern: (options: ServerOptions) => ModernServer | McpServer;
}

export interface McpRouteOptions {
  readonly servers: ServerFactories;
  readonly host: ServerHost;
  readonly logger: Logger;
  readonly callers: Callers;
  readonly sessionLimits?: SessionLimits;
}

const NOT_FOUND = -32_001;
const REFUSED = -32_000;

const SESSION_HEADER = 'mcp-session-id';

/** Both SDKs look for one spelling of the Accept header. */
function requestOf(exchange: HttpExchange, signal: AbortSignal | null = null): Request {
  const { accept } = exchange.incoming.headers;
  return webRequest(exchange, { accept: plainAccept(accept) }, signal);
}

interface Asked extends HttpExchange {
  readonly caller: Caller;
}

/** The SDK hands it to what makes the server; the token itself stays here. */
function authOf({ name }: Caller): { readonly authInfo?: AuthInfo } {
  return name === null ? {} : { authInfo: { token: '', clientId: name, scopes: [] } };
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
    const shared = { host, logger, results: new KeptResults() };
    this.#sessions = new Sessions({
      ...shared,
      createServer: servers.legacy,
      ...(sessionLimits === undefined ? {} : { limits: sessionLimits }),
    });
    this.#modern = createMcpHandler(
      // A modern request stands alone: each one takes its own turn.
      ({ authInfo }) => {
        const caller = authInfo?.clientId ?? null;
        const session = caller ?? randomUUID();
        return servers.modern({ ...shared, session, caller, client: unknownClient() });
      },
      { legacy: 'reject', onerror: (error) => logger.debug('protocol error', { error }) },
    );
  }

  /** Never rejects. */
  async handle(exchange: HttpExchange): Promise<void> {
    const { outgoing } = exchange;
    const { host, logger } = this.#options;
    const send = (answer: Response): Promise<void> =>
      sendAnswer(exchange, answer, (text) => host.redact(text));
    try {
      const caller = this.#options.callers(exchange.incoming);
      // It was there at the door; a token that was taken back since then opens nothing.
      if (caller === null) return await send(reply(401, REFUSED, 'The token was taken back'));
      const answer = await this.#answer({ ...exchange, caller });
      if (answer !== null) await send(answer);
    } catch (error) {
      const text = presentError(error, logger);
      if (outgoing.headersSent) outgoing.destroy();
      else await send(reply(500, INTERNAL_ERROR, text));
    }
  }

  /** @returns null when the client left */
  async #answer(exchange: Asked): Promise<Response | null> {
    const { method } = exchange.incoming;
    if (method === 'GET' || method === 'DELETE') return this.#sessionRequest(exchange);
    if (method !== 'POST') {
      const headers = { Allow: 'GET, POST, DELETE' };
      return Response.json(errorReply(null, REFUSED, 'Method not allowed'), {
        status: 405,
        headers,
      });
    }
    const body = await readJson(exchange);
    if (body.kind === 'gone') return null;
    if (body.kind === 'none') return reply(400, PARSE_ERROR, 'Parse error: the body is empty');
    if (body.kind === 'bad') {
      return reply(body.status, body.status === 400 ? PARSE_ERROR : REFUSED, body.message);
    }
    const posted = readPosted(body.value);
    if (posted instanceof Response) return posted;
    if (isBatch(posted) || !('method' in posted)) return this.#legacy(exchange, posted);
    const refusal = 'id' in posted ? missingClaim(posted) : null;
    if (refusal !== null) return Response.json(refusal, { status: 400 });
    const era = eraOf(posted, headerOf(exchange, 'mcp-protocol-version'));
    if (era === 'legacy') return this.#legacy(exchange, posted);
    const bad = 'id' in posted ? badParams(posted) : null;
    if (bad !== null) return Response.json(bad, { status: 400 });
    const request = requestOf(exchange, whenLeft(exchange));
    return this.#modern.fetch(request, { parsedBody: posted, ...authOf(exchange.caller) });
  }

  /** Ends sessions and exchanges of both eras; calls in flight are aborted. */
  async close(): Promise<void> {
    await Promise.all([this.#sessions.close(), this.#modern.close()]);
  }

  async #legacy(exchange: Asked, posted: Posted): Promise<Response> {
    if (headerOf(exchange, SESSION_HEADER) !== null) {
      const session = this.#find(exchange);
      if (session === null) return sessionNotFound();
      return againInSession(posted) ?? this.#post(exchange, session, posted);
    }
    if (!isInitializeRequest(posted)) return outsideSession(posted);
    const session = await this.#sessions.open(exchange.caller);
    if (session === null) return reply(503, REFUSED, 'Too many sessions are at work; try later');
    // The SDK answers every revision, an unknown one with its own newest.
    const { protocolVersion } = posted.params;
    const version = LEGACY_VERSIONS.find((known) => known === protocolVersion);
    noteClient(session.client, posted.params, { protocolVersion: version ?? LEGACY_VERSIONS[0] });
    const response = await this.#post(exchange, session, posted);
    if (!session.isReady) await session.transport.close();
    return response;
  }

  async #post(exchange: Asked, session: McpSession, posted: Posted): Promise<Response> {
    const ids = isBatch(posted) ? posted.flatMap(postedId) : postedId(posted);
    if (new Set(ids).size < ids.length || ids.some((id) => session.ids.has(id))) {
      return reply(400, INVALID_REQUEST, 'Invalid request: this id is in use');
    }
    const [only] = ids;
    const isSingle = only !== undefined && !isBatch(posted);
    if (isSingle) session.single.add(only);
    session.open++;
    whenOver(exchange.outgoing, (isWhole) => {
      session.open--;
      if (isSingle) session.single.delete(only);
      // Nothing can be replayed on another stream: an answer without its reader is only paid for.
      if (!isWhole) for (const id of ids) session.ids.cancel(id);
    });
    return session.transport.handleRequest(requestOf(exchange), { parsedBody: posted });
  }

  async #sessionRequest(exchange: Asked): Promise<Response> {
    if (headerOf(exchange, SESSION_HEADER) === null) {
      return reply(400, REFUSED, 'Bad request: the Mcp-Session-Id header is missing');
    }
    const session = this.#find(exchange);
    if (session === null) return sessionNotFound();
    session.open++;
    whenOver(exchange.outgoing, () => {
      session.open--;
    });
    // After a network drop the old stream looks open for minutes: the newest one wins.
    const request = requestOf(exchange);
    const listens = request.headers.get('accept')?.includes('text/event-stream') === true;
    if (request.method === 'GET' && listens) session.transport.closeStandaloneSSEStream();
    return session.transport.handleRequest(request);
  }

  #find(exchange: Asked): McpSession | null {
    return this.#sessions.find(headerOf(exchange, SESSION_HEADER) ?? '', exchange.caller);
  }
}

/** Nothing but `initialize` may come without a session; a malformed one is told what it lacks. */
function outsideSession(posted: Posted): Response {
  const id = isBatch(posted) ? undefined : postedId(posted)[0];
  if (id === undefined || !('method' in posted) || posted.method !== 'initialize') {
    return reply(400, REFUSED, 'Bad request: the Mcp-Session-Id header is missing');
  }
  const needs = 'initialize needs protocolVersion, capabilities and clientInfo';
  const refusal = errorReply(id, INVALID_PARAMS, `Invalid params: ${needs}`);
  return Response.json(refusal, { status: 400 });
}

/** The SDK refuses a second `initialize` as well, but for one that is malformed. */
function againInSession(posted: Posted): Response | null {
  const messages = isBatch(posted) ? posted : [posted];
  const again = messages.find((each) => 'method' in each && each.method === 'initialize');
  if (again === undefined) return null;
  const why = 'Invalid request: this session is initialized already';
  return Response.json(errorReply(postedId(again)[0] ?? null, INVALID_REQUEST, why), {
    status: 400,
  });
}

function sessionNotFound(): Response {
  return reply(404, NOT_FOUND, 'Session not found');
}
