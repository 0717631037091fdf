/**
 * JSON lines over one socket, bounded every way: how long a line is, how many may come at once, how
 * much waits for a peer that does not read, how fast we read. Whoever exceeds one loses his
 * connection, or waits; nobody else notices.
 */

import type { Socket } from 'node:net';
import { parseJson } from '../../base/text/json.ts';
import { LineSplitter } from '../../base/text/line-splitter.ts';

/** Hundreds of accounts with several models each stay far below it. */
const MAX_LINE_BYTES = 1024 * 1024;
/** An honest peer has one exchange under way, and after our own sleep perhaps a few more. */
const MAX_LINES_AT_ONCE = 16;
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
/** A line costs at least so much of the reading that a peer is allowed. */
const LINE_COST_BYTES = 4 * 1024;
/** Read in this time, then a pause of as long: a flood takes no more than its part of our time. */
const READ_BYTES = 1024 * 1024;
const READ_WINDOW_MS = 100;

export interface ChannelEvents {
  /** One message, not looked at yet. What it throws ends the connection. */
  message(value: unknown): void;
  /**
   * Once, whoever ended it.
   *
   * @param error what the peer did wrong; null when the connection just ended
   */
  closed(error: unknown): void;
}

export class Channel {
  readonly #socket: Socket;
  readonly #events: ChannelEvents;
  readonly #splitter: LineSplitter;
  #lines = 0;
  #spent = 0;
  #windowAt = 0;
  #pause: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(socket: Socket, events: ChannelEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#splitter = new LineSplitter(
      {
        line: (bytes, isEnded) => this.#line(bytes, isEnded),
        oversize: () => this.close(new RangeError('a line that is too long')),
      },
      MAX_LINE_BYTES,
    );
    // Never what keeps a process alive.
    socket.unref();
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
    // A peer that ended its half has nothing more to ask.
    socket.on('end', () => this.close());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(value: unknown): void {
    if (this.#isClosed) return;
    this.#socket.write(`${JSON.stringify(value)}\n`);
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) this.close();
  }

  close(error: unknown = null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#socket.destroy();
    this.#events.closed(error);
  }

  #read(chunk: Buffer): void {
    if (this.#isClosed) return;
    this.#lines = 0;
    const now = performance.now();
    if (now - this.#windowAt > READ_WINDOW_MS) {
      this.#windowAt = now;
      this.#spent = 0;
    }
    this.#spent += chunk.length;
    this.#splitter.push(chunk);
    if (this.#spent > READ_BYTES) this.#rest();
  }

  #rest(): void {
    if (this.#isClosed || this.#pause !== null) return;
    this.#socket.pause();
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.#socket.resume();
    }, READ_WINDOW_MS).unref();
  }

  #line(bytes: Buffer, isEnded: boolean): void {
    if (this.#isClosed || !isEnded) return;
    this.#lines += 1;
    this.#spent += LINE_COST_BYTES;
    try {
      if (this.#lines > MAX_LINES_AT_ONCE) throw new RangeError('too many messages at once');
      const parsed = parseJson(bytes.toString());
      if (parsed === null) throw new TypeError('a message that is no JSON');
      this.#events.message(parsed.value);
    } catch (error) {
      this.close(error);
    }
  }
}
