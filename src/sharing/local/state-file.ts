/**
 * What the coordinator knew last, for the next one: a session of a client starts every process anew,
 * and what is known of the accounts should not go with the last of them. Ids and numbers alone.
 */

import { parseRecord } from '../../base/text/json.ts';
import { readWholeFile } from '../../disk/read-file.ts';
import { replaceFile } from '../../disk/replace-file.ts';

const FORMAT = 'keypool-sharing';
const MAX_BYTES = 4 * 1024 * 1024;

export interface Kept {
  /** Not looked at yet. */
  readonly state: unknown;
  /** How old it is, in milliseconds; 0 when a clock was set back meanwhile. */
  readonly ageMs: number;
}

/** @returns null where nothing is kept, or nothing that is ours */
export async function readKept(path: string): Promise<Kept | null> {
  const contents = await readWholeFile(path, MAX_BYTES).catch(() => null);
  const record = contents === null ? null : parseRecord(contents.bytes.toString('utf8'));
  if (record === null || record.format !== FORMAT || typeof record.savedAt !== 'number')
    return null;
  const ageMs = Math.max(0, Date.now() - record.savedAt);
  return Number.isFinite(ageMs) ? { state: record.state, ageMs } : null;
}

/** @throws DiskError write_failed; the old file is then intact */
export async function keep(path: string, state: unknown): Promise<void> {
  await replaceFile(path, `${JSON.stringify({ format: FORMAT, savedAt: Date.now(), state })}\n`);
}
