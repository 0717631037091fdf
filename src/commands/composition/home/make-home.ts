/**
 * Home folder, master key and an empty store, made where they are missing: by `init`, and by the
 * page that takes a first key. What exists is never overwritten.
 */

import { readdir, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError, DiskError, KeyStoreError } from '../../../base/errors.ts';
import { type Config, type Environment, type GlobalFlags, loadConfig } from '../../../config.ts';
import { createFile } from '../../../disk/create-file.ts';
import { withFileLock } from '../../../disk/file-lock.ts';
import { resolveLinks } from '../../../disk/links.ts';
import { makeFolder } from '../../../disk/make-folder.ts';
import { KeyStore } from '../../../secrets/key-store.ts';
import { describeMasterKey, generateMasterKey } from '../../../secrets/master-key.ts';
import { SealedMemory } from '../../../secrets/store/sealed-memory.ts';
import { asKeyStoreError } from '../../../secrets/store/store-text.ts';
import { storeInVault, type Vault } from '../../../secrets/vault/vaults.ts';
import { setVariable } from './settings-file.ts';

const VARIABLE = 'MASTER_ENCRYPTION_KEY';
export const COMMAND_VARIABLE = 'MASTER_ENCRYPTION_KEY_COMMAND';

function ensureFolder(path: string): Promise<readonly string[]> {
  return makeFolder(path).catch((cause: unknown) => {
    const what = cause instanceof DiskError ? cause.message : `cannot write ${path}`;
    throw new ConfigError(`the folder cannot be made: ${what}`, {
      cause,
      hint: 'name another one with --home or KEYPOOL_HOME',
    });
  });
}

const GITIGNORE = '.gitignore';

/** Somebody's repository may be around the home; what is there already is theirs. */
async function ignoreInGit(home: string): Promise<void> {
  await createFile(join(home, GITIGNORE), '*\n').catch((error: unknown) => {
    if (!(error instanceof DiskError) || error.code !== 'exists') throw asKeyStoreError(error);
  });
}

/** Folders that were made for a home that came to nothing; one that holds anything stays. */
async function takeBack(home: string, made: readonly string[]): Promise<void> {
  const names: string[] = await readdir(home).catch(() => []);
  if (made.length === 0 || names.some((name) => name !== GITIGNORE)) return;
  await unlink(join(home, GITIGNORE)).catch(() => {});
  // A folder that somebody has put something into by now is not empty, and neither is any above it.
  for (const folder of made.toReversed()) await rmdir(folder).catch(() => {});
}

/** Stores that a master key once opened: a new one would hide that theirs is gone. */
async function orphanedStore(config: Config): Promise<string | null> {
  const names: string[] = await readdir(config.home).catch(() => []);
  const found = names.find((name) => /^store(?:\.[\w-]+)?\.json$/.test(name));
  if (found !== undefined) return join(config.home, found);
  const folder: string[] = await readdir(dirname(config.storePath)).catch(() => []);
  return folder.includes(basename(config.storePath)) ? config.storePath : null;
}

interface HomeWishes {
  readonly flags: GlobalFlags;
  readonly env: Environment;
  /** Where a new master key is to be; null for the settings file. */
  readonly vault: Vault | null;
}

interface Prepared {
  readonly config: Config;
  /** Where the master key is, in words. */
  readonly where: string;
}

/** What is there is never replaced; that it is not where it was asked for is said. */
function refuseToMove(config: Config, from: string): void {
  if (config.masterKey.command !== null) return;
  throw new ConfigError(`a master key is configured already, from ${from}; nothing was changed`, {
    hint: `to keep it elsewhere, store it there yourself, and put ${COMMAND_VARIABLE}=… in its place, with the command that prints it`,
  });
}

async function ensureMasterKey(
  { flags, env, vault }: HomeWishes,
  dotenvPath: string,
): Promise<Prepared> {
  const path = await resolveLinks(dotenvPath);
  return withFileLock(path, async (lock) => {
    // Read again under the lock: another init may have been quicker.
    const config = loadConfig(flags, env);
    const from = describeMasterKey(config.masterKey);
    if (from !== null) {
      if (vault !== null) refuseToMove(config, from);
      return { config, where: `yours, from ${from}` };
    }
    const orphan = await orphanedStore(config);
    if (orphan !== null) {
      throw new KeyStoreError('no_master', `${orphan} exists, and its master key is gone`, {
        hint: `put ${VARIABLE} back into ${dotenvPath}; if it is lost, move the store away and run init again`,
      });
    }
    let where = `generated, in ${dotenvPath} (only you can read it)`;
    if (vault === null) await setVariable(path, VARIABLE, generateMasterKey(), lock);
    else {
      const { command: line, name } = await storeInVault(vault, generateMasterKey());
      await setVariable(path, COMMAND_VARIABLE, line, lock);
      where = `generated, in ${vault} as ${name}; ${dotenvPath} has the command that prints it`;
    }
    return { config: loadConfig(flags, env), where };
  });
}

export interface MadeHome {
  readonly store: KeyStore;
  /** Where the master key is, in words. */
  readonly masterKey: string;
}

/**
 * @throws ConfigError, KeyStoreError; in a home that holds a store whose master key is gone nothing
 *   is made
 */
export async function makeHome(wishes: HomeWishes): Promise<MadeHome> {
  const { home, isHomeless, dotenvPath } = loadConfig(wishes.flags, wishes.env);
  if (isHomeless) {
    throw new ConfigError('this user has no home folder', {
      hint: 'set KEYPOOL_HOME or give --home',
    });
  }
  const made = await ensureFolder(home);
  await ignoreInGit(home);
  const { config, where } = await ensureMasterKey(wishes, dotenvPath).catch(
    async (error: unknown) => {
      await takeBack(home, made);
      throw asKeyStoreError(error);
    },
  );
  await ensureFolder(dirname(config.storePath));
  const store = await KeyStore.create({
    path: config.storePath,
    masterKey: config.masterKey,
    memory: new SealedMemory(home),
  });
  return { store, masterKey: where };
}
