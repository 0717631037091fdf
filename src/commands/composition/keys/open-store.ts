/** Config → opened KeyStore, for the commands and for the server. */

import { statSync } from 'node:fs';
import { ConfigError, KeyStoreError } from '../../../base/errors.ts';
import { type Config, type Environment, type GlobalFlags, loadConfig } from '../../../config.ts';
import { watchPath } from '../../../disk/path-watch.ts';
import { KeyStore } from '../../../secrets/key-store.ts';
import { SealedMemory } from '../../../secrets/store/sealed-memory.ts';
import { secrets } from '../../command.ts';
import type { LiveConfig } from '../home/live-config.ts';
import { useConfiguration, useStore } from './known-secrets.ts';

/** Says which environment has no store, instead of falling back to another one. */
function explainMissing(config: Config, error: KeyStoreError): KeyStoreError {
  if (error.code === 'missing' && config.isHomeless) {
    return new KeyStoreError('missing', 'this user has no home folder, so there is no key store', {
      cause: error,
      hint: 'set KEYPOOL_HOME or give --home, then run keypool-mcp init',
    });
  }
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
 * @param reload asked for the master key when the file needs another one than that of `config`
 * @throws KeyStoreError as `KeyStore.open`
 */
export async function openConfiguredStore(
  config: Config,
  reload?: () => Config,
): Promise<KeyStore> {
  useConfiguration(secrets, config);
  try {
    const store = await KeyStore.open({
      path: config.storePath,
      masterKey: config.masterKey,
      ...(reload === undefined ? {} : { masterKeyNow: () => reload().masterKey }),
      memory: new SealedMemory(config.home),
    });
    useStore(secrets, store);
    return store;
  } catch (error) {
    throw error instanceof KeyStoreError ? explainMissing(config, error) : error;
  }
}

/**
 * The store of a command. The master key may be rotated at any moment of it, while somebody types at
 * its prompt too; then the settings are read again.
 *
 * @throws ConfigError; KeyStoreError as `KeyStore.open`
 */
export function openStoreOf(input: {
  readonly flags: GlobalFlags;
  readonly env: Environment;
}): Promise<KeyStore> {
  const load = (): Config => loadConfig(input.flags, input.env);
  return openConfiguredStore(load(), load);
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
  /** A store was opened, or the one opened before, or the settings beside it, has new contents. */
  onStore(store: KeyStore, config: Config): void;
  /**
   * Why there is no store, or why its new version is not taken. Once for each new reason, and while
   * there is no store for each change of the settings.
   */
  onError(error: KeyStoreError, config: Config): void;
}

/** What was written since the settings were read at the start is seen by no watcher. */
function isNewerThanProcess(path: string): boolean {
  try {
    return statSync(path).ctimeMs >= performance.timeOrigin;
  } catch {
    return true;
  }
}

/** Says what is wrong with the store once, and without one again when the settings have changed. */
function complaintsTo(live: LiveConfig, follower: StoreFollower) {
  let lastProblem = '';
  let failedWith: Config | null = null;
  return (error: unknown, hasStore: boolean): void => {
    const problem = asStoreError(error);
    // Without a store the settings may give keys, or give none any more.
    const isNew = problem.message !== lastProblem || (!hasStore && live.current !== failedWith);
    lastProblem = problem.message;
    failedWith = live.current;
    if (isNew) follower.onError(problem, failedWith);
  };
}

/**
 * Follows the store from wherever it is now: not there yet, without a master key, or open. What is
 * made by `init` while a server runs is found without a restart, and what is written into the
 * settings file as well.
 *
 * @returns stops following
 */
export function followConfiguredStore(live: LiveConfig, follower: StoreFollower): () => void {
  const { storePath, dotenvPath } = live.current;
  const stops: Array<() => void> = [];
  let store: KeyStore | null = null;
  let isStopped = false;
  let attempt: Promise<void> = Promise.resolve();

  const complain = complaintsTo(live, follower);
  const fail = (error: unknown): void => complain(error, store !== null);
  let taken: Config | null = null;
  const take = (opened: KeyStore): void => {
    taken = live.current;
    follower.onStore(opened, taken);
  };
  let unwatch = (): void => {};
  /** Beginning to watch includes a look, which asks for the master key of the new settings. */
  const watchAnew = (opened: KeyStore): void => {
    unwatch();
    unwatch = opened.watch(
      () => take(opened),
      (error) => follower.onError(error, live.current),
    );
  };
  const look = async (): Promise<void> => {
    if (isStopped) return;
    if (store !== null) {
      if (live.current === taken) return;
      take(store);
      watchAnew(store);
      return;
    }
    const opened = await openConfiguredStore(live.current, () => live.refresh());
    if (isStopped) return;
    store = opened;
    take(opened);
    watchAnew(opened);
  };
  // Whatever goes wrong in one look, the next change is looked at again.
  const wake = (): void => {
    live.refresh();
    attempt = attempt.then(look).catch(fail);
  };
  const stopLooking = watchPath(storePath, () => {
    if (store === null) wake();
    else stopLooking();
  });
  stops.push(stopLooking, watchPath(dotenvPath, wake));
  if (isNewerThanProcess(dotenvPath)) wake();
  else attempt = look().catch(fail);
  return () => {
    isStopped = true;
    unwatch();
    for (const stop of stops.splice(0)) stop();
  };
}
