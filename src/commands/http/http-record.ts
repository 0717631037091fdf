/**
 * Where the HTTP server of a home listens. A file of our own rather than a probe of the port:
 * another user's program on that port would be sent our token.
 */

import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { DiskError } from '../../base/errors.ts';
import { isAlive } from '../../base/system/processes.ts';
import { makeFolder } from '../../disk/make-folder.ts';
import { readWholeFileSync } from '../../disk/read-file.ts';
import { replaceFile } from '../../disk/replace-file.ts';

const MAX_BYTES = 4_096;

const RECORD = z.object({
  pid: z.int().check(z.minimum(1)),
  url: z.string().check(z.regex(/^http:\/\/[^/\s]+$/)),
  /** By knowing it, what answers at the address shows that it wrote this file. */
  secret: z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/)),
});

export type HttpRecord = z.output<typeof RECORD>;

export function recordPath(home: string): string {
  return join(home, 'http-server.json');
}

/**
 * Replaces what stands there, whatever it is: a link is not followed.
 *
 * @returns false where nothing can be written; a server in a read-only container still serves
 */
export async function writeRecord(path: string, record: HttpRecord): Promise<boolean> {
  try {
    await makeFolder(dirname(path));
    await replaceFile(path, `${JSON.stringify(record)}\n`);
    return true;
  } catch (error) {
    if (error instanceof DiskError) return false;
    throw error;
  }
}

/** null when no server of this home runs. */
export function readRecord(path: string): HttpRecord | null {
  try {
    const { bytes } = readWholeFileSync(path, MAX_BYTES);
    const record = RECORD.parse(JSON.parse(bytes.toString('utf8')));
    return isAlive(record.pid) ? record : null;
  } catch {
    return null;
  }
}
