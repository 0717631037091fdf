/** One version of a store as it was read: its text, what it holds, and the master key that opened it. */

import { KeyStoreError } from '../base/errors.ts';
import { type MasterKey, type MasterKeySource, readMasterKey } from './master-key.ts';
import { type OpenedDocument, openDocument } from './open-document.ts';
import { readStoreText } from './store-text.ts';

export interface StoreLocation {
  readonly path: string;
  /** A function is asked again when the file changes: a rotation changes both. */
  readonly masterKey: MasterKeySource | (() => MasterKeySource);
}

export interface StoreVersion {
  readonly text: string;
  readonly document: OpenedDocument;
  readonly master: MasterKey;
}

export function masterOf(location: StoreLocation): Promise<MasterKey> {
  const { masterKey } = location;
  return readMasterKey(typeof masterKey === 'function' ? masterKey() : masterKey);
}

/** A missing store is named before a missing master: both come from a missing `init`. */
export async function readVersion(location: StoreLocation): Promise<StoreVersion> {
  const text = await readStoreText(location.path);
  const master = await masterOf(location);
  return { text, master, document: await openDocument(location.path, text, master) };
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
  const { master } = version;
  try {
    return { text, master, document: await openDocument(location.path, text, master) };
  } catch (error) {
    if (!(error instanceof KeyStoreError) || error.code !== 'wrong_master') throw error;
    return readVersion(location);
  }
}
