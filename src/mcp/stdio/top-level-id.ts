/**
 * Reads the top-level `id` of a JSON object as its bytes pass by, without keeping them: a message
 * that is too long to be parsed can still be answered.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x7b, 0x5b]);
const CLOSE = new Set([0x7d, 0x5d]);
const COLON = 0x3a;
const COMMA = 0x2c;
const SPACE = 0x20;
/** An id longer than this is not worth echoing. */
const ID_LIMIT = 256;

export class TopLevelId {
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Bytes of the key or of the id's value that is being read, at depth 1. */
  #text: number[] = [];
  #isId = false;
  #id: string | number | null = null;

  /** The id as far as it was read; null while there is none. */
  get id(): string | number | null {
    return this.#id;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.#next(byte);
  }

  #next(byte: number): void {
    if (this.#inString) this.#inside(byte);
    else if (byte === QUOTE) {
      this.#inString = true;
      this.#keep(byte);
    } else if (OPEN.has(byte)) this.#depth++;
    else if (CLOSE.has(byte)) this.#close();
    else if (this.#depth === 1) this.#between(byte);
  }

  #inside(byte: number): void {
    this.#keep(byte);
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  /** Outside strings in the outermost object: a key ends at a colon, a value at a comma. */
  #between(byte: number): void {
    if (byte === COLON) {
      this.#isId = this.#take() === '"id"';
    } else if (byte === COMMA) {
      this.#endValue();
    } else if (byte > SPACE) {
      this.#keep(byte);
    }
  }

  #close(): void {
    if (this.#depth === 1) this.#endValue();
    this.#depth--;
  }

  #endValue(): void {
    const text = this.#take();
    if (this.#isId) this.#id = idOf(text);
    this.#isId = false;
  }

  #keep(byte: number): void {
    if (this.#depth === 1 && this.#text.length < ID_LIMIT) this.#text.push(byte);
  }

  #take(): string {
    const text = Buffer.from(this.#text).toString('utf8');
    this.#text = [];
    return text;
  }
}

function idOf(text: string): string | number | null {
  if (/^-?\d{1,16}$/.test(text)) return Number(text);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}
