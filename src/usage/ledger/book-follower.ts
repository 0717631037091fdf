/**
 * Follows the files of a book for whoever looks again and again: only what was added is read, a
 * piece at a time, so that a long ledger holds nobody up.
 */

import type { FileHandle } from 'node:fs/promises';
import { openFile } from '../../disk/read-file.ts';
import { type Book, monthFile, monthOf, monthsOf } from './month-files.ts';
import { LineReader } from './read-ledger.ts';

const PIECE_BYTES = 64 * 1024;

interface Followed {
  readonly ino: number;
  readonly reader: LineReader;
  offset: number;
}

export class BookFollower {
  readonly #folder: string;
  readonly #book: Book;
  readonly #onLine: (line: string) => void;
  readonly #files = new Map<string, Followed>();

  /** @param onLine hears every whole line once, in the order of the files */
  constructor(folder: string, book: Book, onLine: (line: string) => void) {
    this.#folder = folder;
    this.#book = book;
    this.#onLine = onLine;
  }

  /**
   * Reads what was added to the months since an instant.
   *
   * @returns false where a file is not the one that was read before: everything has to begin anew
   */
  async read(since: number): Promise<boolean> {
    const months = await monthsOf(this.#folder, this.#book);
    const wanted = months.filter((month) => month >= monthOf(since));
    for (const month of this.#files.keys()) {
      if (month < monthOf(since)) this.#files.delete(month);
      else if (!wanted.includes(month)) return false;
    }
    for (const month of wanted) if (!(await this.#readMonth(month))) return false;
    return true;
  }

  async #readMonth(month: string): Promise<boolean> {
    const handle = await openFile(monthFile(this.#folder, this.#book, month));
    try {
      const { ino, size } = await handle.stat();
      const file = this.#files.get(month) ?? { ino, offset: 0, reader: new LineReader() };
      if (file.ino !== ino || size < file.offset) return false;
      this.#files.set(month, file);
      await this.#readRest(handle, file, size);
      return true;
    } finally {
      await handle.close();
    }
  }

  async #readRest(handle: FileHandle, file: Followed, size: number): Promise<void> {
    while (file.offset < size) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - file.offset));
      const { bytesRead } = await handle.read(piece, 0, piece.length, file.offset);
      if (bytesRead === 0) return;
      file.offset += bytesRead;
      for (const line of file.reader.push(piece.subarray(0, bytesRead))) this.#onLine(line);
    }
  }
}
