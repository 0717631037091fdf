/** What can be known of another process of this machine. */

import { readFileSync } from 'node:fs';
import { systemCode } from './system-error.ts';

/** True also for a process of another user, which may not be signalled. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** When the process began: field 22 of /proc/PID/stat, ticks since boot. Null outside Linux. */
export function processBegan(pid: number): string | null {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
