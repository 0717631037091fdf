/** A new file, whole or not at all, that replaces nothing. */

import { randomBytes } from 'node:crypto';
import { constants, copyFile, link, open, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DiskError } from '../base/errors.ts';
import { systemCode } from '../base/system/system-error.ts';
import { writeFailure } from './failures.ts';

/** Not every file system has hard links (exFAT, some network shares). */
const NO_HARD_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK'];

/** Gives a file a second name; a copy of its own where there are no hard links. */
export async function linkOrCopy(path: string, beside: string): Promise<void> {
  try {
    await link(path, beside);
  } catch (cause) {
    if (!NO_HARD_LINKS.includes(systemCode(cause))) throw cause;
    await copyFile(path, beside, constants.COPYFILE_EXCL);
  }
}

async function write(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(text, 'utf8');
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes a file of mode 0600 under a name that is free.
 *
 * @throws DiskError exists, write_failed; nothing is left of it then
 */
export async function createFile(path: string, text: string): Promise<void> {
  const suffix = `${process.pid}-${randomBytes(6).toString('hex')}`;
  const temporary = join(dirname(path), `.${basename(path)}.tmp-${suffix}`);
  try {
    await write(temporary, text);
    await linkOrCopy(temporary, path);
  } catch (cause) {
    if (systemCode(cause) !== 'EEXIST') throw writeFailure(path, cause);
    throw new DiskError('exists', `${path} exists already`, {
      cause,
      hint: 'name a new file, or remove that one',
    });
  } finally {
    await unlink(temporary).catch(() => {});
  }
}
