/** What a home is called among those that share budgets: random, kept beside the ledger that it is of. */

import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'home-id';
const TEXT = /^[\w-]{22}$/;

function read(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return TEXT.test(text) ? text : null;
  } catch {
    return null;
  }
}

/**
 * The same for all processes of a home; where it cannot be kept, this process is a home of its own.
 *
 * @param folder the ledger's
 */
export function homeId(folder: string): string {
  const path = join(folder, NAME);
  const fresh = randomBytes(16).toString('base64url');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(path, `${fresh}\n`, { mode: 0o600, flag: 'wx' });
    return fresh;
  } catch {
    // Another process was quicker, or an earlier one: its word holds.
    return read(path) ?? fresh;
  }
}
