/**
 * The composition root's workshop: configuration → store → pool → clients, for every command that
 * makes calls. Everything heavy is imported here, so that a server can answer its client first.
 */

import { existsSync } from 'node:fs';
import { type Config, POOL_KEY_NAME } from '../config.ts';
import { KeyStoreError, type Provider } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { KeyPool } from '../pool/key-pool.ts';
import type { KeyProbe, PoolKey } from '../pool/lease.ts';
import type { PoolObserver } from '../pool/observer.ts';
import type { PoolSnapshot } from '../pool/snapshot.ts';
import { keyId, type Redactor } from '../redact.ts';
import type { KeyStore } from '../secrets/key-store.ts';
import type { DeepSeekClient } from '../upstream/chat.ts';
import { createDeepSeekClient } from '../upstream/deepseek.ts';
import { createFetch } from '../upstream/http.ts';
import { createPerplexityClient } from '../upstream/perplexity.ts';
import type { PerplexityClient } from '../upstream/search.ts';
import { createKeyProbe } from '../upstream/verify.ts';
import { openConfiguredStore } from './open-store.ts';

export interface Runtime {
  readonly deepseek: DeepSeekClient;
  readonly perplexity: PerplexityClient;
  readonly pool: KeyPool;
  /** null while only the environment gives keys. */
  readonly store: KeyStore | null;
  readonly checkKey: ReturnType<typeof createKeyProbe>;
  snapshot(): PoolSnapshot;
  close(): void;
}

export interface RuntimeOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly redactor: Redactor;
  readonly observer?: PoolObserver;
  /** Follow changes of the store on disk. */
  readonly watch: boolean;
}

function providerOf(name: string): Provider | null {
  const family = POOL_KEY_NAME.exec(name)?.[1];
  if (family === undefined) return null;
  return family === 'DEEPSEEK' ? 'deepseek' : 'perplexity';
}

function numberOf(name: string): number {
  return Number(POOL_KEY_NAME.exec(name)?.[2] ?? 1);
}

/** Printable ASCII without white space: what can stand in an Authorization header. */
const USABLE_VALUE = /^[\x21-\x7e]+$/;

/**
 * The pool's keys: the store's entries first, then what the environment adds. A value that stands
 * under two names is one key, the first.
 */
export function poolKeys(
  store: Pick<KeyStore, 'list' | 'get'> | null,
  environmentKeys: ReadonlyMap<string, string>,
  logger: Logger,
): PoolKey[] {
  const found = new Map<string, PoolKey>();
  const add = (name: string, secret: string, account: string | null): void => {
    const provider = providerOf(name);
    if (provider === null || found.has(name)) return;
    if (!USABLE_VALUE.test(secret)) {
      logger.warn(`${name} is left out: its value has white space or characters no key has`, {
        next: `keypool-mcp keys add ${name}`,
      });
      return;
    }
    found.set(name, { provider, name, account, secret });
  };
  for (const entry of store?.list() ?? []) {
    if (providerOf(entry.name) !== null && store !== null) {
      add(entry.name, store.get(entry.name), entry.account);
    }
  }
  for (const [name, value] of environmentKeys) add(name, value, null);

  const byValue = new Map<string, PoolKey>();
  const ordered = [...found.values()].sort(
    (a, b) => a.provider.localeCompare(b.provider) || numberOf(a.name) - numberOf(b.name),
  );
  for (const key of ordered) {
    const same = byValue.get(key.secret);
    if (same === undefined) byValue.set(key.secret, key);
    else logger.warn(`${key.name} is the same key as ${same.name} and is left out`);
  }
  return [...byValue.values()];
}

/** The store, or null where nobody named one and the environment gives keys instead. */
async function openStore(config: Config): Promise<KeyStore | null> {
  if (!config.storeNamed && config.environmentKeys.size > 0 && !existsSync(config.storePath)) {
    return null;
  }
  return openConfiguredStore(config);
}

/**
 * Opens the store, fills the pool and builds the clients.
 *
 * @throws KeyStoreError when there is a store that cannot be opened, or nothing gives a key
 */
export async function composeRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { config, logger, redactor } = options;
  const store = await openStore(config);
  const keys = (): PoolKey[] => {
    const current = poolKeys(store, config.environmentKeys, logger);
    for (const key of current) redactor.add(key.secret);
    return current;
  };

  const fetch = createFetch(config.proxy);
  const checkKey = createKeyProbe({
    deepseekBaseUrl: config.deepseekBaseUrl,
    perplexityBaseUrl: config.perplexityBaseUrl,
    fetch,
  });
  const probe: KeyProbe = async (key, signal) =>
    (await checkKey(key.provider, key.secret, signal)).verdict;
  const pool = new KeyPool({
    keys: keys(),
    maxConcurrent: config.maxConcurrent,
    logger,
    probe,
    ...(options.observer === undefined ? {} : { observer: options.observer }),
  });
  const stopWatching =
    options.watch && store !== null ? watchStore(store, pool, keys, logger) : () => {};

  const shared = {
    lender: pool,
    callTimeoutMs: config.callTimeoutMs,
    idleTimeoutMs: config.idleTimeoutMs,
    fetch,
    logger,
  };
  return {
    pool,
    store,
    checkKey,
    deepseek: createDeepSeekClient({
      ...shared,
      baseUrl: config.deepseekBaseUrl,
      defaultModel: config.deepseekModel,
    }),
    perplexity: createPerplexityClient({ ...shared, baseUrl: config.perplexityBaseUrl }),
    snapshot: () => pool.snapshot(),
    close: () => {
      stopWatching();
      pool.close();
    },
  };
}

function watchStore(
  store: KeyStore,
  pool: KeyPool,
  keys: () => PoolKey[],
  logger: Logger,
): () => void {
  return store.watch(
    () => {
      const current = keys();
      pool.setKeys(current);
      logger.info('The key store changed; the pool follows', {
        keys: current.map((key) => `${key.name} (${keyId(key.secret)})`),
      });
    },
    (error) => {
      const known = error instanceof KeyStoreError;
      logger.error('The key store changed and cannot be used; the pool keeps its keys', {
        reason: known ? error.message : 'internal error',
        next: known ? error.hint : '',
        ...(known ? {} : { error }),
      });
    },
  );
}
