/** What a home is called among those that share budgets: random, kept beside the ledger that it is of. */

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withFileLock } from '../../../disk/file-lock.ts';
import { readWholeFile } from '../../../disk/read-file.ts';
import { replaceFile } from '../../../disk/replace-file.ts';

const NAME = 'home-id';
const TEXT = /^[\w-]{22}$/;
const MAX_BYTES = 1_024;

async function read(path: string): Promise<string | null> {
  const file = await readWholeFile(path, MAX_BYTES).catch(() => null);
  const text = file?.bytes.toString('utf8').trim() ?? '';
  return TEXT.test(text) ? text : null;
}

/**
 * The same for all processes of a home, however many start at once: a second name would count all
 * that the home spends twice. Where none can be kept, this process is a home of its own.
 *
 * @param folder the ledger's
 */
export async function homeId(folder: string): Promise<string> {
  const path = join(folder, NAME);
  const fresh = randomBytes(16).toString('base64url');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const known = await read(path);
    if (known !== null) return known;
    return await withFileLock(path, async (lock) => {
      const told = await read(path);
      if (told === null) await replaceFile(path, `${fresh}\n`, { lock });
      return told ?? fresh;
    });
  } catch {
    return fresh;
  }
}
