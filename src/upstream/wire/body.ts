/** Reads answers' bodies under a cap: nothing an upstream sends can fill the memory. */

import { Utf8Reader } from './utf8.ts';

/** Takes the next piece, and says whether another one is wanted. */
export type Take = (bytes: Uint8Array) => 'more' | 'enough';

/** What an answer brings, as it arrives. It may be left, or destroyed, at any time. */
export interface Body {
  /**
   * Hands the pieces to `take` until it has enough or the body ends; what comes after that flows
   * by. To be called once.
   *
   * @throws TransportError when the connection breaks, or was ended by `destroy`; whatever `take`
   *   throws, and then the request is cancelled
   */
  read(take: Take): Promise<void>;
  /** Nothing more will come. */
  readonly isOver: boolean;
  /** Cancels the request, unless it is over. */
  destroy(): void;
}

/** One answer of an upstream, its body unread. */
export interface Answer {
  readonly status: number;
  /** 200 to 299. */
  readonly ok: boolean;
  readonly headers: AnswerHeaders;
  readonly body: Body;
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
  await body.read((bytes) => {
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
    await body.read((bytes) => {
      text += reader.read(bytes);
      return text.length < maxChars ? 'more' : 'enough';
    });
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
  }
  body.destroy();
  return text.slice(0, maxChars);
}
