/** Reading and replacing a file that belongs to another program. */

import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  constants,
  copyFile,
  lstat,
  mkdir,
  open,
  readFile,
  readlink,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CommandError } from '../base/errors.ts';

export interface ClientText {
  /** The file itself, links followed. */
  readonly path: string;
  /** Its text without a byte order mark; null when there is no file yet. */
  readonly text: string | null;
  readonly hasByteOrderMark: boolean;
}

const MAX_LINKS = 32;
const BYTE_ORDER_MARK = '\uFEFF';

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function unusable(path: string, problem: string, cause?: unknown): CommandError {
  return new CommandError(`${path} ${problem}; nothing was changed`, {
    cause,
    hint: 'mend the file, or print the entry with --print and put it in by hand',
  });
}

/** Follows links by hand: a link whose target is not there yet names the file to make. */
async function followLinks(path: string): Promise<string> {
  let target = path;
  for (let hop = 0; hop < MAX_LINKS; hop++) {
    const status = await lstat(target).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return null;
      throw unusable(path, 'cannot be reached', error);
    });
    if (status === null || !status.isSymbolicLink()) return target;
    target = resolve(dirname(target), await readlink(target));
  }
  throw unusable(path, 'is a circle of links');
}

/**
 * @param path as the client knows it
 * @throws CommandError when it is there but is no readable text file
 */
export async function readClientFile(path: string): Promise<ClientText> {
  const target = await followLinks(path);
  let bytes: Buffer;
  try {
    bytes = await readFile(target);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { path: target, text: null, hasByteOrderMark: false };
    throw unusable(path, codeOf(error) === 'EISDIR' ? 'is a folder' : 'cannot be read', error);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw unusable(path, 'is not UTF-8 text', error);
  }
  const hasByteOrderMark = text.startsWith(BYTE_ORDER_MARK);
  return { path: target, text: hasByteOrderMark ? text.slice(1) : text, hasByteOrderMark };
}

function timestamp(now: Date): string {
  return now
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
}

/** A copy beside the file, with its mode; never over another copy. */
async function backUp(path: string, now: Date): Promise<string> {
  const { mode } = await stat(path);
  for (let attempt = 1; ; attempt++) {
    const copy = `${path}.${timestamp(now)}${attempt === 1 ? '' : `-${attempt}`}.bak`;
    try {
      await copyFile(path, copy, constants.COPYFILE_EXCL);
      await chmod(copy, mode & 0o777);
      return copy;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Replaces the file in one step: a reader sees the old text or the new one. The old file is copied
 * first.
 *
 * @returns the backup's path; null when there was no file before
 * @throws CommandError when it cannot be written, or was changed since it was read
 */
export async function replaceClientFile(
  before: ClientText,
  text: string,
  now: Date = new Date(),
): Promise<string | null> {
  const { path } = before;
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const old = before.text === null ? null : await stat(path);
    await writeDurably(
      temporary,
      (before.hasByteOrderMark ? BYTE_ORDER_MARK : '') + text,
      old === null ? 0o600 : old.mode & 0o777,
    );
    // Run by root, the file must stay its owner's; anybody else may not give files away.
    if (old !== null) await chown(temporary, old.uid, old.gid).catch(() => {});
    // A running client writes its file whenever it likes.
    if ((await readClientFile(path)).text !== before.text) {
      throw new CommandError(`${path} was changed by another program meanwhile`, {
        hint: 'run the command again, best with the client closed',
      });
    }
    const backup = old === null ? null : await backUp(path, now);
    await rename(temporary, path);
    return backup;
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof CommandError) throw error;
    throw unusable(path, 'cannot be written', error);
  }
}
