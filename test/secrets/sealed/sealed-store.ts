/** A new v2 store in a folder of its own, opened again, refused, or read as it lies there. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { masterOf, temporaryFolder } from '../../../lab/store.ts';
import { KeyStoreError } from '../../../src/base/errors.ts';
import { KeyStore } from '../../../src/secrets/key-store.ts';
import { generateMasterKey } from '../../../src/secrets/master-key.ts';

export const GENERATED = generateMasterKey();

export async function newStore(master = GENERATED): Promise<KeyStore> {
  const path = join(temporaryFolder(), 'store.json');
  return KeyStore.create({ path, masterKey: masterOf(master) });
}

export function reopen(store: KeyStore, master = GENERATED): Promise<KeyStore> {
  return KeyStore.open({ path: store.path, masterKey: masterOf(master) });
}

export async function refusal(promise: Promise<unknown>): Promise<KeyStoreError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KeyStoreError))
    throw new Error('expected a KeyStoreError', { cause: error });
  return error;
}

export const json = (store: KeyStore) => JSON.parse(readFileSync(store.path, 'utf8'));
