/** Server-sent events as both upstreams send them: `data:` lines; comments are keep-alives. */

import { createParser } from 'eventsource-parser';
import { TooLargeError, TransportError } from './body.ts';

/** `finishing`: everything that counts is here, only a trailer may follow; `last`: nothing will. */
export type Expectation = 'more' | 'finishing' | 'last';

/** One event of more than this is an attack or a bug. */
const MAX_EVENT_CHARS = 16 * 1024 * 1024;
/** How long a trailer, or the end of a finished stream, is waited for. */
const TRAILER_MS = 2_000;

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Reads what is left so that the connection can serve the next call; nobody waits for it. */
async function release(reader: Reader): Promise<void> {
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), TRAILER_MS);
  timer.unref();
  try {
    while (!(await reader.read()).done);
  } catch {
    // The answer is complete; how its connection ended no longer matters.
  } finally {
    clearTimeout(timer);
  }
}

/** The next bytes; null at the end, and when the connection broke with all that counts here. */
async function next(reader: Reader, expected: Expectation): Promise<Uint8Array | null> {
  try {
    const { done, value } = await reader.read();
    return done ? null : value;
  } catch (cause) {
    if (expected === 'finishing') return null;
    throw new TransportError(cause);
  }
}

/**
 * Hands every event's data to `onData` until it says that nothing follows, or the body ends.
 *
 * @throws TransportError, unless only a trailer was missing; whatever `onData` throws
 */
export async function readEvents(
  response: Response,
  maxBytes: number,
  onData: (data: string) => Expectation,
): Promise<void> {
  if (response.body === null) return;
  const reader: Reader = response.body.getReader();
  const decoder = new TextDecoder();
  // An object, for it changes inside a callback.
  const state: { expected: Expectation } = { expected: 'more' };
  let size = 0;
  let trailer: NodeJS.Timeout | null = null;
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
    for (;;) {
      const bytes = await next(reader, state.expected);
      if (bytes === null) return;
      size += bytes.byteLength;
      if (size > maxBytes) throw new TransportError(new TooLargeError());
      parser.feed(decoder.decode(bytes, { stream: true }));
      if (state.expected === 'last') return void release(reader);
      if (state.expected === 'finishing') {
        trailer ??= setTimeout(() => void reader.cancel().catch(() => {}), TRAILER_MS);
      }
    }
  } catch (error) {
    void reader.cancel().catch(() => {});
    throw error;
  } finally {
    if (trailer !== null) clearTimeout(trailer);
  }
}
