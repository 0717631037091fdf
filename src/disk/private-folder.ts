/** A folder of this user's alone, for what other users of the machine must not reach. */

import { chmod, lstat } from 'node:fs/promises';
import { platform } from 'node:process';
import { DiskError } from '../base/errors.ts';
import { systemCode } from '../base/system/system-error.ts';
import { readFailure, writeFailure } from './failures.ts';
import { makeFolder } from './make-folder.ts';

const OTHERS = 0o077;

function noFolder(path: string): DiskError {
  return new DiskError('not_a_file', `${path} is no folder`, {
    hint: `take away what stands at ${path}`,
  });
}

/**
 * Makes the folder where it is missing, and takes others' rights away from one that is there. A
 * link is refused as well: whoever laid it decides where it leads.
 *
 * @throws DiskError not_a_file, unreadable for one that belongs to somebody else, write_failed
 */
export async function privateFolder(path: string): Promise<void> {
  const found = await lstat(path).catch((cause: unknown) => {
    if (systemCode(cause) === 'ENOENT') return null;
    throw readFailure(path, cause);
  });
  if (found !== null && !found.isDirectory()) throw noFolder(path);
  if (found === null) await makeFolder(path);
  if (platform === 'win32') return;
  const info = await lstat(path).catch((cause: unknown) => {
    throw readFailure(path, cause);
  });
  if (!info.isDirectory()) throw noFolder(path);
  if (info.uid !== process.getuid?.()) {
    throw new DiskError('unreadable', `${path} belongs to another user`, {
      hint: `look at it, then remove it or make it yours: ls -ld ${path}`,
    });
  }
  if ((info.mode & OTHERS) === 0) return;
  await chmod(path, 0o700).catch((cause: unknown) => {
    throw writeFailure(path, cause);
  });
}
