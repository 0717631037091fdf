/**
 * A small file that is never half written: read, lock, replace.
 *
 * Replacing: temporary file (O_EXCL, 0600) in the same folder → fsync → rename → fsync of the
 * folder. Whoever is killed leaves either the old file or the new one, and an orphan that the next
 * write sweeps.
 */

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, readlink, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { platform } from 'node:process';
import { KeyStoreError } from '../base/errors.ts';

/** Thousands of keys fit; what is larger is another file named by mistake. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_LINKS = 40;

/** The system's code of a failed call, such as ENOSPC; empty when it has none. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

function unreadable(path: string, cause: unknown): KeyStoreError {
  const code = systemCode(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new KeyStoreError('missing', `there is no key store at ${path}`, {
      cause,
      hint: 'run keypool-mcp init, or name another file with --store',
    });
  }
  if (code === 'ELOOP') {
    return new KeyStoreError(
      'unreadable',
      `the key store ${path} is a symlink that leads in a circle`,
      {
        cause,
        hint: 'remove the symlink, or name the file itself with --store',
      },
    );
  }
  const isForbidden = code === 'EACCES' || code === 'EPERM';
  const why = isForbidden ? 'no permission' : code || 'it failed';
  return new KeyStoreError('unreadable', `cannot read the key store ${path}: ${why}`, {
    cause,
    hint: isForbidden
      ? `make it yours: ls -l ${path}`
      : 'check the disk, then run keypool-mcp doctor',
  });
}

/**
 * Where the file really is: symlinks are followed, also one whose target does not exist yet, so
 * that a replaced store stays where the link points.
 *
 * @throws KeyStoreError unreadable for a circle of links
 */
export async function resolveLinks(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    try {
      return await realpath(at);
    } catch (cause) {
      if (systemCode(cause) !== 'ENOENT') throw unreadable(path, cause);
    }
    const target = await readlink(at).catch(() => null);
    if (target === null) return at;
    at = resolve(dirname(at), target);
  }
  return at;
}

/**
 * Reads a store's text. Anything but a regular file is refused before it is opened: a FIFO would
 * wait for ever.
 *
 * @throws KeyStoreError missing, unreadable, malformed
 */
export async function readStoreText(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    const info = await stat(path);
    if (!info.isFile()) {
      const what = info.isDirectory() ? 'a folder' : 'not a file';
      throw new KeyStoreError('unreadable', `the key store ${path} is ${what}`, {
        hint: 'name the file itself with --store or KEYPOOL_STORE',
      });
    }
    if (info.size > MAX_BYTES) {
      throw new KeyStoreError('malformed', `${path} is too large to be a key store`, {
        hint: 'name the right file with --store or KEYPOOL_STORE',
      });
    }
    const handle = await open(path, 'r');
    try {
      bytes = await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw cause instanceof KeyStoreError ? cause : unreadable(path, cause);
  }
  // An invalid byte becomes U+FFFD and then fails every check that matters.
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

const WRITE_FAILURES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  EACCES: 'no permission',
  EPERM: 'no permission',
  ENOENT: 'the folder does not exist',
  ENOTDIR: 'the folder does not exist',
  EFBIG: 'the file would be too large',
};

/** Every way a write can fail, said once: what failed, why, and that nothing was lost. */
export function writeFailure(path: string, cause: unknown): KeyStoreError {
  if (cause instanceof KeyStoreError) return cause;
  const code = systemCode(cause);
  return new KeyStoreError(
    'write_failed',
    `cannot write ${path}: ${WRITE_FAILURES[code] ?? (code || 'it failed')}`,
    {
      cause,
      hint: `nothing was changed; free the disk or the permissions of ${dirname(path)} and try again`,
    },
  );
}

function temporaryPrefix(path: string): string {
  return `.${basename(path)}.tmp-`;
}

/** Leftovers of killed writers. Only under the file's lock: nobody else's is alive then. */
export async function sweepOrphans(path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = temporaryPrefix(path);
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.startsWith(prefix)) await unlink(join(folder, name)).catch(() => {});
  }
}

/** Without this a power cut may undo the rename. Not every system can do it to a folder. */
export async function syncFolder(folder: string): Promise<void> {
  if (platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface Rights {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

async function writeTemporary(path: string, text: string, rights: Rights | null): Promise<string> {
  const temporary = join(
    dirname(path),
    `${temporaryPrefix(path)}${process.pid}-${randomBytes(6).toString('hex')}`,
  );
  const handle = await open(
    temporary,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
    0o600,
  );
  try {
    await handle.writeFile(text, 'utf8');
    if (rights !== null && platform !== 'win32') {
      // A file that belongs to somebody else stays theirs when root edits it.
      await handle.chown(rights.uid, rights.gid).catch(() => {});
      await handle.chmod(rights.mode);
    }
    await handle.sync();
  } catch (cause) {
    await handle.close().catch(() => {});
    await unlink(temporary).catch(() => {});
    throw cause;
  }
  await handle.close();
  return temporary;
}

/**
 * Replaces the file, whole or not at all.
 *
 * @param path without symlinks (`resolveLinks`), its lock held
 * @param mode bits of the new file; `keep` leaves those of the one it replaces
 * @throws KeyStoreError write_failed; the old file is then intact
 */
export async function replaceFile(
  path: string,
  text: string,
  mode: 'private' | 'keep' = 'private',
): Promise<void> {
  try {
    const old = await stat(path).catch(() => null);
    const kept = old === null ? null : { mode: old.mode & 0o777, uid: old.uid, gid: old.gid };
    const rights = kept === null || mode === 'keep' ? kept : { ...kept, mode: 0o600 };
    const temporary = await writeTemporary(path, text, rights);
    try {
      await rename(temporary, path);
    } catch (cause) {
      await unlink(temporary).catch(() => {});
      throw cause;
    }
    await syncFolder(dirname(path)).catch(() => {});
  } catch (cause) {
    throw writeFailure(path, cause);
  }
}
