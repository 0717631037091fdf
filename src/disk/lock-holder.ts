/** Who holds a lock, as it stands in the lock file, and what can be known of that process. */

import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAlive, processBegan } from '../base/system/processes.ts';
import { isRecord, parseRecord } from '../base/text/json.ts';

export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** One start of one kernel; null outside Linux. Containers of a machine share it. */
  readonly boot: string | null;
  /** Where the pid means something: containers of one name have other processes of that number. */
  readonly namespace: string | null;
  /** When the process began, so that a reused pid is not taken for it; null where unknown. */
  readonly began: string | null;
  readonly token: string;
}

function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}

function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}

/** This process, as the holder of one lock. */
export function ownHolder(): LockHolder {
  const { pid } = process;
  return {
    pid,
    host: hostname(),
    boot: bootId(),
    namespace: pidNamespace(),
    began: processBegan(pid),
    token: randomBytes(9).toString('base64url'),
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** @returns null when the text is no lock, or not all of one */
export function parseHolder(text: string): LockHolder | null {
  const value = parseRecord(text);
  if (!isRecord(value)) return null;
  const { pid, host, token } = value;
  const isPid = typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0;
  if (!isPid || typeof host !== 'string' || typeof token !== 'string') return null;
  return {
    pid,
    host,
    token,
    boot: textOrNull(value.boot),
    namespace: textOrNull(value.namespace),
    began: textOrNull(value.began),
  };
}

/**
 * `unknown` for a process that cannot be asked: of another machine, another container, or of
 * before the last start of this machine. Whether it lives shows in its heartbeat alone.
 */
export function fateOf(holder: LockHolder, own: LockHolder): 'alive' | 'dead' | 'unknown' {
  const isSameProcess =
    isAlive(holder.pid) && holder.began !== null && processBegan(holder.pid) === holder.began;
  const isNeighbour =
    holder.host === own.host && holder.boot === own.boot && holder.namespace === own.namespace;
  // A version that wrote no namespace: the start time still tells a process that is the one.
  if (!isNeighbour) {
    const isEarlierVersion = holder.host === own.host && holder.namespace === null;
    return isEarlierVersion && isSameProcess && holder.pid !== own.pid ? 'alive' : 'unknown';
  }
  // Within this process a queue keeps order, so a lock of our own number is a leftover.
  if (holder.pid === own.pid) return 'dead';
  if (!isAlive(holder.pid)) return 'dead';
  return holder.began === null || own.began === null || isSameProcess ? 'alive' : 'dead';
}
