/**
 * Reads a whole file of ours: a regular one, of a bounded size. A FIFO, a terminal or a device in
 * its place would wait for ever; opened without blocking and looked at through the same handle, it
 * is refused instead.
 */

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DiskError } from '../base/errors.ts';
import { readFailure } from './failures.ts';

/** Windows has none of these bits; a missing one is 0. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export interface FileContents {
  readonly bytes: Buffer;
  /** Of the file that was read, not of what stands at its path a moment later. */
  readonly info: Stats;
}

/** What stands there instead of a file, in words. */
function kindOf(info: Stats): string {
  if (info.isDirectory()) return 'a folder';
  if (info.isFIFO()) return 'a pipe';
  if (info.isSocket()) return 'a socket';
  return 'a device';
}

function checkFile(path: string, info: Stats, maxBytes: number): void {
  if (!info.isFile()) {
    throw new DiskError('not_a_file', `${path} is ${kindOf(info)}, not a file`, {
      hint: `name the file itself, or take away what stands at ${path}`,
    });
  }
  if (info.size > maxBytes) throw tooLarge(path, maxBytes);
}

function tooLarge(path: string, maxBytes: number): DiskError {
  return new DiskError('too_large', `${path} is larger than ${maxBytes} bytes`, {
    hint: 'name the right file',
  });
}

async function readBounded(handle: FileHandle, path: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, null);
    if (bytesRead === 0) return Buffer.concat(chunks, length);
    chunks.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
    // A file may grow while it is read, and /proc says 0 of files that are not empty.
    if (length > maxBytes) throw tooLarge(path, maxBytes);
  }
}

/** @throws DiskError missing, not_a_file, too_large, unreadable */
export async function readWholeFile(path: string, maxBytes: number): Promise<FileContents> {
  try {
    const handle = await open(path, FLAGS);
    try {
      const info = await handle.stat();
      checkFile(path, info, maxBytes);
      return { bytes: await readBounded(handle, path, maxBytes), info };
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw readFailure(path, cause);
  }
}

/**
 * Opens a file that is followed or appended to. Never waits for the other end of a pipe.
 *
 * @param flags of `open`; reading by default
 * @throws DiskError not_a_file; the system's own error for everything else
 */
export function openFileSync(path: string, flags = constants.O_RDONLY, mode = 0o600): number {
  const file = openSync(path, flags | FLAGS, mode);
  try {
    checkFile(path, fstatSync(file), Number.POSITIVE_INFINITY);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** The same for whoever can wait, to read. @throws DiskError not_a_file; the system's own error */
export async function openFile(path: string): Promise<FileHandle> {
  const handle = await open(path, FLAGS);
  try {
    checkFile(path, await handle.stat(), Number.POSITIVE_INFINITY);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** `readWholeFile` for whoever cannot wait: configuration is read before anything else can begin. */
export function readWholeFileSync(path: string, maxBytes: number): FileContents {
  try {
    const file = openSync(path, FLAGS);
    try {
      const info = fstatSync(file);
      checkFile(path, info, maxBytes);
      const buffer = Buffer.alloc(Math.min(maxBytes, Math.max(info.size, 64 * 1024)) + 1);
      let length = 0;
      let got = -1;
      while (got !== 0 && length < buffer.length) {
        got = readSync(file, buffer, length, buffer.length - length, null);
        length += got;
      }
      if (length > maxBytes) throw tooLarge(path, maxBytes);
      return { bytes: buffer.subarray(0, length), info };
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw readFailure(path, cause);
  }
}
