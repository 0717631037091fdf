/** A folder and those above it, private from the first moment. */

import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemCode } from '../base/system/system-error.ts';
import { writeFailure } from './failures.ts';

/** @returns the folders that are not there, from the top down */
async function missingFolders(path: string): Promise<string[]> {
  const missing: string[] = [];
  let at = resolve(path);
  for (;;) {
    const isThere = await stat(at).then(
      (info) => info.isDirectory(),
      (error: unknown) => {
        if (systemCode(error) === 'ENOENT') return false;
        throw error;
      },
    );
    if (isThere || dirname(at) === at) return missing.reverse();
    missing.push(at);
    at = dirname(at);
  }
}

/**
 * Makes the folder where it is missing. Step by step: node's recursive `mkdir` tries for ever where
 * the system says of a folder that is there that nothing can be made in it (/proc).
 *
 * @returns the folders that were made, from the top down
 * @throws DiskError write_failed
 */
export async function makeFolder(path: string): Promise<readonly string[]> {
  const made: string[] = [];
  try {
    for (const folder of await missingFolders(path)) {
      await mkdir(folder, { mode: 0o700 }).then(
        () => made.push(folder),
        async (error: unknown) => {
          // Another process was quicker.
          const isThere = systemCode(error) === 'EEXIST' && (await stat(folder)).isDirectory();
          if (!isThere) throw error;
        },
      );
    }
    return made;
  } catch (cause) {
    throw writeFailure(path, cause);
  }
}
