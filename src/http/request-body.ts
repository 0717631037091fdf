/** Bodies: read once, by hand, never more than the limit. */

import type { IncomingMessage } from 'node:http';
import { parseJson } from '../base/text/json.ts';
import { decodeUtf8 } from '../base/text/strict-utf8.ts';
import { BODY_LIMIT } from './door/guard.ts';
import type { HttpExchange } from './http-exchange.ts';

/** `gone`: the client left before its body was whole; nobody reads an answer. */
export type RequestBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'none' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'bad'; readonly status: 400 | 413 | 415; readonly message: string };

function bad(status: 400 | 413 | 415, message: string): RequestBody {
  return { kind: 'bad', status, message };
}

/** Parameters such as a charset may follow; `application/json-evil` is another type. */
function isJsonType(contentType: string | undefined): boolean {
  return /^application\/json\s*(?:;|$)/i.test(contentType?.trim() ?? '');
}

/**
 * Not with an iterator, which destroys the socket where it stops, and the answer with it.
 *
 * @param limit bytes
 */
export function readBytes(
  request: IncomingMessage,
  limit: number,
): Promise<Buffer | 'too large' | 'gone'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limit) return;
      request.off('data', take).pause();
      resolve('too large');
    };
    request.on('data', take);
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('close', () => resolve('gone')).once('error', () => resolve('gone'));
  });
}

/** Reads a JSON body. A request without any body is `none`, whatever its type says. */
export async function readJson({ incoming, outgoing }: HttpExchange): Promise<RequestBody> {
  const encoding = incoming.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return bad(415, 'Compressed bodies are not accepted');
  }
  const mayHaveBody =
    incoming.headers['transfer-encoding'] !== undefined ||
    Number(incoming.headers['content-length'] ?? 0) > 0;
  if (!mayHaveBody) return { kind: 'none' };
  if (!isJsonType(incoming.headers['content-type'])) {
    return bad(415, 'The Content-Type has to be application/json');
  }
  const bytes = await readBytes(incoming, BODY_LIMIT);
  if (bytes === 'gone') return { kind: 'gone' };
  if (bytes === 'too large') {
    // What follows on this connection is the rest that nobody reads.
    outgoing.setHeader('Connection', 'close');
    return bad(413, 'The body is larger than 4 MiB');
  }
  const text = decodeUtf8(bytes);
  const parsed = text === null ? null : parseJson(text);
  return parsed === null ? bad(400, 'The body is not JSON in UTF-8') : { kind: 'json', ...parsed };
}
