/** The one way out of the HTTP server: every body that is made here passes it, streams as well. */

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

/** Server-sent events, each of them as a whole. */
function redactEvents(redact: Redact): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let rest = '';
  return new TransformStream({
    transform(chunk, controller) {
      const events = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = events.pop() ?? '';
      if (events.length === 0) return;
      const clean = events.map((event) => `${redactEvent(event, redact)}\n\n`);
      controller.enqueue(encoder.encode(clean.join('')));
    },
    flush(controller) {
      if (rest !== '') controller.enqueue(encoder.encode(redact(rest)));
    },
  });
}

/** The answer without secrets, a stream event by event; a JSON-RPC message keeps its id. */
export async function redactAnswer(answer: Response, redact: Redact): Promise<Response> {
  const type = answer.headers.get('content-type') ?? '';
  if (answer.body === null || FILES.test(type)) return answer;
  if (type.startsWith('text/event-stream')) {
    return new Response(answer.body.pipeThrough(redactEvents(redact)), answer);
  }
  const text = await answer.text();
  const isJson = type.startsWith('application/json') && text !== '';
  return new Response(isJson ? redactMessage(text, redact) : redact(text), answer);
}
