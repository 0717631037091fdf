/** Bodies: read once, by hand, never more than the limit. */

import type { IncomingMessage } from 'node:http';
import { BODY_LIMIT } from './guard.ts';

export type Body =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'none' }
  | { readonly kind: 'bad'; readonly status: 400 | 413 | 415; readonly message: string };

function bad(status: 400 | 413 | 415, message: string): Body {
  return { kind: 'bad', status, message };
}

/** Parameters such as a charset may follow; `application/json-evil` is another type. */
function isJsonType(contentType: string | undefined): boolean {
  return /^application\/json\s*(?:;|$)/i.test(contentType?.trim() ?? '');
}

async function readAll(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > BODY_LIMIT) return null;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a JSON body. A request without any body is `none`, whatever its type says. */
export async function readJson(request: IncomingMessage): Promise<Body> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return bad(415, 'Compressed bodies are not accepted');
  }
  const mayHaveBody =
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length'] ?? 0) > 0;
  if (!mayHaveBody) return { kind: 'none' };
  if (!isJsonType(request.headers['content-type'])) {
    return bad(415, 'The Content-Type has to be application/json');
  }
  const bytes = await readAll(request);
  if (bytes === null) return bad(413, 'The body is larger than 4 MiB');
  try {
    return { kind: 'json', value: JSON.parse(strictUtf8.decode(bytes)) };
  } catch {
    return bad(400, 'The body is not JSON in UTF-8');
  }
}
