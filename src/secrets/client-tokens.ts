/**
 * Named tokens of the HTTP server: each may call and not manage. The file holds hashes; a token is
 * 32 random bytes, so that one round of SHA-256 keeps it as well as any slow hash would.
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { CommandError, DiskError } from '../base/errors.ts';
import { withFileLock } from '../disk/file-lock.ts';
import { resolveLinks } from '../disk/links.ts';
import { readWholeFile } from '../disk/read-file.ts';
import { replaceFile, sweepOrphans } from '../disk/replace-file.ts';

export interface ClientToken {
  readonly name: string;
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

const CLIENT = z.object({
  name: z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/)),
  hash: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  createdAt: z.string(),
});
const FILE = z.object({ format: z.literal('keypool-clients'), clients: z.array(CLIENT) });
const MAX_BYTES = 1024 * 1024;
/** Tells a scanner, and a person, what it is. */
const PREFIX = 'kpc1_';
const TOKEN_BYTES = 32;

export function clientTokensPath(home: string): string {
  return join(home, 'clients.json');
}

export function isClientName(text: string): boolean {
  return CLIENT.shape.name.safeParse(text).success;
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Whoever can write the file can let himself in. */
function refuseIfOthersCanWrite(path: string, mode: number): void {
  if (process.platform === 'win32' || (mode & 0o022) === 0) return;
  throw new CommandError(`others can write ${path}, which says who may call`, {
    hint: `look who is in it, then: chmod 600 ${path}; keypool-mcp clients remove NAME takes one out`,
  });
}

function parse(path: string, text: string): readonly ClientToken[] {
  try {
    return FILE.parse(JSON.parse(text)).clients;
  } catch {
    throw new CommandError(`${path} is damaged`, {
      hint: 'move it away and add the clients again; their tokens have to be new',
    });
  }
}

/**
 * @returns none where the file does not exist
 * @throws DiskError, CommandError for a file that is damaged or that others can write
 */
export async function readClientTokens(path: string): Promise<readonly ClientToken[]> {
  try {
    const { bytes, info } = await readWholeFile(path, MAX_BYTES);
    refuseIfOthersCanWrite(path, info.mode);
    return parse(path, bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof DiskError && error.code === 'missing') return [];
    throw error;
  }
}

async function change(
  path: string,
  next: (clients: readonly ClientToken[]) => readonly ClientToken[],
): Promise<void> {
  const target = await resolveLinks(path);
  await withFileLock(target, async (lock) => {
    const clients = next(await readClientTokens(target));
    await sweepOrphans(target);
    const text = JSON.stringify({ format: 'keypool-clients', clients }, null, 2);
    await replaceFile(target, `${text}\n`, { lock });
  });
}

/**
 * @returns the token, which stands nowhere else from here on
 * @throws CommandError when there is a client of that name
 */
export async function addClientToken(path: string, name: string): Promise<string> {
  const token = PREFIX + randomBytes(TOKEN_BYTES).toString('base64url');
  await change(path, (clients) => {
    if (clients.some((client) => client.name === name)) {
      throw new CommandError(`there is a client ${name} already`, {
        hint: `a lost token is not shown again: keypool-mcp clients remove ${name}, then add it anew`,
      });
    }
    const createdAt = new Date().toISOString();
    return [...clients, { name, hash: hashOf(token).toString('hex'), createdAt }];
  });
  return token;
}

/** @throws CommandError when there is none of that name */
export async function removeClientToken(path: string, name: string): Promise<void> {
  await change(path, (clients) => {
    const rest = clients.filter((client) => client.name !== name);
    if (rest.length < clients.length) return rest;
    throw new CommandError('there is no client of that name', {
      hint: 'keypool-mcp clients list shows the names',
    });
  });
}

/** Whose token it is; every hash is compared, whichever fits. */
export function clientOf(clients: readonly ClientToken[], token: string): string | null {
  const hash = hashOf(token);
  const found = clients.filter((client) => timingSafeEqual(Buffer.from(client.hash, 'hex'), hash));
  return found[0]?.name ?? null;
}
