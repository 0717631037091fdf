/** Bytes → lines, in bounded memory. */

import { TopLevelId } from './top-level-id.ts';

/** Both SDKs stop here too; a prompt and a context at their limits fit, escaped as they may be. */
export const LINE_LIMIT = 10 * 1024 * 1024;

const NEWLINE = 0x0a;

export interface LineReceiver {
  /** One line without its newline; never empty of bytes. */
  line(bytes: Buffer): void;
  /** A line over the limit went by; `id` is its top-level id where one could be read. */
  oversize(id: string | number | null): void;
}

export class LineSplitter {
  readonly #receiver: LineReceiver;
  readonly #limit: number;
  #parts: Buffer[] = [];
  #length = 0;
  /** Set while the rest of a line over the limit goes by. */
  #skipped: TopLevelId | null = null;

  constructor(receiver: LineReceiver, limit: number = LINE_LIMIT) {
    this.#receiver = receiver;
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#append(chunk.subarray(from, end));
      this.#endLine();
      from = end + 1;
    }
    this.#append(chunk.subarray(from));
  }

  /** The end of input ends a line too. */
  end(): void {
    this.#endLine();
  }

  #append(part: Buffer): void {
    if (part.length === 0) return;
    if (this.#skipped !== null) {
      this.#skipped.push(part);
      return;
    }
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length <= this.#limit) return;
    this.#skipped = new TopLevelId();
    for (const kept of this.#parts) this.#skipped.push(kept);
    this.#parts = [];
    this.#length = 0;
  }

  #endLine(): void {
    const skipped = this.#skipped;
    const [only, ...more] = this.#parts;
    this.#skipped = null;
    this.#parts = [];
    const length = this.#length;
    this.#length = 0;
    if (skipped !== null) this.#receiver.oversize(skipped.id);
    else if (only !== undefined) {
      this.#receiver.line(more.length === 0 ? only : Buffer.concat([only, ...more], length));
    }
  }
}
