/** One request and its answer: node's form of it, and the web's, which the SDKs speak. */

import type { IncomingMessage, ServerResponse } from 'node:http';

/** As node gives them; hono's node server hands them to every handler. */
export interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** Of the connection, not of the answer: node writes them as the client wants them. */
const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/**
 * The request without its body, which is read by hand.
 *
 * @param changed headers to replace
 */
export function webRequest(
  { incoming, outgoing }: Exchange,
  changed: Readonly<Record<string, string>>,
): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries({ ...incoming.headers, ...changed })) {
    if (value !== undefined)
      headers.set(name, typeof value === 'string' ? value : value.join(', '));
  }
  const left = new AbortController();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) left.abort();
  });
  const url = `http://${incoming.headers.host}${incoming.url}`;
  return new Request(url, { method: incoming.method ?? 'GET', headers, signal: left.signal });
}

function isOver(outgoing: ServerResponse): boolean {
  return outgoing.destroyed || outgoing.writableEnded;
}

/** Sends the answer as it comes; when the client leaves, its source is told. */
export async function sendAnswer({ outgoing }: Exchange, answer: Response): Promise<void> {
  outgoing.statusCode = answer.status;
  for (const [name, value] of answer.headers) {
    if (!HOP_BY_HOP.has(name)) outgoing.setHeader(name, value);
  }
  if (answer.body === null) {
    outgoing.end();
    return;
  }
  const isStream = answer.headers.get('content-type') === 'text/event-stream';
  if (!isStream) {
    outgoing.end(Buffer.from(await answer.arrayBuffer()));
    return;
  }
  // The first event may be minutes away: the client learns now that it is served.
  outgoing.flushHeaders();
  const reader = answer.body.getReader();
  outgoing.once('close', () => void reader.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader.read();
    if (done || isOver(outgoing)) break;
    if (!outgoing.write(value)) await drained(outgoing);
  }
  if (!isOver(outgoing)) outgoing.end();
}

/** The client has taken what was sent, or is gone. */
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done).off('close', done);
      resolve();
    };
    outgoing.once('drain', done).once('close', done);
  });
}
