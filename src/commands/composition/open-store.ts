/** Config → opened KeyStore, for the commands and for the server. */

import { ConfigError, KeyStoreError } from '../../base/errors.ts';
import type { Config } from '../../config.ts';
import { watchPath } from '../../disk/path-watch.ts';
import { KeyStore } from '../../secrets/key-store.ts';
import { SealedMemory } from '../../secrets/sealed-memory.ts';

/** Says which environment has no store, instead of falling back to another one. */
function explainMissing(config: Config, error: KeyStoreError): KeyStoreError {
  if (error.code !== 'missing' || config.environment === null) return error;
  return new KeyStoreError(
    'missing',
    `the environment ${config.environment} has no key store (${config.storePath})`,
    {
      cause: error,
      hint: `check the name, or make the store: keypool-mcp init --environment ${config.environment}`,
    },
  );
}

/**
 * Opens the configured store. The key derivation runs on the thread pool: start it early.
 *
 * @param reload asked for the master key when the file changes; default: the one of `config`
 * @throws KeyStoreError as `KeyStore.open`
 */
export async function openConfiguredStore(
  config: Config,
  reload: () => Config = () => config,
): Promise<KeyStore> {
  try {
    return await KeyStore.open({
      path: config.storePath,
      masterKey: () => reload().masterKey,
      memory: new SealedMemory(config.home),
    });
  } catch (error) {
    throw error instanceof KeyStoreError ? explainMissing(config, error) : error;
  }
}

/** A settings file that is broken just now is a reason like any other. */
function asStoreError(error: unknown): KeyStoreError {
  if (error instanceof KeyStoreError) return error;
  const isConfig = error instanceof ConfigError;
  return new KeyStoreError(
    'unreadable',
    isConfig ? error.message : 'the key store cannot be read',
    {
      cause: error,
      hint: isConfig ? error.hint : 'run keypool-mcp doctor',
    },
  );
}

interface StoreFollower {
  /** A store was opened, or the one opened before has new contents. */
  onStore(store: KeyStore): void;
  /** Why there is no store, or why its new version is not taken. Once for each new reason. */
  onError(error: KeyStoreError): void;
}

/**
 * Follows the store from wherever it is now: not there yet, without a master key, or open. What is
 * made by `init` while a server runs is found without a restart.
 *
 * @param load reads the configuration anew; the master key may have come or changed
 * @returns stops following
 */
export function followConfiguredStore(load: () => Config, follower: StoreFollower): () => void {
  const config = load();
  const stops: Array<() => void> = [];
  let isStopped = false;
  let isOpen = false;
  let lastProblem = '';
  let attempt: Promise<void> = Promise.resolve();

  const fail = (error: unknown): void => {
    const problem = asStoreError(error);
    if (problem.message !== lastProblem) follower.onError(problem);
    lastProblem = problem.message;
  };
  const tryOpen = async (): Promise<void> => {
    if (isOpen || isStopped) return;
    try {
      const store = await openConfiguredStore(load(), load);
      if (isStopped) return;
      isOpen = true;
      for (const stop of stops.splice(0)) stop();
      follower.onStore(store);
      stops.push(store.watch(() => follower.onStore(store), follower.onError));
    } catch (error) {
      fail(error);
    }
  };
  const wake = (): void => {
    attempt = attempt.then(tryOpen);
  };
  for (const path of new Set([config.storePath, config.dotenvPath])) {
    stops.push(watchPath(path, wake));
  }
  wake();
  return () => {
    isStopped = true;
    for (const stop of stops.splice(0)) stop();
  };
}
