/**
 * A new master key for every store that the old one opens, safe to kill at any step and to run
 * again:
 *
 *     add recipient → switch the settings → verify → drop
 *
 * Until the switch the old master opens everything; between switch and drop both do. Several
 * stores (one for each environment) share a master key, so each step is done for all of them
 * before the next.
 */

import { CommandError, KeyStoreError } from '../base/errors.ts';
import { KeyStore } from './key-store.ts';
import { classifyMasterKey, generateMasterKey, type MasterKeySource } from './master-key.ts';

const NEXT = 'next';

export interface RotationHost {
  /** Every store that may share the master key. */
  readonly paths: readonly string[];
  /** Reads the settings anew. */
  readonly masterKey: () => MasterKeySource;
  /** Makes `text` the configured master key, atomically and durably. */
  readonly switchTo: (text: string) => Promise<void>;
}

export interface RotationResult {
  readonly rotated: readonly string[];
  /** Stores of other masters, or not readable: left as they are, with the reason. */
  readonly left: ReadonlyArray<{ readonly path: string; readonly reason: string }>;
  /** True when this run finished one that was interrupted after the switch. */
  readonly isFinished: boolean;
}

interface Opened {
  readonly stores: readonly KeyStore[];
  readonly left: RotationResult['left'];
}

/** A store that this master does not open keeps its own; a damaged one stops the rotation. */
async function openAll(host: RotationHost): Promise<Opened> {
  const masterKey = host.masterKey();
  const stores: KeyStore[] = [];
  const left: Array<{ path: string; reason: string }> = [];
  for (const path of host.paths) {
    try {
      stores.push(await KeyStore.open({ path, masterKey, masterKeyNow: host.masterKey }));
    } catch (error) {
      if (!(error instanceof KeyStoreError) || error.code !== 'wrong_master') throw error;
      left.push({ path, reason: 'another master key opens it' });
    }
  }
  return { stores, left };
}

function refuseLegacy(stores: readonly KeyStore[]): void {
  const legacy = stores.find((store) => store.format === 'fernet');
  if (legacy === undefined) return;
  throw new CommandError(`${legacy.path} is a legacy store, which only one master key can open`, {
    hint: 'run keypool-mcp keys migrate for it first; nothing was changed',
  });
}

async function dropOld(stores: readonly KeyStore[]): Promise<void> {
  for (const store of stores) {
    if (store.recipients.length > 1 || store.openedBy === NEXT) await store.dropOtherRecipients();
  }
}

/**
 * @throws KeyStoreError, CommandError; then the master key that is configured still opens the stores
 */
export async function rotateMaster(host: RotationHost): Promise<RotationResult> {
  const { stores, left } = await openAll(host);
  const rotated = stores.map((store) => store.path);
  refuseLegacy(stores);
  if (stores.some((store) => store.openedBy === NEXT)) {
    // The settings hold the new master: what was interrupted comes after the switch.
    await dropOld(stores);
    return { rotated, left, isFinished: true };
  }
  const text = generateMasterKey();
  const master = classifyMasterKey(text, 'the new master key');
  // An earlier run may have died here: its recipient, whose key nobody has, is replaced.
  for (const store of stores) await store.addRecipient(master, NEXT);
  await host.switchTo(text);
  const { stores: switched } = await openAll(host);
  if (switched.length !== stores.length || switched.some((store) => store.openedBy !== NEXT)) {
    throw new CommandError('the new master key did not come into use', {
      hint: 'old and new key both open the stores; look at the settings file, then run the command again',
    });
  }
  await dropOld(switched);
  return { rotated, left, isFinished: false };
}
