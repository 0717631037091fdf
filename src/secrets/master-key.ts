/**
 * Where the master key comes from, and what kind it is.
 *
 * A generated one is typed: `kpm1_`, 43 characters for 32 random bytes, and six of checksum, so
 * that a slip of the finger is told apart from a wrong key, and a secret scanner can find it.
 */

import { createHash, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { platform } from 'node:process';
import { DiskError, type DiskErrorCode, KeyStoreError } from '../base/errors.ts';
import { readWholeFile } from '../disk/read-file.ts';

/** The same shape as `Config.masterKey`; this folder does not import the configuration. */
export interface MasterKeySource {
  readonly value: {
    readonly variable: string;
    /** The settings file that holds it; null when the process environment does. */
    readonly file: string | null;
    readonly text: string;
  } | null;
  readonly file: {
    readonly variable: string;
    readonly file: string | null;
    readonly path: string;
  } | null;
}

export type MasterKeyKind = 'generated' | 'passphrase';

export interface MasterKey {
  readonly kind: MasterKeyKind;
  readonly text: string;
}

const PREFIX = 'kpm1_';
const SECRET_BYTES = 32;
const SECRET_CHARACTERS = 43;
const CHECKSUM_CHARACTERS = 6;
const TAIL = SECRET_CHARACTERS + CHECKSUM_CHARACTERS;
const MIN_PASSPHRASE = 16;
/** A key file holds one line; anything larger is another file named by mistake. */
const MAX_KEY_FILE_BYTES = 4096;

function checksum(secret: string): string {
  const hash = createHash('sha256')
    .update(PREFIX + secret)
    .digest('base64url');
  return hash.slice(0, CHECKSUM_CHARACTERS);
}

export function generateMasterKey(): string {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return PREFIX + secret + checksum(secret);
}

/** True when these 49 characters can only have come out of `generateMasterKey`. */
function isGeneratedTail(tail: string): boolean {
  const secret = tail.slice(0, SECRET_CHARACTERS);
  return tail.length === TAIL && tail.slice(SECRET_CHARACTERS) === checksum(secret);
}

/**
 * Tells the kind of a master key.
 *
 * @param from where it stands, for the message
 * @throws KeyStoreError bad_master for a generated key with a typing error, also one in its prefix
 */
export function classifyMasterKey(text: string, from: string): MasterKey {
  const isTyped = text.startsWith(PREFIX) && isGeneratedTail(text.slice(PREFIX.length));
  if (isTyped) return { kind: 'generated', text };
  if (/^kpm1_/i.test(text) || isGeneratedTail(text.slice(-TAIL))) {
    throw new KeyStoreError('bad_master', `the master key in ${from} has a typing error`, {
      hint: 'its checksum does not match: compare it with your copy, character by character',
    });
  }
  return { kind: 'passphrase', text };
}

/**
 * Files that exist are opened with whatever opens them; a new one wants a passphrase worth it.
 *
 * @throws KeyStoreError bad_master
 */
export function checkStrength(master: MasterKey): void {
  if (master.kind === 'generated' || [...master.text].length >= MIN_PASSPHRASE) return;
  throw new KeyStoreError(
    'bad_master',
    `the master key is too short for a new store (fewer than ${MIN_PASSPHRASE} characters)`,
    { hint: 'leave MASTER_ENCRYPTION_KEY out and run keypool-mcp init: it generates one' },
  );
}

/** As ssh does with private keys. Windows has no such bits. */
function refuseIfOthersCanRead(path: string, mode: number): void {
  if (platform === 'win32' || (mode & 0o077) === 0) return;
  throw new KeyStoreError('bad_master', `others can read ${path}, which holds the master key`, {
    hint: `run: chmod 600 ${path}`,
  });
}

const FILE_PROBLEMS: Partial<Record<DiskErrorCode, (path: string) => string>> = {
  missing: (path) => `the master key file ${path} does not exist`,
  not_a_file: (path) => `the master key file ${path} is not a file`,
  too_large: (path) => `${path} is too large to be a master key file`,
};

async function readKeyFile(path: string): Promise<string> {
  try {
    const { bytes, info } = await readWholeFile(path, MAX_KEY_FILE_BYTES);
    refuseIfOthersCanRead(path, info.mode);
    return bytes
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .trim();
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    const message = FILE_PROBLEMS[cause.code]?.(path) ?? `cannot read the master key file ${path}`;
    throw new KeyStoreError('bad_master', message, {
      cause,
      hint: 'check MASTER_ENCRYPTION_KEY_FILE, and that the file is yours (chmod 600)',
    });
  }
}

function describeSource(origin: {
  readonly variable: string;
  readonly file: string | null;
}): string {
  return origin.file === null ? `the variable ${origin.variable}` : origin.file;
}

/**
 * Reads and judges the configured master key.
 *
 * @throws KeyStoreError no_master when none is configured; bad_master when two are, when a
 *   generated one is mistyped, when its file is unreadable, or when others can read it
 */
export async function readMasterKey(source: MasterKeySource): Promise<MasterKey> {
  const { value, file } = source;
  if (value !== null && file !== null) {
    throw new KeyStoreError(
      'bad_master',
      `two master keys are configured: ${value.variable} and ${file.variable}`,
      { hint: `keep one of them; see ${describeSource(value)} and ${describeSource(file)}` },
    );
  }
  if (file !== null) {
    const text = await readKeyFile(file.path);
    if (text !== '') return classifyMasterKey(text, file.path);
    throw new KeyStoreError('bad_master', `the master key file ${file.path} is empty`, {
      hint: 'put the master key on its first line',
    });
  }
  if (value === null) {
    throw new KeyStoreError('no_master', 'no master key is configured', {
      hint: 'run keypool-mcp init, or set MASTER_ENCRYPTION_KEY or MASTER_ENCRYPTION_KEY_FILE',
    });
  }
  if (value.file !== null) {
    const info = await stat(value.file).catch(() => null);
    refuseIfOthersCanRead(value.file, info?.mode ?? 0);
  }
  return classifyMasterKey(value.text, describeSource(value));
}
