/** Temporary stores for tests. Keys are generated and plainly fake. */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { MasterKeySource } from '../src/secrets/master-key.ts';

/** A folder of mode 0700 that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keypool-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A master key as the process environment gives it. */
export function masterOf(text: string): MasterKeySource {
  return {
    value: { variable: 'MASTER_ENCRYPTION_KEY', file: null, text },
    file: null,
    command: null,
  };
}

/** Looks like a key to a person, and is none. */
export function fakeKey(): string {
  return `sk-test-${randomBytes(12).toString('hex')}`;
}
