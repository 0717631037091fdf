/** One request and its answer: node's form of it, and the web's, which the SDKs speak. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { EventRedactor, redactBody } from './redact-answers.ts';

type Redact = (text: string) => string;

/** As node gives them; hono's node server hands them to every handler. */
export interface HttpExchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** Of the connection, not of the answer: node writes them as the client wants them. */
const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding']);

export function headerOf({ incoming }: HttpExchange, name: string): string | null {
  const value = incoming.headers[name];
  return value === undefined ? null : String(value);
}

/** Fires when the client leaves before its answer is out. */
export function whenLeft({ outgoing }: HttpExchange): AbortSignal {
  const left = new AbortController();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) left.abort();
  });
  return left.signal;
}

/**
 * The request without its body, which is read by hand.
 *
 * @param changed headers to replace
 * @param signal left out where nobody listens: a request that can be aborted costs more
 */
export function webRequest(
  { incoming }: HttpExchange,
  changed: Readonly<Record<string, string>>,
  signal: AbortSignal | null = null,
): Request {
  const given = Object.entries({ ...incoming.headers, ...changed });
  const headers = Object.fromEntries(
    given.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
  const url = `http://${incoming.headers.host}${incoming.url}`;
  return new Request(url, { method: incoming.method ?? 'GET', headers, signal });
}

/** A client whose first event is that far away learns by then that it is served. */
const HEADERS_AFTER_MS = 1_000;

/**
 * Events on their way out. A write costs more than making the event, so that what comes within one
 * turn of the event loop is one write, headers and end included.
 */
class EventWriter {
  readonly #outgoing: ServerResponse;
  readonly #headers: NodeJS.Timeout;
  #held = '';
  #turn: NodeJS.Immediate | undefined;

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
    this.#headers = setTimeout(() => outgoing.flushHeaders(), HEADERS_AFTER_MS);
  }

  get isOver(): boolean {
    return this.#outgoing.destroyed || this.#outgoing.writableEnded;
  }

  write(events: string): void {
    this.#held += events;
    this.#turn ??= setImmediate(() => {
      const text = this.#take();
      if (!this.isOver && text !== '') this.#outgoing.write(text);
    });
  }

  end(): void {
    const text = this.#take();
    if (!this.isOver) this.#outgoing.end(text);
  }

  #take(): string {
    clearTimeout(this.#headers);
    clearImmediate(this.#turn);
    this.#turn = undefined;
    const text = this.#held;
    this.#held = '';
    return text;
  }
}

async function sendEvents(
  { incoming, outgoing }: HttpExchange,
  body: ReadableStream<Uint8Array>,
  redact: Redact,
): Promise<void> {
  // Who only listens may wait for the first event for ever.
  if (incoming.method === 'GET') outgoing.flushHeaders();
  const writer = new EventWriter(outgoing);
  const events = new EventRedactor(redact);
  const reader = body.getReader();
  // The source is told that nobody listens.
  outgoing.once('close', () => void reader.cancel().catch(() => {}));
  for (;;) {
    if (outgoing.writableNeedDrain) await drained(outgoing);
    const { done, value } = await reader.read();
    if (done || writer.isOver) break;
    writer.write(events.push(value));
  }
  writer.write(events.end());
  writer.end();
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

/** Sends the answer as it comes, without secrets. */
export async function sendAnswer(
  exchange: HttpExchange,
  answer: Response,
  redact: Redact,
): Promise<void> {
  const { outgoing } = exchange;
  outgoing.statusCode = answer.status;
  for (const [name, value] of answer.headers) {
    if (!HOP_BY_HOP.has(name)) outgoing.setHeader(name, value);
  }
  const type = answer.headers.get('content-type') ?? '';
  if (answer.body !== null && type === 'text/event-stream') {
    await sendEvents(exchange, answer.body, redact);
  } else outgoing.end(redactBody(await answer.text(), type, redact));
}
