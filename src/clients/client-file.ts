/** Reading and replacing a file that belongs to another program. */

import { chmod, constants, copyFile, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommandError, DiskError } from '../base/errors.ts';
import { systemCode } from '../base/system/system-error.ts';
import { decodeUtf8 } from '../base/text/strict-utf8.ts';
import { resolveLinks } from '../disk/links.ts';
import { makeFolder } from '../disk/make-folder.ts';
import { readWholeFile } from '../disk/read-file.ts';
import { replaceFile } from '../disk/replace-file.ts';

export interface ClientText {
  /** The path as the client knows it, which may be a link. */
  readonly asked: string;
  /** A folder for copies where those beside the file would be in a linked one; may be empty. */
  readonly spare: string;
  /** The file itself, links followed. */
  readonly path: string;
  /** Its text without a byte order mark; null when there is no file yet. */
  readonly text: string | null;
  readonly hasByteOrderMark: boolean;
}

const BYTE_ORDER_MARK = '\uFEFF';
/** Claude Code keeps its whole history in such a file. */
const MAX_BYTES = 256 * 1024 * 1024;

function unusable(path: string, problem: string, cause?: unknown): CommandError {
  const what = cause instanceof DiskError ? cause.message : `${path} ${problem}`;
  return new CommandError(`${what}; nothing was changed`, {
    cause,
    hint: 'mend the file, or print the entry with --print and put it in by hand',
  });
}

/**
 * @param path as the client knows it
 * @throws CommandError when it is there but is no readable text file
 */
export async function readClientFile(path: string, spare = ''): Promise<ClientText> {
  let target = path;
  let bytes: Buffer;
  try {
    target = await resolveLinks(path);
    ({ bytes } = await readWholeFile(target, MAX_BYTES));
  } catch (error) {
    if (error instanceof DiskError && error.code === 'missing') {
      return { asked: path, spare, path: target, text: null, hasByteOrderMark: false };
    }
    throw unusable(path, 'cannot be read', error);
  }
  const text = decodeUtf8(bytes);
  if (text === null) throw unusable(path, 'is not UTF-8 text');
  const hasByteOrderMark = bytes.toString('utf8', 0, 3) === BYTE_ORDER_MARK;
  return { asked: path, spare, path: target, text, hasByteOrderMark };
}

/** `settings.json.2026-11-25.bak`: the first copy of a day is the one that is wanted back. */
function backupPath(folder: string, name: string, now: Date): string {
  return join(folder, `${name}.${now.toISOString().slice(0, 10)}.bak`);
}

/**
 * Where copies go: beside the file as its client names it. A folder that is a link leads into
 * somebody's repository of settings, where a copy would be published with the next commit.
 */
async function backupFolder({ asked, spare }: ClientText): Promise<string> {
  const folder = dirname(asked);
  const isLinked = (await realpath(folder).catch(() => folder)) !== folder;
  return isLinked && spare !== '' ? spare : folder;
}

/** A copy for its owner alone; one a day, so that a second run does not bury the first. */
async function backUp(before: ClientText, now: Date): Promise<string> {
  const folder = await backupFolder(before);
  await makeFolder(folder);
  const copy = backupPath(folder, basename(before.asked), now);
  try {
    await copyFile(before.path, copy, constants.COPYFILE_EXCL);
    await chmod(copy, 0o600);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  return copy;
}

/** The text of today's copy; null when there is none. */
export async function todaysBackup(
  before: ClientText,
  now: Date = new Date(),
): Promise<string | null> {
  const path = backupPath(await backupFolder(before), basename(before.asked), now);
  return readFile(path, 'utf8').catch(() => null);
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
  let backup: string | null = null;
  const beforeRename = async (): Promise<void> => {
    // A running client writes its file whenever it likes.
    if ((await readClientFile(path)).text !== before.text) {
      throw new CommandError(`${path} was changed by another program meanwhile`, {
        hint: 'run the command again, best with the client closed',
      });
    }
    if (before.text !== null) backup = await backUp(before, now);
  };
  try {
    await makeFolder(dirname(path));
    const contents = (before.hasByteOrderMark ? BYTE_ORDER_MARK : '') + text;
    await replaceFile(path, contents, { mode: 'keep', beforeRename });
    return backup;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw unusable(path, 'cannot be written', error);
  }
}
