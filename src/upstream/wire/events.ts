/** Server-sent events as both upstreams send them: `data:` lines; comments are keep-alives. */

import type { Readable } from 'node:stream';
import { createParser } from 'eventsource-parser';
import { type Answer, readPieces, TooLargeError, TransportError } from './body.ts';
import { Utf8Reader } from './utf8.ts';

/** `finishing`: everything that counts is here, only a trailer may follow; `last`: nothing will. */
export type Expectation = 'more' | 'finishing' | 'last';

/** One event of more than this is an attack or a bug. */
const MAX_EVENT_CHARS = 16 * 1024 * 1024;
/** How long a trailer, or the end of a finished stream, is waited for. */
const TRAILER_MS = 2_000;

/** Lets the rest flow by so that the connection can serve the next call; nobody waits for it. */
function release(body: Readable): void {
  if (!body.readableEnded) setTimeout(() => body.destroy(), TRAILER_MS).unref();
}

/** The connection broke, as opposed to an answer that was refused for its size. */
function isBroken(error: unknown): boolean {
  return error instanceof TransportError && !(error.cause instanceof TooLargeError);
}

/**
 * Hands every event's data to `onData` until it says that nothing follows, or the body ends.
 *
 * @throws TransportError, unless only a trailer was missing; whatever `onData` throws
 */
export async function readEvents(
  { body }: Answer,
  maxBytes: number,
  onData: (data: string) => Expectation,
): Promise<void> {
  const reader = new Utf8Reader();
  // An object, for it changes inside a callback.
  const state: { expected: Expectation } = { expected: 'more' };
  let size = 0;
  let trailer: NodeJS.Timeout | null = null;
  /** As a rule it comes in this very turn, and there is nothing to wait for. */
  const awaitTrailer = (): void => {
    if (state.expected === 'finishing') {
      trailer ??= setTimeout(() => body.destroy(), TRAILER_MS);
    }
  };
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: ({ data }) => {
      if (state.expected !== 'last') state.expected = onData(data);
    },
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') throw new TransportError(new TooLargeError());
    },
  });
  try {
    await readPieces(body, (bytes) => {
      size += bytes.byteLength;
      if (size > maxBytes) throw new TransportError(new TooLargeError());
      parser.feed(reader.read(bytes));
      if (state.expected === 'last') return 'enough';
      if (state.expected === 'finishing') queueMicrotask(awaitTrailer);
      return 'more';
    });
    if (state.expected === 'last') release(body);
  } catch (error) {
    // All that counts was here; only a trailer is missing.
    if (state.expected !== 'finishing' || !isBroken(error)) throw error;
  } finally {
    if (trailer !== null) clearTimeout(trailer);
  }
}
