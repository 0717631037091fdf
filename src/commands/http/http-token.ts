/** The bearer token of the HTTP server: configured, or generated into the home folder. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { platform } from 'node:process';
import { ConfigError, DiskError } from '../../base/errors.ts';
import type { Config } from '../../config.ts';
import { withFileLock } from '../../disk/file-lock.ts';
import { makeFolder } from '../../disk/make-folder.ts';
import { type FileContents, readWholeFile } from '../../disk/read-file.ts';
import { replaceFile, sweepOrphans } from '../../disk/replace-file.ts';

export interface HttpToken {
  readonly token: string;
  /** False for the generated one: enough on this machine, not enough for a network. */
  readonly isConfigured: boolean;
  /** What should not be left as it is; null when all is well. */
  readonly warning: { readonly message: string; readonly hint: string } | null;
}

const FILE_NAME = 'http-token';
const TOKEN = /^[\x21-\x7e]{8,512}$/;
/** Shorter ones can be guessed by a patient program. */
const SOUND_LENGTH = 16;
const BYTES = 32;
/** A token is a line; anything larger is another file. */
const MAX_BYTES = 4_096;
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

function checked(token: string, origin: string): string {
  if (TOKEN.test(token)) return token;
  throw new ConfigError(`${origin} holds no usable token`, {
    hint: 'use 8 to 512 printable characters without spaces, for instance from: openssl rand -hex 32',
  });
}

function modeOf({ info }: FileContents): number {
  return platform === 'win32' ? 0 : info.mode;
}

/** Docker and Kubernetes hand secrets to everybody in the container: that is warned about. */
async function configuredToken(path: string): Promise<HttpToken> {
  const file = await readWholeFile(path, MAX_BYTES).catch((cause: unknown) => {
    const why = cause instanceof DiskError ? cause.message : 'it failed';
    throw new ConfigError(`cannot read the token file: ${why}`, {
      cause,
      hint: 'check that KEYPOOL_HTTP_TOKEN_FILE names a file that you may read',
    });
  });
  if ((modeOf(file) & OTHERS_WRITE) !== 0) {
    throw new ConfigError(`others can write the token file ${path}, and let themselves in`, {
      hint: `put a new token into it, then run: chmod 600 ${path}`,
    });
  }
  const hint = `run: chmod 600 ${path}, unless it is mounted into a container of its own`;
  const message = `others can read the token file ${path}, and spend the keys`;
  return {
    token: checked(file.bytes.toString('utf8').trim(), 'KEYPOOL_HTTP_TOKEN_FILE'),
    isConfigured: true,
    warning: (modeOf(file) & OTHERS) === 0 ? null : { message, hint },
  };
}

/** The text in the file that an earlier start generated; empty when there is none. */
async function earlierToken(path: string): Promise<string> {
  const file = await readWholeFile(path, MAX_BYTES).catch((error: unknown) => {
    if (error instanceof DiskError && error.code === 'missing') return null;
    throw error;
  });
  if (file === null) return '';
  // Whoever can read the file can spend the keys.
  if ((modeOf(file) & OTHERS) !== 0) {
    throw new ConfigError(`the token file ${path} can be read by others`, {
      hint: `delete it and start again: a new token is made (or: chmod 600 ${path})`,
    });
  }
  return file.bytes.toString('utf8').trim();
}

/** An empty file is what a full disk left of an earlier start. */
async function generatedToken(home: string): Promise<string> {
  const path = join(home, FILE_NAME);
  try {
    const known = await earlierToken(path);
    if (known !== '') return checked(known, path);
    await makeFolder(home);
    return await withFileLock(path, async (lock) => {
      const other = await earlierToken(path);
      if (other !== '') return checked(other, path);
      const token = randomBytes(BYTES).toString('base64url');
      await sweepOrphans(path);
      await replaceFile(path, `${token}\n`, { lock });
      return token;
    });
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    throw new ConfigError(`there is no token file, and none can be made: ${cause.message}`, {
      cause,
      hint:
        cause.code === 'not_a_file'
          ? cause.hint
          : 'make the home folder writable, or set KEYPOOL_HTTP_TOKEN',
    });
  }
}

export function isSound({ token }: HttpToken): boolean {
  return token.length >= SOUND_LENGTH;
}

/**
 * What `findHttpToken` would find; null where it would make one.
 *
 * @throws ConfigError, DiskError naming variable or file, never the token
 */
export async function presentHttpToken(config: Config): Promise<HttpToken | null> {
  const { text, file } = config.httpToken;
  if (text !== null || file !== null) return findHttpToken(config);
  const path = join(config.home, FILE_NAME);
  const token = await earlierToken(path);
  if (token === '') return null;
  return { token: checked(token, path), isConfigured: false, warning: null };
}

/** @throws ConfigError naming variable or file, never the token */
export async function findHttpToken(config: Config): Promise<HttpToken> {
  const { text, file } = config.httpToken;
  if (text !== null && file !== null) {
    throw new ConfigError('KEYPOOL_HTTP_TOKEN and KEYPOOL_HTTP_TOKEN_FILE are both set', {
      hint: 'keep one of them',
    });
  }
  if (text !== null) {
    return { token: checked(text, 'KEYPOOL_HTTP_TOKEN'), isConfigured: true, warning: null };
  }
  if (file !== null) return configuredToken(file);
  if (config.isHomeless) {
    throw new ConfigError('this user has no home folder to keep a token in', {
      hint: 'set KEYPOOL_HTTP_TOKEN or KEYPOOL_HOME',
    });
  }
  return { token: await generatedToken(config.home), isConfigured: false, warning: null };
}
