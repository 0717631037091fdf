/** Bytes → lines, in bounded memory. Only a line feed ends a line: JSON may hold U+2028. */

const NEWLINE = 0x0a;

export interface LineReceiver {
  /**
   * One line without its line feed; never empty of bytes.
   *
   * @param isEnded false for a last line that the input ended in the middle of
   */
  line(bytes: Buffer, isEnded: boolean): void;
  /** The line feed of a line without a byte. */
  blank?(): void;
  /** A line over the limit began; the rest of it goes by unread. */
  oversize(): void;
}

export class LineSplitter {
  readonly #receiver: LineReceiver;
  readonly #limit: number;
  #parts: Buffer[] = [];
  #length = 0;
  #isSkipping = false;

  /** @param limit bytes of the longest line */
  constructor(receiver: LineReceiver, limit: number) {
    this.#receiver = receiver;
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#append(chunk.subarray(from, end));
      this.#endLine(true);
      from = end + 1;
    }
    this.#append(chunk.subarray(from));
  }

  /** The end of input ends a line too. */
  end(): void {
    if (this.#length > 0) this.#endLine(false);
  }

  #append(part: Buffer): void {
    if (part.length === 0 || this.#isSkipping) return;
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length <= this.#limit) return;
    this.#isSkipping = true;
    this.#parts = [];
    this.#length = 0;
    this.#receiver.oversize();
  }

  #endLine(isEnded: boolean): void {
    const [only, ...more] = this.#parts;
    const length = this.#length;
    const wasSkipped = this.#isSkipping;
    this.#parts = [];
    this.#length = 0;
    this.#isSkipping = false;
    if (wasSkipped) return;
    if (only === undefined) this.#receiver.blank?.();
    else {
      this.#receiver.line(
        more.length === 0 ? only : Buffer.concat([only, ...more], length),
        isEnded,
      );
    }
  }
}
