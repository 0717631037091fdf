/** Where a path leads. */

import { readlink, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemCode } from '../base/system/system-error.ts';
import { readFailure } from './failures.ts';

const MAX_LINKS = 40;

/**
 * Where the file really is: symlinks are followed, also one whose target does not exist yet, so
 * that a replaced file stays where the link points.
 *
 * @throws DiskError unreadable for a circle of links, a folder that may not be entered
 */
export async function resolveLinks(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    try {
      return await realpath(at);
    } catch (cause) {
      const code = systemCode(cause);
      // What cannot be there is said by whoever tries to make it.
      if (code === 'ENOTDIR') return at;
      if (code !== 'ENOENT') throw readFailure(path, cause);
    }
    const target = await readlink(at).catch(() => null);
    if (target === null) return at;
    at = resolve(dirname(at), target);
  }
  return at;
}
