/** From a master key to the keys that encrypt. Asynchronous: PBKDF2 runs on the thread pool. */

import { hkdfSync, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { FERNET_KEY_BYTES } from './fernet/fernet.ts';

const pbkdf2Async = promisify(pbkdf2);

export const KEY_BYTES = 32;

/** OWASP's figure for PBKDF2-HMAC-SHA256. The cap keeps a changed file from costing minutes. */
export const PBKDF2_ITERATIONS = 600_000;
export const MIN_PBKDF2_ITERATIONS = 600_000;
export const MAX_PBKDF2_ITERATIONS = 10_000_000;

const FERNET_ITERATIONS = 100_000;
const FERNET_SALT_BYTES = 16;

const derived = new WeakMap<object, Map<string, Promise<Buffer>>>();

/**
 * A store is opened again before every write and after every change on disk; the expensive part is
 * done once for each master key in memory, and goes when that goes.
 */
export function derivedOnce(
  master: object,
  id: string,
  derive: () => Promise<Buffer>,
): Promise<Buffer> {
  const known = derived.get(master) ?? new Map<string, Promise<Buffer>>();
  derived.set(master, known);
  const key = known.get(id) ?? derive();
  known.set(id, key);
  return key;
}

export function stretch(passphrase: string, salt: Uint8Array, iterations: number): Promise<Buffer> {
  return pbkdf2Async(Buffer.from(passphrase, 'utf8'), salt, iterations, KEY_BYTES, 'sha256');
}

/** A sub-key for one purpose; `info` names it. */
export function subKey(secret: Uint8Array, salt: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, KEY_BYTES));
}

/**
 * The salts that "the first 16 bytes of the master key" may mean, likeliest first: of its text, or
 * of what the text is the base64 of. Programs of both kinds wrote files.
 */
export function fernetSalts(master: string): Buffer[] {
  const text = Buffer.from(master, 'utf8').subarray(0, FERNET_SALT_BYTES);
  const decoded = Buffer.from(master, 'base64').subarray(0, FERNET_SALT_BYTES);
  return decoded.length === 0 || decoded.equals(text) ? [text] : [text, decoded];
}

export function deriveFernetKey(master: string, salt: Uint8Array): Promise<Buffer> {
  const password = Buffer.from(master, 'utf8');
  return pbkdf2Async(password, salt, FERNET_ITERATIONS, FERNET_KEY_BYTES, 'sha256');
}
