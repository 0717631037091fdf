/**
 * Server-sent events as both upstreams send them: `data:` lines; comments are keep-alives. Gateways
 * label them as anything, and label plain JSON as events, so that the body's beginning decides.
 */

import type { Readable } from 'node:stream';
import { createParser } from 'eventsource-parser';
import { PatientTimer } from '../../base/system/patient-timer.ts';
import { type Answer, readPieces, TooLargeError, TransportError } from './body.ts';
import { Utf8Reader } from './utf8.ts';

/**
 * `ending`: the end was announced, but what belongs to it has not come; `finishing`: everything
 * that counts is here, only a trailer may follow; `last`: nothing will.
 */
export type Expectation = 'more' | 'ending' | 'finishing' | 'last';

export interface EventReader {
  readonly maxBytes: number;
  /**
   * Takes one event's data; not whole when the body ended before the event did.
   *
   * @returns what is still to come
   */
  onData(data: string, isWhole: boolean): Expectation;
  /** A piece of a body that is no event stream, and more than white space. */
  onText(): void;
}

/** One event of more than this is an attack or a bug. */
const MAX_EVENT_CHARS = 16 * 1024 * 1024;
/** A body that is no event stream. */
const MAX_TEXT_BYTES = 32 * 1024 * 1024;
/** How long a trailer, or the end of a finished stream, is waited for. */
const TRAILER_MS = 2_000;
/** The same where the answer may go on. */
const ENDING_MS = 10_000;

const FIELDS = ['data:', 'event:', 'id:', 'retry:'] as const;

/** What a body is, by its beginning; null while that cannot be told. */
function formOf(head: string, isLabelled: boolean): 'events' | 'text' | null {
  const text = head.trimStart();
  if (text === '') return null;
  if (/^[{[<]/.test(text)) return 'text';
  if (isLabelled || text.startsWith(':')) return 'events';
  if (FIELDS.some((field) => text.startsWith(field))) return 'events';
  return FIELDS.some((field) => field.startsWith(text)) ? null : 'text';
}

/** The connection broke, as opposed to an answer that was refused for its size. */
function isBroken(error: unknown): boolean {
  return error instanceof TransportError && !(error.cause instanceof TooLargeError);
}

/** One body on its way in. */
class Reading {
  readonly #body: Readable;
  readonly #reader: EventReader;
  readonly #isLabelled: boolean;
  readonly #utf8 = new Utf8Reader();
  readonly #parser: ReturnType<typeof createParser>;
  #form: 'events' | 'text' | null = null;
  /** The beginning of which nothing can be told yet; then the text of a body that is no stream. */
  #text = '';
  #size = 0;
  #expected: Expectation = 'more';
  #isOver = false;
  #trailer: PatientTimer | null = null;

  constructor({ body, headers }: Answer, reader: EventReader) {
    this.#body = body;
    this.#reader = reader;
    // No label at all is DeepSeek's own habit with errors, and some servers' with events.
    this.#isLabelled = /^text\/event-stream\s*(;|$)/i.test(headers.get('content-type') ?? '');
    this.#parser = createParser({
      maxBufferSize: MAX_EVENT_CHARS,
      onEvent: ({ data }) => {
        if (this.#expected !== 'last') this.#expected = reader.onData(data, !this.#isOver);
      },
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') {
          throw new TransportError(new TooLargeError());
        }
      },
    });
  }

  async run(): Promise<string | null> {
    try {
      await readPieces(this.#body, (bytes) => this.#take(bytes));
      if (this.#expected === 'last') this.#release();
      else if (this.#form === 'events') this.#flush();
    } catch (error) {
      // All that counts was here; only a trailer is missing.
      const isComplete = this.#expected === 'finishing' || this.#expected === 'ending';
      if (!isComplete || !isBroken(error)) throw error;
    } finally {
      this.#trailer?.clear();
    }
    return this.#form === 'events' ? null : this.#text + this.#utf8.end();
  }

  #take(bytes: Uint8Array): 'more' | 'enough' {
    this.#size += bytes.byteLength;
    const most = this.#form === 'events' ? this.#reader.maxBytes : MAX_TEXT_BYTES;
    if (this.#size > most) throw new TransportError(new TooLargeError());
    const piece = this.#utf8.read(bytes);
    if (this.#form === 'events') return this.#feed(piece);
    this.#text += piece;
    if (this.#form === null) {
      this.#form = formOf(this.#text, this.#isLabelled);
      if (this.#form === 'events') return this.#feed(this.#text);
      // Blank lines alone, as they come while a request is queued, need not be kept.
      if (this.#form === null) this.#text = this.#text.trimStart();
    }
    if (this.#form === 'text' && /\S/.test(piece)) this.#reader.onText();
    return 'more';
  }

  #feed(piece: string): 'more' | 'enough' {
    this.#text = '';
    this.#parser.feed(piece);
    if (this.#expected === 'last') return 'enough';
    this.#trailer?.clear();
    this.#trailer = null;
    // As a rule the rest comes in this very turn, and there is nothing to wait for.
    if (this.#expected !== 'more') queueMicrotask(() => this.#awaitTrailer());
    return 'more';
  }

  /** The blank line that ends the last event is what many a server forgets. */
  #flush(): void {
    this.#isOver = true;
    this.#parser.feed('\n\n');
  }

  #awaitTrailer(): void {
    if (this.#expected === 'more' || this.#expected === 'last' || this.#body.readableEnded) return;
    const waitMs = this.#expected === 'ending' ? ENDING_MS : TRAILER_MS;
    this.#trailer ??= new PatientTimer(waitMs, () => this.#body.destroy());
  }

  /** Lets the rest flow by so that the connection can serve the next call; nobody waits for it. */
  #release(): void {
    const body = this.#body;
    if (!body.readableEnded) setTimeout(() => body.destroy(), TRAILER_MS).unref();
  }
}

/**
 * Hands every event's data to the reader until it says that nothing follows, or the body ends.
 *
 * @returns null; or the whole body, where it is no event stream
 * @throws TransportError, unless only a trailer was missing; whatever the reader throws
 */
export function readEvents(answer: Answer, reader: EventReader): Promise<string | null> {
  return new Reading(answer, reader).run();
}
