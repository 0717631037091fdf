/**
 * One writer at a time: a lock file beside the file, made with O_EXCL, that says who holds it.
 *
 * Measured: eight processes that add 25 keys each keep 57 of 200 without it, 200 with it.
 *
 * A holder that is gone loses the lock. One that can be asked (same kernel, same pid namespace) is
 * asked; any other one shows that it lives by its heartbeat, which is looked for with the waiter's
 * own patience and never compared with a clock: clocks differ, and machines sleep. Since a holder
 * that slept may lose its lock, ownership is checked again right before a file is replaced.
 */

import { lutimes, unlink, writeFile } from 'node:fs/promises';
import { platform } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { DiskError } from '../base/errors.ts';
import { systemCode } from '../base/system/system-error.ts';
import { writeFailure } from './failures.ts';
import { type LockHolder, ownHolder } from './lock-holder.ts';
import { LockWaiter, lockText } from './lock-waiter.ts';

/** A write takes milliseconds; whoever waits this long waits for something that hangs. */
const PATIENCE_MS = 10_000;
const HEARTBEAT_MS = 1_000;

export interface FileLock {
  /** @throws DiskError lock_lost when another process holds the lock by now */
  check(): Promise<void>;
}

/** Windows refuses a name whose file is being deleted. */
const BUSY = platform === 'win32' ? ['EEXIST', 'EPERM', 'EACCES', 'EBUSY'] : ['EEXIST'];

/** Locks that calls of this process hold, whatever name they came by. */
const heldHere = new Set<string>();

async function create(lock: string, text: string): Promise<boolean> {
  try {
    await writeFile(lock, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (BUSY.includes(systemCode(error))) return false;
    // A full disk can leave the lock behind, empty.
    if (systemCode(error) === 'ENOSPC' || systemCode(error) === 'EDQUOT') {
      await unlink(lock).catch(() => {});
    }
    throw error;
  }
}

function lockedError(path: string, lock: string, holder: LockHolder | null): DiskError {
  const who =
    holder === null ? 'another process' : `process ${holder.pid} on ${printable(holder.host)}`;
  return new DiskError('locked', `${path} is locked by ${who}`, {
    hint: `wait for it to end; if it is gone, remove ${lock}`,
  });
}

/** A host's name as it stood in a file that anybody may have written. */
function printable(host: string): string {
  return /^[A-Za-z0-9._-]{1,64}$/.test(host) ? host : 'another machine';
}

async function acquire(path: string, lock: string, patienceMs: number): Promise<string> {
  const own = ownHolder();
  const text = JSON.stringify(own);
  const waiter = new LockWaiter(lock, own, (held) => heldHere.has(held));
  const startedAt = performance.now();
  for (;;) {
    if (await create(lock, text)) return text;
    const { isHeld, holder } = await waiter.turn();
    const waitedMs = performance.now() - startedAt;
    if ((isHeld && waitedMs > patienceMs) || waitedMs > patienceMs + PATIENCE_MS) {
      throw lockedError(path, lock, holder);
    }
    await sleep(2 + Math.random() * 20);
  }
}

/** The lock while it is held: its heartbeat, and the question whether it still is. */
class HeldLock implements FileLock {
  readonly #path: string;
  readonly #lock: string;
  readonly #text: string;
  readonly #heart: NodeJS.Timeout;

  constructor(path: string, lock: string, text: string) {
    this.#path = path;
    this.#lock = lock;
    this.#text = text;
    heldHere.add(text);
    this.#heart = setInterval(() => void this.#beat(), HEARTBEAT_MS).unref();
  }

  async #isOurs(): Promise<boolean> {
    return (await lockText(this.#lock)) === this.#text;
  }

  async #beat(): Promise<void> {
    const now = new Date();
    if (await this.#isOurs()) await lutimes(this.#lock, now, now).catch(() => {});
  }

  async check(): Promise<void> {
    if (await this.#isOurs()) return;
    throw new DiskError('lock_lost', `another process took the lock of ${this.#path} meanwhile`, {
      hint: 'nothing was changed; run the command again',
    });
  }

  async release(): Promise<void> {
    clearInterval(this.#heart);
    heldHere.delete(this.#text);
    if (await this.#isOurs()) await unlink(this.#lock).catch(() => {});
  }
}

async function lockAndRun<T>(
  path: string,
  action: (lock: FileLock) => Promise<T>,
  patienceMs: number,
): Promise<T> {
  const lock = `${path}.lock`;
  const text = await acquire(path, lock, patienceMs).catch((cause: unknown) => {
    throw writeFailure(path, cause);
  });
  const held = new HeldLock(path, lock, text);
  try {
    return await action(held);
  } finally {
    await held.release();
  }
}

/** Writers of this process, by file: they queue here rather than poll each other's lock file. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Runs `action` while no other process, and no other call in this one, writes `path`.
 *
 * @param path without symlinks, so that two names of one file share one lock
 * @param action replaces files with the lock it is given, which then checks it at the last moment
 * @param patienceMs how long to wait for another process that lives
 * @throws DiskError locked when the patience is spent or no lock can stand there, write_failed when
 *   no lock can be made
 */
export async function withFileLock<T>(
  path: string,
  action: (lock: FileLock) => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const before = queues.get(path) ?? Promise.resolve();
  const mine = before.then(() => lockAndRun(path, action, patienceMs));
  const settled = mine.catch(() => {});
  queues.set(path, settled);
  try {
    return await mine;
  } finally {
    if (queues.get(path) === settled) queues.delete(path);
  }
}
