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
import { readByCommand } from './vault/master-command.ts';

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
  readonly command: {
    readonly variable: string;
    readonly file: string | null;
    readonly line: string;
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

/** Where the master key comes from, in words; null where none is configured. */
export function describeMasterKey({ value, file, command }: MasterKeySource): string | null {
  if (file !== null) return file.path;
  const origin = value ?? command;
  if (origin === null) return null;
  if (command !== null) return describeCommand(command);
  return origin.file ?? `the variable ${origin.variable}`;
}

function describeCommand(command: { readonly variable: string; readonly file: string | null }) {
  return command.file === null ? command.variable : `${command.variable} of ${command.file}`;
}

const COUNTS = ['no', 'one', 'two', 'three'];

/** @throws KeyStoreError bad_master when more than one is configured: which one counts? */
function refuseSeveral({ value, file, command }: MasterKeySource): void {
  const origins = [value, file, command].filter((origin) => origin !== null);
  if (origins.length < 2) return;
  const names = origins.map(({ variable }) => variable);
  const places = origins.map((origin) => origin.file ?? 'the environment');
  throw new KeyStoreError(
    'bad_master',
    `${COUNTS[origins.length]} master keys are configured: ${names.join(' and ')}`,
    { hint: `keep one of them; see ${[...new Set(places)].join(' and ')}` },
  );
}

/**
 * Reads and judges the configured master key.
 *
 * @param isFresh a command is run again, though it was in this process: its key is another one now
 * @throws KeyStoreError no_master when none is configured; bad_master when several are, when a
 *   generated one is mistyped, when its file is unreadable, when others can read it, or when its
 *   command fails
 */
export async function readMasterKey(source: MasterKeySource, isFresh = false): Promise<MasterKey> {
  refuseSeveral(source);
  const { value, file, command } = source;
  if (command !== null) {
    const from = describeCommand(command);
    return classifyMasterKey(
      await readByCommand(command.line, `the command in ${from}`, isFresh),
      from,
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
      hint: 'run keypool-mcp init, or set MASTER_ENCRYPTION_KEY, _FILE or _COMMAND',
    });
  }
  if (value.file !== null) {
    const info = await stat(value.file).catch(() => null);
    refuseIfOthersCanRead(value.file, info?.mode ?? 0);
  }
  return classifyMasterKey(value.text, value.file ?? `the variable ${value.variable}`);
}
