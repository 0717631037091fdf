/** Reads response bodies under a cap: nothing an upstream sends can fill the memory. */

/** The connection failed: before the answer, or in the middle of it. The cause tells how. */
export class TransportError extends Error {
  override readonly name: string = 'TransportError';

  constructor(cause: unknown) {
    super('the connection failed', { cause });
  }
}

/** More bytes than any honest answer has. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/**
 * Decoded pieces of a body as they arrive. Leaving the loop early cancels the request.
 *
 * @throws TransportError, with a TooLargeError as its cause beyond `maxBytes`
 */
async function* textChunks(response: Response, maxBytes: number): AsyncGenerator<string> {
  if (response.body === null) return;
  const decoder = new TextDecoder();
  let size = 0;
  try {
    for await (const chunk of response.body) {
      size += chunk.byteLength;
      if (size > maxBytes) throw new TooLargeError();
      const text = decoder.decode(chunk, { stream: true });
      if (text !== '') yield text;
    }
  } catch (cause) {
    throw new TransportError(cause);
  }
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}

/**
 * The whole body as text.
 *
 * @param onContent called for every piece that is more than white space: blank keep-alive lines
 *   are no sign of life
 * @throws TransportError
 */
export async function readText(
  response: Response,
  maxBytes: number,
  onContent: () => void = () => {},
): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of textChunks(response, maxBytes)) {
    if (/\S/.test(piece)) onContent();
    pieces.push(piece);
  }
  return pieces.join('');
}

/** The beginning of a body that is only looked at: an error's text. What broke off counts, too. */
export async function readStart(response: Response, maxChars: number): Promise<string> {
  let text = '';
  try {
    for await (const piece of textChunks(response, Number.POSITIVE_INFINITY)) {
      text += piece;
      if (text.length >= maxChars) break;
    }
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
  }
  return text.slice(0, maxChars);
}
