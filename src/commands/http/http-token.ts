/** The bearer token of the HTTP server: configured, or generated into the home folder. */

import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import type { Config } from '../../config.ts';

export interface HttpToken {
  readonly token: string;
  /** False for the generated one: enough on this machine, not enough for a network. */
  readonly isConfigured: boolean;
}

const FILE_NAME = 'http-token';
const TOKEN = /^[\x21-\x7e]{8,512}$/;
/** Shorter ones can be guessed by a patient program. */
const SOUND_LENGTH = 16;
const BYTES = 32;

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function checked(token: string, origin: string): string {
  if (TOKEN.test(token)) return token;
  throw new ConfigError(`${origin} holds no usable token`, {
    hint: 'use 8 to 512 printable characters without spaces, for instance from: openssl rand -hex 32',
  });
}

async function readToken(path: string, origin: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ConfigError(`cannot read the token file ${path}`, {
      cause,
      hint: 'check that it exists and that you may read it',
    });
  });
  return checked(text.trim(), origin);
}

/** Whoever can read the file can spend the keys. */
async function refuseOpenFile(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  throw new ConfigError(`the token file ${path} can be read by others`, {
    hint: `delete it and start again: a new token is made (or: chmod 600 ${path})`,
  });
}

async function generatedToken(home: string): Promise<string> {
  const path = join(home, FILE_NAME);
  await mkdir(home, { recursive: true, mode: 0o700 });
  try {
    const file = await open(path, 'wx', 0o600);
    const token = randomBytes(BYTES).toString('base64url');
    await file.writeFile(`${token}\n`);
    await file.sync();
    await file.close();
    return token;
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') {
      throw new ConfigError(`cannot write the token file ${path}`, {
        cause,
        hint: 'make the home folder writable, or set KEYPOOL_HTTP_TOKEN',
      });
    }
  }
  await refuseOpenFile(path);
  return readToken(path, path);
}

export function isSound({ token }: HttpToken): boolean {
  return token.length >= SOUND_LENGTH;
}

/** @throws ConfigError naming variable or file, never the token */
export async function findHttpToken(config: Config): Promise<HttpToken> {
  const { text, file } = config.httpToken;
  if (text !== null && file !== null) {
    throw new ConfigError('KEYPOOL_HTTP_TOKEN and KEYPOOL_HTTP_TOKEN_FILE are both set', {
      hint: 'keep one of them',
    });
  }
  if (text !== null) return { token: checked(text, 'KEYPOOL_HTTP_TOKEN'), isConfigured: true };
  if (file !== null) {
    return { token: await readToken(file, 'KEYPOOL_HTTP_TOKEN_FILE'), isConfigured: true };
  }
  return { token: await generatedToken(config.home), isConfigured: false };
}
