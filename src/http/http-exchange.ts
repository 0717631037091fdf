/** One request and its answer: the web's form of it, and node's where that says more. */

import type { IncomingMessage, ServerResponse } from 'node:http';

/** What hono's node server gives every handler. */
export interface Bindings {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

export interface Exchange extends Bindings {
  readonly request: Request;
}
