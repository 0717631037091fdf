/**
 * A small file that is never half written.
 *
 * Replacing: temporary file (O_EXCL, 0600) in the same folder → fsync → rename → fsync of the
 * folder. Whoever is killed leaves either the old file or the new one, and an orphan that the next
 * write sweeps.
 */

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { platform } from 'node:process';
import { writeFailure } from './failures.ts';
import type { FileLock } from './file-lock.ts';

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
async function syncFolder(folder: string): Promise<void> {
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

export type Contents = string | AsyncIterable<Uint8Array>;

async function writeTemporary(
  path: string,
  contents: Contents,
  rights: Rights | null,
): Promise<string> {
  const temporary = join(
    dirname(path),
    `${temporaryPrefix(path)}${process.pid}-${randomBytes(6).toString('hex')}`,
  );
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const handle = await open(temporary, flags, 0o600);
  try {
    if (typeof contents === 'string') await handle.writeFile(contents, 'utf8');
    else for await (const part of contents) await handle.writeFile(part);
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

export interface ReplaceOptions {
  /** Bits of the new file: 0600 (the default), or those of the one it replaces. */
  readonly mode?: 'private' | 'keep';
  /** Whose loss stops the replacement at the last moment. */
  readonly lock?: FileLock;
  /** Runs when the new contents are on the disk and the old ones still in force. */
  readonly beforeRename?: () => Promise<void>;
}

/**
 * Replaces the file, whole or not at all.
 *
 * @param path without symlinks (`resolveLinks`), its lock held where others write it too
 * @throws DiskError write_failed, locked when the lock was lost; the old file is then intact. What
 *   `beforeRename` throws passes through.
 */
export async function replaceFile(
  path: string,
  contents: Contents,
  options: ReplaceOptions = {},
): Promise<void> {
  const { mode = 'private', lock, beforeRename } = options;
  const old = await stat(path).catch(() => null);
  const kept = old === null ? null : { mode: old.mode & 0o777, uid: old.uid, gid: old.gid };
  const rights = kept === null || mode === 'keep' ? kept : { ...kept, mode: 0o600 };
  const temporary = await writeTemporary(path, contents, rights).catch((cause: unknown) => {
    throw writeFailure(path, cause);
  });
  try {
    await beforeRename?.();
    await lock?.check();
    await rename(temporary, path).catch((cause: unknown) => {
      throw writeFailure(path, cause);
    });
  } catch (cause) {
    await unlink(temporary).catch(() => {});
    throw cause;
  }
  await syncFolder(dirname(path)).catch(() => {});
}
