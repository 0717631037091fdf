/**
 * Where the HTTP server of a home listens. A file of our own rather than a probe of the port:
 * another user's program on that port would be sent our token.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { isAlive } from '../../base/processes.ts';

const RECORD = z.object({
  pid: z.int().check(z.minimum(1)),
  url: z.string().check(z.regex(/^http:\/\/[^/\s]+$/)),
});

export type HttpRecord = z.output<typeof RECORD>;

export function recordPath(home: string): string {
  return join(home, 'http-server.json');
}

/** @returns false where nothing can be written; a server in a read-only container still serves */
export function writeRecord(path: string, url: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${JSON.stringify({ pid: process.pid, url })}\n`, { mode: 0o600 });
    return true;
  } catch {
    return false;
  }
}

/** null when no server of this home runs. */
export function readRecord(path: string): HttpRecord | null {
  try {
    const record = RECORD.parse(JSON.parse(readFileSync(path, 'utf8')));
    return isAlive(record.pid) ? record : null;
  } catch {
    return null;
  }
}
