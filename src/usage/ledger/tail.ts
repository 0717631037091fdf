/** Follows a file that others append to. Synchronous: who decides about money decides on one view. */

import { closeSync, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ConfigError } from '../../base/errors.ts';
import { systemCode } from '../../base/system/system-error.ts';
import { openFileSync } from '../../disk/read-file.ts';
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

  /**
   * Hands on what was added since the last time, whole lines only.
   *
   * @throws ConfigError for what is no file, or cannot be opened: a cap that nobody can count still
   * stands
   */
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
      return openFileSync(this.#path);
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT' || systemCode(cause) === 'ENOTDIR') return null;
      throw new ConfigError(`${this.#path}, by which budgets are counted, cannot be read`, {
        cause,
        hint: 'take away what stands there, or spend without a budget: keypool-mcp budget remove',
      });
    }
  }
}
