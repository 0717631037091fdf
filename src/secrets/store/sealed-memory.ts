/**
 * The home folder remembers which of its stores were v2. A legacy file in the place of one of them
 * would undo what v2 refuses: values swapped between names, entries rolled back.
 */

import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { DiskError, KeyStoreError } from '../../base/errors.ts';
import { parseRecord } from '../../base/text/json.ts';
import { withFileLock } from '../../disk/file-lock.ts';
import { resolveLinks } from '../../disk/links.ts';
import { readWholeFile } from '../../disk/read-file.ts';
import { replaceFile } from '../../disk/replace-file.ts';

const FILE_NAME = 'v2-stores.json';
const MAX_BYTES = 1024 * 1024;
/** Another process that writes the same line is not worth waiting for. */
const PATIENCE_MS = 2_000;

/** The one thing that can be done on purpose; everything else is an attack or an accident. */
export function downgraded(path: string, memory: string | null): KeyStoreError {
  const onPurpose = memory === null ? '' : `; if you put it there yourself, delete ${memory}`;
  return new KeyStoreError(
    'downgraded',
    `the key store ${path} was v2, and a legacy file stands in its place now`,
    { hint: `restore the v2 store from a backup; the file was left as it is${onPurpose}` },
  );
}

export class SealedMemory {
  readonly path: string;
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
    this.path = join(home, FILE_NAME);
  }

  /**
   * Where the file is, and where it is asked for: a link that is laid in the place of a store must
   * not lead past its memory. Inside the home a store is called by its place in it, so that a home
   * can be moved.
   */
  async #namesOf(storePath: string): Promise<readonly string[]> {
    const home = await realpath(this.#home);
    const folder = await resolveLinks(dirname(storePath));
    const places = [await resolveLinks(storePath), join(folder, basename(storePath))];
    const names = places.map((place) => {
      const inside = relative(home, place);
      return inside.startsWith('..') || isAbsolute(inside) ? place : inside;
    });
    return [...new Set(names)];
  }

  /** null: the file is there and is not one of ours. */
  async #read(): Promise<readonly string[] | null> {
    try {
      const { bytes } = await readWholeFile(this.path, MAX_BYTES);
      const stores = parseRecord(bytes.toString('utf8'))?.stores;
      const isOurs = Array.isArray(stores) && stores.every((name) => typeof name === 'string');
      return isOurs ? stores : null;
    } catch (error) {
      if (error instanceof DiskError && error.code === 'missing') return [];
      if (error instanceof DiskError) return null;
      throw error;
    }
  }

  /** Whether the store was v2. A memory that cannot be read remembers everything. */
  async has(storePath: string): Promise<boolean> {
    const stores = await this.#read();
    if (stores === null) return true;
    if (stores.length === 0) return false;
    return (await this.#namesOf(storePath)).some((name) => stores.includes(name));
  }

  /** Where the home cannot be written, nothing is remembered, and nothing else fails. */
  async remember(storePath: string): Promise<void> {
    try {
      const names = await this.#namesOf(storePath);
      const known = await this.#read();
      if (known !== null && names.every((name) => known.includes(name))) return;
      await withFileLock(
        this.path,
        async (lock) => {
          const stores = [...new Set([...((await this.#read()) ?? []), ...names])].sort();
          await replaceFile(this.path, `${JSON.stringify({ stores }, null, 2)}\n`, { lock });
        },
        PATIENCE_MS,
      );
    } catch (error) {
      const isDisk = error instanceof Error && (error instanceof DiskError || 'code' in error);
      if (!isDisk) throw error;
    }
  }
}
