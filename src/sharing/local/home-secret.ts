/**
 * What a process proves that it belongs to a home folder: 32 random bytes in a file of its own.
 * Whoever can read it can read the key store beside it as well.
 */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { platform } from 'node:process';
import { DiskError } from '../../base/errors.ts';
import { createFile } from '../../disk/create-file.ts';
import { readWholeFile } from '../../disk/read-file.ts';

export const SECRET_NAME = 'secret';
const SECRET_BYTES = 32;
const MAX_BYTES = 1024;
const TEXT = /^[A-Za-z0-9_-]{43}$/;
const OTHERS = 0o077;

/** @throws DiskError missing, and unreadable for one that others can read or that is damaged */
async function readSecret(path: string): Promise<Buffer> {
  const { bytes, info } = await readWholeFile(path, MAX_BYTES);
  if (platform !== 'win32' && ((info.mode & OTHERS) !== 0 || info.uid !== process.getuid?.())) {
    throw new DiskError('unreadable', `others can read or change ${path}`, {
      hint: 'delete it; the next start makes a new one',
    });
  }
  const text = bytes.toString('utf8').trim();
  if (TEXT.test(text)) return Buffer.from(text, 'base64url');
  throw new DiskError('unreadable', `${path} is damaged`, {
    hint: 'delete it; the next start makes a new one',
  });
}

function isCode(error: unknown, code: DiskError['code']): boolean {
  return error instanceof DiskError && error.code === code;
}

/**
 * Reads the secret; the first process of a home makes it.
 *
 * @param folder one of this user's alone
 * @throws DiskError
 */
export async function homeSecret(folder: string): Promise<Buffer> {
  const path = join(folder, SECRET_NAME);
  try {
    return await readSecret(path);
  } catch (error) {
    if (!isCode(error, 'missing')) throw error;
  }
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  await createFile(path, `${secret}\n`).catch((error: unknown) => {
    // Another process was quicker; its secret is as good.
    if (!isCode(error, 'exists')) throw error;
  });
  return readSecret(path);
}
