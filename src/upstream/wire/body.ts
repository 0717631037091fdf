/** Reads answers' bodies under a cap: nothing an upstream sends can fill the memory. */

import type { Readable } from 'node:stream';
import { Utf8Reader } from './utf8.ts';

/** Takes the next piece, and says whether another one is wanted. */
export type Take = (bytes: Uint8Array) => 'more' | 'enough';

/** One answer of an upstream, its body unread. */
export interface Answer {
  readonly status: number;
  /** 200 to 299. */
  readonly ok: boolean;
  readonly headers: AnswerHeaders;
  /** Destroying it ends the request. */
  readonly body: Readable;
}

export interface AnswerHeaders {
  /** Whatever the name's case. */
  get(name: string): string | null;
}

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
 * Hands the pieces to `take` until it has enough or the body ends; what comes after that flows by,
 * so that the connection can serve the next call.
 *
 * @throws TransportError when the connection breaks, or the body was destroyed; whatever `take`
 *   throws, and then the request is cancelled
 */
export function readPieces(body: Readable, take: Take): Promise<void> {
  return new Promise((resolve, reject) => {
    let isSettled = false;
    const settle = (end: () => void): void => {
      if (!isSettled) end();
      isSettled = true;
    };
    const onClose = (): void =>
      settle(() => reject(new TransportError(body.errored ?? new Error('the body was closed'))));
    body.on('data', (bytes: Uint8Array) => {
      if (isSettled) return;
      try {
        if (take(bytes) === 'enough') settle(resolve);
      } catch (error) {
        settle(() => reject(error));
        body.destroy();
      }
    });
    body.once('end', () => settle(resolve));
    body.once('error', (cause) => settle(() => reject(new TransportError(cause))));
    body.once('close', onClose);
    if (body.destroyed) onClose();
  });
}

/**
 * The whole body as text.
 *
 * @param onContent called for every piece that is more than white space: blank keep-alive lines
 *   are no sign of life
 * @throws TransportError
 */
export async function readText(
  { body }: Answer,
  maxBytes: number,
  onContent: () => void = () => {},
): Promise<string> {
  const reader = new Utf8Reader();
  let text = '';
  let size = 0;
  await readPieces(body, (bytes) => {
    size += bytes.byteLength;
    if (size > maxBytes) throw new TransportError(new TooLargeError());
    const piece = reader.read(bytes);
    if (/\S/.test(piece)) onContent();
    text += piece;
    return 'more';
  });
  return text + reader.end();
}

/** The beginning of a body that is only looked at: an error's text. What broke off counts, too. */
export async function readStart({ body }: Answer, maxChars: number): Promise<string> {
  const reader = new Utf8Reader();
  let text = '';
  try {
    await readPieces(body, (bytes) => {
      text += reader.read(bytes);
      return text.length < maxChars ? 'more' : 'enough';
    });
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
  }
  body.destroy();
  return text.slice(0, maxChars);
}
