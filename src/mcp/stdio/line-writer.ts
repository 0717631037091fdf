/**
 * Messages → lines on the output, in order, counting what the reader has not taken yet. What is
 * sent within one turn of the event loop is written at once: a write to a pipe costs as much as
 * making the line.
 */

import { redactMessage } from '../../base/redaction/structure.ts';

export type Write = (text: string, done: (error?: Error | null) => void) => void;

export interface LineWriterOptions {
  readonly write: Write;
  readonly redact: (text: string) => string;
  /** The reader is gone (EPIPE) or the stream is broken; nothing more can be said. */
  readonly onBroken: () => void;
}

export class LineWriter {
  readonly #options: LineWriterOptions;
  #pending = 0;
  #lines: string[] = [];
  #isBroken = false;
  #waiting: Array<{ readonly below: number; readonly resolve: () => void }> = [];

  constructor(options: LineWriterOptions) {
    this.#options = options;
  }

  /** Characters that are sent and not yet taken. */
  get pending(): number {
    return this.#pending;
  }

  send(message: unknown): void {
    if (this.#isBroken) return;
    const line = `${redactMessage(JSON.stringify(message), this.#options.redact)}\n`;
    this.#pending += line.length;
    this.#lines.push(line);
    if (this.#lines.length === 1) setImmediate(() => this.flush());
  }

  /** Writes what is there now, when nobody else's line can come to share the write. */
  flush(): void {
    if (this.#isBroken || this.#lines.length === 0) return;
    const text = this.#lines.join('');
    this.#lines = [];
    this.#options.write(text, (error) => {
      this.#pending -= text.length;
      if (error !== undefined && error !== null) this.break();
      else this.#wake();
    });
  }

  /** Nothing more is written; who waits is let go. */
  break(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#wake();
    this.#options.onBroken();
  }

  /** Resolves when at most `below` characters are pending, or the stream is broken. */
  whenBelow(below: number): Promise<void> {
    if (this.#isBroken || this.#pending <= below) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ below, resolve }));
  }

  #wake(): void {
    const isDone = ({ below }: { below: number }) => this.#isBroken || this.#pending <= below;
    const ready = this.#waiting.filter(isDone);
    this.#waiting = this.#waiting.filter((waiter) => !isDone(waiter));
    for (const { resolve } of ready) resolve();
  }
}
