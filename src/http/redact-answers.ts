/** The one way out of the HTTP server: every body that is made here passes it, streams as well. */

import { StringDecoder } from 'node:string_decoder';
import { redactMessage } from '../base/redaction/structure.ts';

type Redact = (text: string) => string;

/** The page's own files hold no data, and are the same for everybody. */
const FILES = /^(?:text\/(?:html|css|javascript)|image\/)/;

function redactEvent(event: string, redact: Redact): string {
  if (redact(event) === event) return event;
  const lines = event.split('\n').map((line) => {
    const data = /^data: ?(\{.*\})$/.exec(line)?.[1];
    return data === undefined ? redact(line) : `data: ${redactMessage(data, redact)}`;
  });
  return lines.join('\n');
}

/** Server-sent events as they come, each of them as a whole. */
export class EventRedactor {
  readonly #redact: Redact;
  // A TextDecoder takes twice the time: one that streams opens a converter of ICU.
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(redact: Redact) {
    this.#redact = redact;
  }

  /** @returns the events that are whole by now */
  push(chunk: Uint8Array): string {
    const events = (this.#rest + this.#decoder.write(chunk)).split('\n\n');
    this.#rest = events.pop() ?? '';
    return events.map((event) => `${redactEvent(event, this.#redact)}\n\n`).join('');
  }

  /** @returns what stands there unfinished */
  end(): string {
    return this.#redact(this.#rest);
  }
}

/** A body that is no stream, without secrets; a JSON-RPC message keeps its id. */
export function redactBody(text: string, type: string, redact: Redact): string {
  const isJson = type.startsWith('application/json') && text !== '';
  return isJson ? redactMessage(text, redact) : redact(text);
}

/** The answer without secrets. */
export async function redactAnswer(answer: Response, redact: Redact): Promise<Response> {
  const type = answer.headers.get('content-type') ?? '';
  if (answer.body === null || FILES.test(type)) return answer;
  return new Response(redactBody(await answer.text(), type, redact), answer);
}
