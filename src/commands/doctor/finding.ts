/** What a check says. Only those of the network touch the network. */

import { stat } from 'node:fs/promises';
import { platform } from 'node:process';
import { KeyStoreError } from '../../base/errors.ts';

export interface Finding {
  /** One or two words: "master key". */
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** The next step; empty when there is none. */
  readonly hint: string;
}

export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message, hint: '' };
}

/** Permission bits for group and others; 0 where the system has none. */
export async function openBits(path: string): Promise<number | null> {
  const info = await stat(path).catch(() => null);
  if (info === null) return null;
  return platform === 'win32' ? 0 : info.mode & 0o077;
}

export function failed(check: string, error: unknown): Finding {
  if (!(error instanceof KeyStoreError)) throw error;
  return { check, status: 'fail', message: error.message, hint: error.hint };
}
