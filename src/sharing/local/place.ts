/**
 * Where the processes of a home meet: a socket in the home's own folder. Its name carries the
 * protocol's version and is made with the home's secret, so that two versions, and two stores,
 * never meet.
 */

import { join } from 'node:path';
import { platform } from 'node:process';
import { DiskError } from '../../base/errors.ts';
import { privateFolder } from '../../disk/private-folder.ts';
import { keyedName, purposeKey } from '../ids.ts';
import { PROTOCOL_VERSION } from '../protocol.ts';

/** A socket's path has room for 104 bytes on macOS and 108 on Linux, its end included. */
const MAX_PATH_BYTES = 100;
const NAME_BYTES = 9;
/** What a socket is called until it is ready: a dot and so many characters more. */
export const DRAFT_CHARACTERS = 6;
export const DRAFT = /^[0-9a-f]{6}$/;
/**
 * Not `os.tmpdir()`: it follows a variable that one client passes on and another does not, and the
 * processes would not find each other.
 */
const SHORT_ROOT = '/tmp';

export interface MeetingPlace {
  /** What is listened on and connected to. */
  readonly socket: string;
  /** A name in the file system; false for a pipe of Windows, which goes with its process. */
  readonly isFile: boolean;
  /** What is locked while it changes hands. */
  readonly lock: string;
}

/** Where a home keeps what its running processes share. */
export function runFolder(home: string): string {
  return join(home, 'run');
}

/** The name of what belongs to one store, without its ending. */
export function placeName(secret: Uint8Array, storePath: string): string {
  const key = purposeKey(secret, 'name');
  return `kp${PROTOCOL_VERSION}-${keyedName(key, [storePath], NAME_BYTES)}`;
}

function fits(socket: string): boolean {
  return Buffer.byteLength(socket) + 1 + DRAFT_CHARACTERS <= MAX_PATH_BYTES;
}

/**
 * @param folder the home's `run`, one of this user's alone
 * @param name from `placeName`
 * @throws DiskError when no folder for a short name can be had
 */
export async function meetingPlace(folder: string, name: string): Promise<MeetingPlace> {
  const socket = join(folder, `${name}.sock`);
  const lock = socket;
  if (platform === 'win32') {
    return { socket: `\\\\.\\pipe\\keypool-${name}`, isFile: false, lock };
  }
  if (fits(socket)) return { socket, isFile: true, lock };
  const shortFolder = join(SHORT_ROOT, `keypool-${process.getuid?.() ?? 0}`);
  await privateFolder(shortFolder);
  const short = join(shortFolder, `${name}.sock`);
  if (fits(short)) return { socket: short, isFile: true, lock };
  throw new DiskError('write_failed', `there is no path short enough for a socket`, {
    hint: 'choose a home folder with a shorter path',
  });
}
