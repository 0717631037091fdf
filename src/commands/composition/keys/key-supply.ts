/** Where the pool's keys come from: the store as it is now, and what the settings give beside it. */

import { isDeepStrictEqual } from 'node:util';
import { ConfigError, type KeyStoreError } from '../../../base/errors.ts';
import { keyId } from '../../../base/keys/key-id.ts';
import type { Config } from '../../../config.ts';
import type { KeyPool } from '../../../pool/key-pool.ts';
import type { PoolKey } from '../../../pool/lease.ts';
import { prepareChat } from '../../../upstream/deepseek/post-chat.ts';
import { LiveConfig } from '../home/live-config.ts';
import type { BalanceReader } from '../money/balance-reader.ts';
import type { RuntimeOptions, Supply } from '../runtime.ts';
import type { SharedPool } from '../sharing/shared-pool.ts';
import { useConfiguration, useStore } from './known-secrets.ts';
import { followConfiguredStore } from './open-store.ts';
import { poolKeys } from './pool-keys.ts';

/** Fills the pool, and follows the store: what changes on disk is in force within two seconds. */
export class KeySupply {
  readonly #options: RuntimeOptions;
  readonly #pool: KeyPool;
  readonly #balances: BalanceReader;
  readonly #shared: SharedPool | null;
  readonly #settled: Promise<void>;
  readonly #stop: () => void;
  #supply: Supply;
  /** null: the pool was given none yet. */
  #keys: readonly PoolKey[] | null = null;
  #prepared: Promise<void> = Promise.resolve();
  readonly #onKeys = new Set<() => void>();

  constructor(
    options: RuntimeOptions,
    pool: KeyPool,
    balances: BalanceReader,
    shared: SharedPool | null,
  ) {
    this.#options = options;
    this.#shared = shared;
    this.#supply = { store: null, problem: null, config: options.config };
    this.#pool = pool;
    this.#balances = balances;
    let settle: () => void = () => {};
    this.#settled = new Promise((resolve) => {
      settle = resolve;
    });
    this.#stop = followConfiguredStore(new LiveConfig(options), {
      onStore: (store, config) => {
        this.#take({ store, problem: null, config });
        settle();
      },
      onError: (problem, config) => {
        this.#fail(problem, config);
        settle();
      },
    });
  }

  async current(): Promise<Supply> {
    await this.#settled;
    const { store, problem, config } = this.#supply;
    if (store === null && problem !== null && !this.#canDoWithout(problem, config)) throw problem;
    return this.#supply;
  }

  async prepare(): Promise<void> {
    await this.#settled;
    await this.#prepared;
  }

  untilKeys(isWished: (keys: readonly PoolKey[]) => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (signal.aborted || isWished(this.#keys ?? [])) {
          this.#onKeys.delete(look);
          resolve();
        } else this.#onKeys.add(look);
      };
      signal.addEventListener('abort', look, { once: true });
      look();
    });
  }

  stop(): void {
    this.#stop();
  }

  /** Nobody named a store, there is none, and the environment gives keys. */
  #canDoWithout(problem: KeyStoreError, config: Config): boolean {
    return problem.code === 'missing' && !config.storeNamed && config.environmentKeys.keys.size > 0;
  }

  #take(supply: Supply): void {
    const { logger, redactor } = this.#options;
    const { config } = supply;
    this.#supply = supply;
    useConfiguration(redactor, config);
    if (supply.store !== null) useStore(redactor, supply.store);
    const keys = poolKeys(supply.store, config.environmentKeys, logger);
    this.#shared?.useStore(supply.store, config.environmentKeys.keys.values());
    if (isDeepStrictEqual(keys, this.#keys)) return;
    this.#keys = keys;
    this.#pool.setKeys(keys);
    for (const look of this.#onKeys) look();
    this.#balances.setKeys(keys);
    // What fails to load here fails again, with its reason, in the first call.
    if (keys.length > 0) this.#prepared = prepareChat().catch(() => {});
    logger.info('The pool has its keys', {
      environment: config.environment,
      keys: keys.map((key) => `${key.name} (${keyId(key.secret)})`),
    });
  }

  #fail(problem: KeyStoreError, config: Config): void {
    const { logger } = this.#options;
    const { cause } = problem;
    const isBug = cause instanceof Error && !('code' in cause) && !(cause instanceof ConfigError);
    const reason = {
      reason: problem.message,
      next: problem.hint,
      ...(isBug ? { error: cause } : {}),
    };
    if (this.#supply.store !== null) {
      logger.error('The key store changed and cannot be used; the pool keeps its keys', reason);
      return;
    }
    const hadKeys = (this.#keys?.length ?? 0) > 0;
    const canDo = this.#canDoWithout(problem, config);
    if (canDo || hadKeys) this.#take({ store: null, problem, config });
    else this.#supply = { store: null, problem, config };
    if (!canDo) logger.warn('No key can be used yet', reason);
  }
}
