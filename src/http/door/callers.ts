/** Who asks: the owner, who calls and manages, or a client with a name, who calls. */

import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Caller {
  /** null: the owner. */
  readonly name: string | null;
  readonly mayManage: boolean;
}

export interface CallersOptions {
  /** The owner's. */
  readonly token: string;
  /** Whose token it is; null for nobody's. */
  readonly clientOf?: (token: string) => string | null;
}

/** Whoever the request shows a token of; null for nobody. */
export type Callers = (request: IncomingMessage) => Caller | null;

const OWNER: Caller = { name: null, mayManage: true };

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

export function createCallers({ token, clientOf }: CallersOptions): Callers {
  const expected = digest(token);
  return (request) => {
    const shown = /^bearer +([^ ].*)?$/is.exec(request.headers.authorization ?? '')?.[1] ?? '';
    // Digests have one length whatever was sent, so that the time of the comparison tells nothing.
    if (timingSafeEqual(digest(shown), expected)) return OWNER;
    const name = clientOf?.(shown) ?? null;
    return name === null ? null : { name, mayManage: false };
  };
}

/** What a client may ask for besides the tools: what it would learn from those anyway. */
const READABLE = new Set(['/metrics', '/api/status']);
const MCP_PATHS = new Set(['/mcp', '/mcp/']);

export function mayAsk(caller: Caller, method: string | undefined, path: string): boolean {
  if (caller.mayManage || MCP_PATHS.has(path)) return true;
  return (method === 'GET' || method === 'HEAD') && READABLE.has(path);
}
