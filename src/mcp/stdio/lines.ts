/** Bytes → lines, in bounded memory. */

/** Both SDKs stop here too; a prompt and a context at their limits fit, escaped as they may be. */
export const LINE_LIMIT = 10 * 1024 * 1024;

const NEWLINE = 0x0a;

/** One line without its newline; `too long`: a line over the limit went by. */
export type Line = Buffer | 'too long';

export class LineSplitter {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #length = 0;
  /** The rest of a line over the limit goes by. */
  #isSkipping = false;

  constructor(limit: number = LINE_LIMIT) {
    this.#limit = limit;
  }

  /** The lines that end in this chunk; empty ones are none. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#append(chunk.subarray(from, end));
      lines.push(...this.end());
      from = end + 1;
    }
    this.#append(chunk.subarray(from));
    return lines;
  }

  /** What stands there unfinished: the end of input ends a line too. */
  end(): Line[] {
    const [only, ...more] = this.#parts;
    const length = this.#length;
    const wasSkipping = this.#isSkipping;
    this.#parts = [];
    this.#length = 0;
    this.#isSkipping = false;
    if (wasSkipping) return ['too long'];
    if (only === undefined) return [];
    return [more.length === 0 ? only : Buffer.concat([only, ...more], length)];
  }

  #append(part: Buffer): void {
    if (part.length === 0 || this.#isSkipping) return;
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length <= this.#limit) return;
    this.#isSkipping = true;
    this.#parts = [];
    this.#length = 0;
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** @returns null when the line is not JSON in UTF-8 */
export function parseLine(bytes: Uint8Array): { readonly value: unknown } | null {
  try {
    // The decoder takes a byte order mark away, which some Windows clients send.
    return { value: JSON.parse(strictUtf8.decode(bytes)) };
  } catch {
    return null;
  }
}

/** Blanks, tabs and carriage returns alone. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.length < 64 && bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 9);
}
