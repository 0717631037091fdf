/** Processor time of a process, which means the same on a busy machine; a clock does not. */

import { readFileSync } from 'node:fs';

/** In ms so far, its own and the kernel's for it; NaN where the system does not tell. */
export function processorMs(pid: number): number {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    // utime and stime, in ticks of 10 ms.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}

/**
 * For how long a process's main thread was at work, or ready and without a processor: what it does
 * not wait for anything else. In ms so far; NaN where the system does not tell.
 */
export function readyMs(pid: number): number {
  try {
    const line = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8');
    const [atWork, ready] = line.split(' ').map(Number);
    return ((atWork ?? Number.NaN) + (ready ?? Number.NaN)) / 1e6;
  } catch {
    return Number.NaN;
  }
}
