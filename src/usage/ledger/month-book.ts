/**
 * Appends lines to the file of their month. Many processes do so at once: every write is whole
 * lines, and O_APPEND puts each behind the one before. Nobody waits for it.
 */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { makeFolder } from '../../disk/make-folder.ts';
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
}

interface OpenMonth {
  readonly month: string;
  readonly handle: FileHandle;
}

const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;

export class MonthBook {
  readonly #options: BookOptions;
  #lines: Line[] = [];
  #writing: Promise<void> | null = null;
  #open: OpenMonth | null = null;
  /** The file may end in a stump: the next write begins with a line's end. */
  #needsBreak = false;
  #isTroubled = false;
  #notBefore = 0;

  constructor(options: BookOptions) {
    this.#options = options;
  }

  /** Returns at once; the line is on its way to the disk. */
  append(month: string, text: string): void {
    this.#lines.push({ month, text });
    if (this.#lines.length > MOST_KEPT) this.#lines.shift();
    if (this.#notBefore > this.#options.now()) return;
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = null;
    });
  }

  /** Resolves when everything so far is written, or cannot be. */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
    if (this.#lines.length === 0) return;
    await this.#drain();
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#open?.handle.close().catch(() => {});
    this.#open = null;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#lines.length > 0) await this.#writeSome();
      if (this.#isTroubled) this.#options.onTrouble(null);
      this.#isTroubled = false;
      this.#notBefore = 0;
    } catch (error) {
      this.#notBefore = this.#options.now() + RETRY_MS;
      this.#needsBreak = true;
      if (!this.#isTroubled) this.#options.onTrouble(error);
      this.#isTroubled = true;
    }
  }

  /** The next lines of one month, in one write. */
  async #writeSome(): Promise<void> {
    const batch = this.#takeBatch();
    const texts = batch.map(({ text }) => Buffer.from(`${text}\n`));
    let written = 0;
    try {
      const handle = await this.#handleOf(batch[0]?.month ?? '');
      const start = this.#needsBreak ? [Buffer.from('\n')] : [];
      const chunk = Buffer.concat([...start, ...texts]);
      const { bytesWritten } = await handle.write(chunk);
      written = bytesWritten - (chunk.length - sizeOf(texts));
      if (bytesWritten < chunk.length) throw new PartlyWritten();
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

  async #handleOf(month: string): Promise<FileHandle> {
    // A file that somebody removed meanwhile is written for nobody.
    const isThere = this.#open?.month === month && (await this.#open.handle.stat()).nlink > 0;
    if (this.#open !== null && isThere) return this.#open.handle;
    await this.#open?.handle.close().catch(() => {});
    this.#open = null;
    const { folder, book, now } = this.#options;
    await makeFolder(folder);
    const handle = await open(monthFile(folder, book, month), APPEND, 0o600);
    this.#open = { month, handle };
    this.#needsBreak = await endsInStump(handle);
    await removeOldMonths(folder, now()).catch(() => {});
    return handle;
  }
}

function sizeOf(texts: readonly Buffer[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

/** The disk took a part of it: what a full one does first. */
class PartlyWritten extends Error {
  readonly code = 'ENOSPC';
}

/** True for a file whose last writer was killed in the middle of its line. */
async function endsInStump(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== NEWLINE;
}
