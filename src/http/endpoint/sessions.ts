/**
 * Sessions of the revisions up to 2025-11-25: each has its own server and transport, so that no
 * client ever meets another one's ids.
 */

import { hash, randomUUID } from 'node:crypto';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { unknownClient } from '../../mcp/client-facts.ts';
import type { RequestId } from '../../mcp/json-rpc.ts';
import { RequestIds } from '../../mcp/legacy/request-ids.ts';
import type { ServerOptions } from '../../mcp/server-host.ts';
import type { Caller } from '../door/callers.ts';

export interface SessionLimits {
  readonly most: number;
  /** Without a request and without an open stream for this long: over. */
  readonly idleMs: number;
}

export const SESSION_LIMITS: SessionLimits = { most: 1_000, idleMs: 30 * 60_000 };
const SWEEP_MS = 30_000;

export interface SessionsOptions extends Pick<ServerOptions, 'host' | 'logger' | 'results'> {
  /** Makes a session's own server. */
  readonly createServer: (options: ServerOptions) => Server;
  readonly limits?: SessionLimits;
  /** Milliseconds. */
  readonly now?: () => number;
}

export class McpSession {
  readonly id = randomUUID();
  readonly ids: RequestIds;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  /** Open exchanges: requests being answered and the client's listening stream. */
  open = 0;
  seenAt: number;
  isReady = false;
  readonly client = unknownClient();
  /** Requests that were posted alone: their stream ends with them. */
  readonly single = new Set<RequestId>();

  constructor(now: number) {
    this.seenAt = now;
    this.transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => this.id,
      onsessioninitialized: () => {
        this.isReady = true;
      },
    });
    this.ids = new RequestIds(this.transport);
    // The SDK leaves the stream of a cancelled request open for ever.
    this.ids.oncancel = (id) => {
      if (this.single.has(id)) this.transport.closeSSEStream(id);
    };
  }
}

/** Whoever opened a session may use it, nobody else: the key is made from both. */
function keyOf(id: string, caller: Caller): string {
  return hash('sha256', `${id}\0${caller.name ?? ''}`, 'base64url');
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #limits: SessionLimits;
  readonly #now: () => number;
  readonly #sessions = new Map<string, McpSession>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#limits = options.limits ?? SESSION_LIMITS;
    this.#now = options.now ?? (() => performance.now());
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  find(id: string, caller: Caller): McpSession | null {
    const session = this.#sessions.get(keyOf(id, caller));
    if (session === undefined) return null;
    session.seenAt = this.#now();
    return session;
  }

  /** @returns null when every place is taken by a session at work */
  async open(caller: Caller): Promise<McpSession | null> {
    if (this.#sessions.size >= this.#limits.most && !this.#evict()) return null;
    const session = new McpSession(this.#now());
    const { host, logger, results, createServer } = this.#options;
    const { client } = session;
    // A client with a name has one share of the queue, however many sessions it opens.
    const turn = caller.name ?? session.id;
    const server = createServer({
      ...{ host, logger, results, client },
      session: turn,
      caller: caller.name,
    });
    const key = keyOf(session.id, caller);
    this.#sessions.set(key, session);
    await server.connect(session.ids);
    const closed = server.onclose;
    server.onclose = () => {
      this.#sessions.delete(key);
      closed?.();
    };
    return session;
  }

  /** Ends what nobody has used for too long. */
  sweep(): void {
    const before = this.#now() - this.#limits.idleMs;
    for (const session of this.#sessions.values()) {
      if (session.open === 0 && session.seenAt <= before) this.#end(session);
    }
  }

  /** Ends every session; calls in flight are aborted. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    const ending = [...this.#sessions.values()].map((session) => session.transport.close());
    await Promise.all(ending);
    this.#sessions.clear();
  }

  /** Makes room: the session that has been quiet for longest. */
  #evict(): boolean {
    let quietest: McpSession | null = null;
    for (const session of this.#sessions.values()) {
      if (session.open > 0) continue;
      if (quietest === null || session.seenAt < quietest.seenAt) quietest = session;
    }
    if (quietest !== null) this.#end(quietest);
    return quietest !== null;
  }

  #end(session: McpSession): void {
    session.transport.close().catch((error: unknown) => {
      this.#options.logger.debug('a session did not close', { error });
    });
  }
}
