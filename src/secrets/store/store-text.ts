/** The store's file, and the disk's errors in the words of a key store. */

import {
  DiskError,
  type DiskErrorCode,
  KeyStoreError,
  type KeyStoreErrorCode,
} from '../../base/errors.ts';
import { decodeUtf8 } from '../../base/text/strict-utf8.ts';
import { readWholeFile } from '../../disk/read-file.ts';

/** Thousands of keys fit; what is larger is another file named by mistake. */
const MAX_BYTES = 16 * 1024 * 1024;

const CODES: Readonly<Record<DiskErrorCode, KeyStoreErrorCode>> = {
  missing: 'missing',
  not_a_file: 'unreadable',
  unreadable: 'unreadable',
  too_large: 'malformed',
  exists: 'write_failed',
  locked: 'locked',
  lock_lost: 'locked',
  write_failed: 'write_failed',
};

/** What the disk did to a store or a master key, as an error that ends a command with 3. */
export function asKeyStoreError(error: unknown): unknown {
  if (!(error instanceof DiskError)) return error;
  return new KeyStoreError(CODES[error.code], error.message, { cause: error, hint: error.hint });
}

function readError(path: string, error: DiskError): KeyStoreError {
  const code = CODES[error.code];
  switch (error.code) {
    case 'missing':
      return new KeyStoreError(code, `there is no key store at ${path}`, {
        cause: error,
        hint: 'run keypool-mcp init, or name another file with --store',
      });
    case 'not_a_file':
      return new KeyStoreError(code, `the key store ${error.message}`, {
        cause: error,
        hint: 'name the file itself with --store or KEYPOOL_STORE',
      });
    case 'too_large':
      return new KeyStoreError(code, `${path} is too large to be a key store`, {
        cause: error,
        hint: 'name the right file with --store or KEYPOOL_STORE',
      });
    default:
      return new KeyStoreError(code, `the key store: ${error.message}`, {
        cause: error,
        hint: error.hint,
      });
  }
}

/** @throws KeyStoreError missing, unreadable, malformed */
export async function readStoreText(path: string): Promise<string> {
  try {
    const { bytes } = await readWholeFile(path, MAX_BYTES);
    const text = decodeUtf8(bytes);
    if (text !== null) return text;
  } catch (error) {
    throw error instanceof DiskError ? readError(path, error) : error;
  }
  throw new KeyStoreError('malformed', `${path} is no key store: it is not UTF-8 text`, {
    hint: 'restore it from a backup, or name the right file with --store; it was left as it is',
  });
}
