/** One version of a store as it was read: its text, what it holds, and the master key that opened it. */

import { KeyStoreError } from '../../base/errors.ts';
import { type MasterKey, type MasterKeySource, readMasterKey } from '../master-key.ts';
import { type OpenedDocument, openDocument } from './open-document.ts';
import { downgraded, type SealedMemory } from './sealed-memory.ts';
import { readStoreText } from './store-text.ts';

export interface StoreLocation {
  readonly path: string;
  readonly masterKey: MasterKeySource;
  /** Asked when the key that is known opens the file no more: a rotation changes both. */
  readonly masterKeyNow?: () => MasterKeySource;
  /** Tells a legacy store from one that was put in the place of a v2 store. */
  readonly memory?: SealedMemory;
}

export interface StoreVersion {
  readonly text: string;
  readonly document: OpenedDocument;
  readonly master: MasterKey;
}

/**
 * A missing store is named before a missing master: both come from a missing `init`.
 *
 * @throws KeyStoreError as `KeyStore.open`
 */
async function readVersion(
  location: StoreLocation,
  source: MasterKeySource = location.masterKey,
  isFresh = false,
): Promise<StoreVersion> {
  const { path, memory } = location;
  const text = await readStoreText(path);
  const master = await readMasterKey(source, isFresh);
  const document = await openDocument(path, text, master);
  if (document.format === 'sealed') await memory?.remember(path);
  else if ((await memory?.has(path)) === true) throw downgraded(path, memory?.path ?? null);
  return { text, master, document };
}

function isWrongMaster(error: unknown): boolean {
  return error instanceof KeyStoreError && error.code === 'wrong_master';
}

/**
 * A rotation may come between reading the settings and reading the file: then they are read once
 * more. What a command prints stays what it was, for no rotation changes it.
 *
 * @throws KeyStoreError as `KeyStore.open`
 */
export async function firstVersion(location: StoreLocation): Promise<StoreVersion> {
  try {
    return await readVersion(location);
  } catch (error) {
    if (!isWrongMaster(error)) throw error;
    const now = location.masterKeyNow?.();
    if (now === undefined || now.command !== null) throw error;
    return readVersion(location, now);
  }
}

/**
 * What stands in the file now; `version` itself when that is what it was read from. The master key
 * in memory is tried before the sources are asked again.
 */
export async function refreshed(
  version: StoreVersion,
  location: StoreLocation,
): Promise<StoreVersion> {
  const text = await readStoreText(location.path);
  if (text === version.text) return version;
  const next = await reopened(version.master, text, location);
  const isDowngrade = version.document.format === 'sealed' && next.document.format === 'fernet';
  if (isDowngrade) throw downgraded(location.path, location.memory?.path ?? null);
  return next;
}

async function reopened(
  master: MasterKey,
  text: string,
  location: StoreLocation,
): Promise<StoreVersion> {
  try {
    return { text, master, document: await openDocument(location.path, text, master) };
  } catch (error) {
    if (!isWrongMaster(error)) throw error;
    return readVersion(location, location.masterKeyNow?.(), true);
  }
}
