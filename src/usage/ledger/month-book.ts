/**
 * Appends lines to the file of their month. Many processes do so at once: every write is whole
 * lines, and O_APPEND puts each behind the one before.
 *
 * A call's lines are written before its result is given, in one write: what a client was told is
 * on record, whatever becomes of the process a moment later. That takes some microseconds of the
 * page cache. What belongs to no ended call goes out in the turn after the one in which it came;
 * through the thread pool a busy machine lost forty lines of a killed process.
 */

import { closeSync, constants, fstatSync, mkdirSync, readSync, writeSync } from 'node:fs';
import { openFileSync } from '../../disk/read-file.ts';
import { type Book, monthFile, removeOldMonths } from './month-files.ts';

/** Lines kept for a disk that is full or away; the oldest go when there are more. */
const MOST_KEPT = 10_000;
/** As much goes out in one write. */
const MOST_BYTES = 64 * 1024;
const RETRY_MS = 2_000;
const NEWLINE = 0x0a;

export interface BookOptions {
  readonly folder: string;
  readonly book: Book;
  readonly now: () => number;
  /** Called once when writing begins to fail, with the system's error, and once when it works again (null). */
  readonly onTrouble: (error: unknown) => void;
}

interface Line {
  readonly month: string;
  readonly text: string;
  /** Called once, when the line is on the disk or the first write of it has failed. */
  readonly onSettled: () => void;
}

interface OpenMonth {
  readonly month: string;
  readonly file: number;
}

const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;

/** The disk took a part of it: what a full one does first. */
class PartlyWritten extends Error {
  readonly code = 'ENOSPC';
}

export class MonthBook {
  readonly #options: BookOptions;
  #lines: Line[] = [];
  #next: NodeJS.Immediate | null = null;
  #open: OpenMonth | null = null;
  /** The file may end in a stump: the next write begins with a line's end. */
  #needsBreak = false;
  #isTroubled = false;
  #notBefore = 0;

  constructor(options: BookOptions) {
    this.#options = options;
  }

  /** @returns resolves when the line is written, or could not be at the first try; never rejects */
  append(month: string, text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#lines.push({ month, text, onSettled: resolve });
      if (this.#lines.length > MOST_KEPT) this.#lines.shift()?.onSettled();
      this.#next ??= setImmediate(() => {
        this.#next = null;
        if (this.#notBefore > performance.now()) this.#release(this.#lines);
        else this.flush();
      });
    });
  }

  /** Writes what waits for its turn. A disk that refuses is not asked with every call. */
  settle(): void {
    if (this.#lines.length > 0 && this.#notBefore <= performance.now()) this.flush();
  }

  /** Writes everything that there is, as far as the disk lets it. */
  flush(): void {
    try {
      while (this.#lines.length > 0) this.#writeSome();
      if (this.#isTroubled) this.#options.onTrouble(null);
      this.#isTroubled = false;
      this.#notBefore = 0;
    } catch (error) {
      this.#notBefore = performance.now() + RETRY_MS;
      this.#needsBreak = true;
      if (!this.#isTroubled) this.#options.onTrouble(error);
      this.#isTroubled = true;
    }
  }

  close(): void {
    this.flush();
    this.#closeFile();
  }

  #release(lines: readonly Line[]): void {
    for (const { onSettled } of lines) onSettled();
  }

  /** The next lines of one month, in one write. */
  #writeSome(): void {
    const batch = this.#takeBatch();
    const texts = batch.map(({ text }) => Buffer.from(`${text}\n`));
    let written = 0;
    try {
      const file = this.#fileOf(batch[0]?.month ?? '');
      const start = this.#needsBreak ? [Buffer.from('\n')] : [];
      const chunk = Buffer.concat([...start, ...texts]);
      const bytes = writeSync(file, chunk);
      written = bytes - (chunk.length - sizeOf(texts));
      if (bytes < chunk.length) throw new PartlyWritten();
      this.#needsBreak = false;
    } catch (error) {
      // What got through whole must not be there twice.
      let end = 0;
      const missing = batch.filter((_, at) => {
        end += texts[at]?.length ?? 0;
        return end > written;
      });
      this.#lines = [...missing, ...this.#lines].slice(-MOST_KEPT);
      throw error;
    } finally {
      this.#release(batch);
    }
  }

  #takeBatch(): Line[] {
    const month = this.#lines[0]?.month;
    let bytes = 0;
    const end = this.#lines.findIndex((line, at) => {
      bytes += Buffer.byteLength(line.text) + 1;
      return line.month !== month || (at > 0 && bytes > MOST_BYTES);
    });
    return this.#lines.splice(0, end === -1 ? this.#lines.length : end);
  }

  #fileOf(month: string): number {
    // A file that somebody removed meanwhile is written for nobody.
    const isThere = this.#open?.month === month && fstatSync(this.#open.file).nlink > 0;
    if (this.#open !== null && isThere) return this.#open.file;
    this.#closeFile();
    const { folder, book, now } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = openFileSync(monthFile(folder, book, month), APPEND);
    this.#open = { month, file };
    this.#needsBreak = endsInStump(file);
    removeOldMonths(folder, now()).catch(() => {});
    return file;
  }

  #closeFile(): void {
    if (this.#open !== null) closeSync(this.#open.file);
    this.#open = null;
  }
}

function sizeOf(texts: readonly Buffer[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

/** True for a file whose last writer was killed in the middle of its line. */
function endsInStump(file: number): boolean {
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
}
