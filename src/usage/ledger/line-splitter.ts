/** Bytes in, whole lines out. What is too long to be a line of ours is dropped, not kept. */

const NEWLINE = 0x0a;
const MAX_LINE_BYTES = 64 * 1024;

export class LineSplitter {
  #rest: Buffer[] = [];
  #restBytes = 0;
  #isTooLong = false;

  /** The lines that end in this chunk; an overlong one as an empty text with a mark. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, end));
      lines.push(this.#take());
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
    return lines;
  }

  /** What stands after the last line's end; empty when the file ends as it should. */
  rest(): string {
    return this.#take();
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#restBytes += part.length;
    if (this.#restBytes > MAX_LINE_BYTES) {
      this.#isTooLong = true;
      this.#rest = [];
    } else this.#rest.push(Buffer.from(part));
  }

  #take(): string {
    // A mark that no reader takes for an entry, so that it is counted as unreadable.
    const line = this.#isTooLong ? '(too long)' : Buffer.concat(this.#rest).toString('utf8');
    this.#rest = [];
    this.#restBytes = 0;
    this.#isTooLong = false;
    return line;
  }
}
