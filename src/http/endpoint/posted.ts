/** What a POST holds: one message, or a batch of them. */

import {
  type ClientMessage,
  errorReply,
  INVALID_REQUEST,
  type Incoming,
  type RequestId,
  readMessage,
} from '../../mcp/json-rpc.ts';

export function reply(status: number, code: number, message: string): Response {
  return Response.json(errorReply(null, code, message), { status });
}

export function postedId(message: ClientMessage): RequestId[] {
  return 'method' in message && 'id' in message ? [message.id] : [];
}

/** A body is one message, or a batch of them. */
export type Posted = ClientMessage | readonly ClientMessage[];

export function isBatch(posted: Posted): posted is readonly ClientMessage[] {
  return Array.isArray(posted);
}

/** What is to be served of a body; or the answer to it, when that is nothing. */
export function readPosted(body: unknown): Posted | Response {
  if (!Array.isArray(body)) return readSingle(readMessage(body));
  const read = body.map((entry) => readSingle(readMessage(entry)));
  const refusal = read.find((each) => each instanceof Response && each.status !== 202);
  if (refusal instanceof Response) return refusal;
  const messages = read.flatMap((each) => (each instanceof Response ? [] : [each]));
  if (messages.length > 0) return messages;
  return body.length > 0
    ? accepted()
    : reply(400, INVALID_REQUEST, 'Invalid request: the batch is empty');
}

function readSingle(incoming: Incoming): ClientMessage | Response {
  if (incoming.kind === 'nothing') return accepted();
  if (incoming.kind === 'bad') return Response.json(incoming.reply, { status: 400 });
  return incoming.message;
}

function accepted(): Response {
  return new Response(null, { status: 202 });
}
