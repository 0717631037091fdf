/** Follows a file that others append to. Synchronous: who decides about money decides on one view. */

import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemCode } from '../../base/system/system-error.ts';
import { LineReader } from './read-ledger.ts';

/** Of all tails: each hands on what it read before the next one reads. */
const chunk = Buffer.allocUnsafe(64 * 1024);

export class Tail {
  readonly #path: string;
  readonly #onLine: (line: string) => void;
  #file: number | null = null;
  #offset = 0;
  #reader = new LineReader();

  constructor(path: string, onLine: (line: string) => void) {
    this.#path = path;
    this.#onLine = onLine;
  }

  /** Hands on what was added since the last time, whole lines only. */
  read(): void {
    while (this.#readPiece());
  }

  /** The same a piece at a time, for a file of which much is to be read: others have their turn. */
  async catchUp(): Promise<void> {
    while (this.#readPiece()) await nextTurn();
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  /** @returns whether there is more */
  #readPiece(): boolean {
    this.#file ??= this.#open();
    if (this.#file === null) return false;
    // Asking for the size first would take longer than reading nothing.
    const length = readSync(this.#file, chunk, 0, chunk.length, this.#offset);
    this.#offset += length;
    for (const line of this.#reader.push(chunk.subarray(0, length))) this.#onLine(line);
    return length === chunk.length;
  }

  #open(): number | null {
    try {
      return openSync(this.#path, 'r');
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
      throw error;
    }
  }
}
