/**
 * Who coordinates: whoever stands at the meeting place; else whoever comes first. Taking the place
 * is done under a lock, after one more look, so that of several who find it empty one takes it and
 * the others find him.
 */

import { lstat, readdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DiskError } from '../../base/errors.ts';
import { systemCode } from '../../base/system/system-error.ts';
import { withFileLock } from '../../disk/file-lock.ts';
import { CallError, type CallerEvents, LocalCaller } from './caller.ts';
import { Host, type HostEvents } from './host.ts';
import { DRAFT, type MeetingPlace } from './place.ts';

/** Two greetings that nobody answers, and the way there. */
const LOCK_PATIENCE_MS = 5_000;

export type Met =
  | { readonly role: 'member'; readonly caller: LocalCaller }
  | { readonly role: 'coordinator'; readonly host: Host };

export interface MeetOptions {
  readonly place: MeetingPlace;
  readonly key: Uint8Array;
  readonly member: string;
  readonly asMember: CallerEvents;
  readonly asHost: HostEvents;
}

/** Nobody, or somebody stopped or asleep, who will find his place taken and join the others. */
function isFree(error: unknown): boolean {
  return error instanceof CallError && ['nobody', 'silent'].includes(error.failure);
}

/** @returns null where the place can be taken */
async function call(options: MeetOptions): Promise<Met | null> {
  const { place, key, member, asMember } = options;
  try {
    return { role: 'member', caller: await LocalCaller.call(place.socket, key, member, asMember) };
  } catch (error) {
    if (isFree(error)) return null;
    throw error;
  }
}

/** @throws DiskError when something stands there that is no socket of this user's */
export async function checkPlace({ socket, isFile }: MeetingPlace): Promise<void> {
  const info = isFile ? await lstat(socket).catch(() => null) : null;
  if (info === null) return;
  if (!info.isSocket() || info.uid !== process.getuid?.()) {
    throw new DiskError('not_a_file', `${socket} is no socket of this user`, {
      hint: 'take away what stands there',
    });
  }
}

/** What a process left that was killed before its socket had its name. Under the lock. */
async function sweepDrafts({ socket }: MeetingPlace): Promise<void> {
  const folder = dirname(socket);
  const prefix = `${basename(socket)}.`;
  for (const name of await readdir(folder).catch(() => [])) {
    const isDraft = name.startsWith(prefix) && DRAFT.test(name.slice(prefix.length));
    if (isDraft) await unlink(join(folder, name)).catch(() => {});
  }
}

async function take(options: MeetOptions): Promise<Met> {
  const { place, key, asHost } = options;
  await checkPlace(place);
  if (place.isFile) await sweepDrafts(place);
  try {
    return { role: 'coordinator', host: await Host.open(place, key, asHost) };
  } catch (error) {
    // On Windows nobody can take a pipe from a process that has it.
    throw systemCode(error) === 'EADDRINUSE' ? new CallError('closed', error) : error;
  }
}

/**
 * Joins whoever coordinates, or begins to.
 *
 * @throws CallError stranger, closed; DiskError, or the system's error, where no socket can stand
 */
export async function meet(options: MeetOptions): Promise<Met> {
  const met = await call(options);
  if (met !== null) return met;
  return withFileLock(
    options.place.lock,
    async () => (await call(options)) ?? (await take(options)),
    LOCK_PATIENCE_MS,
  );
}
