/** A file's present contents under a second name, kept before the first one gets others. */

import { stat } from 'node:fs/promises';
import { systemCode } from '../base/system/system-error.ts';
import { linkOrCopy } from './create-file.ts';
import { writeFailure } from './failures.ts';

/**
 * Links the file as `base`, or as `base-2` and so on where that name is taken; a link to the same
 * file, left by a run that was killed, is used again.
 *
 * @returns the second name
 * @throws DiskError write_failed
 */
export async function keepBeside(path: string, base: string): Promise<string> {
  const { ino, dev } = await stat(path);
  for (let copy = 1; ; copy++) {
    const beside = copy === 1 ? base : `${base}-${copy}`;
    try {
      await linkOrCopy(path, beside);
      return beside;
    } catch (cause) {
      if (systemCode(cause) !== 'EEXIST') throw writeFailure(beside, cause);
    }
    const old = await stat(beside).catch(() => null);
    if (old !== null && old.ino === ino && old.dev === dev) return beside;
  }
}
