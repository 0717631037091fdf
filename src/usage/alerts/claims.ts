/** Who of several processes says a thing that is to be said once: whoever makes its file. */

import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../base/system/system-error.ts';

/** Longer than any period of a budget. */
const KEPT_MS = 40 * 24 * 3_600_000;

function sweep(folder: string, now: number): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    try {
      if (now - statSync(path).mtimeMs > KEPT_MS) unlinkSync(path);
    } catch {
      // Another process was faster.
    }
  }
}

function nameOf(what: string): string {
  return createHash('sha256').update(what).digest('hex').slice(0, 32);
}

/**
 * @param what any text; of it only a hash is kept
 * @returns true for one process of a home, once; also where nothing can be written
 */
export function claim(folder: string, what: string, now: number): boolean {
  const name = nameOf(what);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    closeSync(openSync(join(folder, name), 'wx', 0o600));
    sweep(folder, now);
    return true;
  } catch (error) {
    return systemCode(error) !== 'EEXIST';
  }
}

/** From here on it can be claimed anew. */
export function unclaim(folder: string, what: string): void {
  try {
    unlinkSync(join(folder, nameOf(what)));
  } catch {
    // Nobody has claimed it, or it cannot be written here.
  }
}
