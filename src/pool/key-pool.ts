/** The key pool: every provider's keys, and a lender for each provider's client. */

import { performance } from 'node:perf_hooks';
import { PROVIDERS, type Provider } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { KeyProbe, Lender, PoolKey } from './lease.ts';
import type { PoolObserver } from './observer.ts';
import { ProviderPool } from './provider-pool.ts';
import type { BalanceRead } from './rules/accounts/balances.ts';
import { REMOTE_ANSWER_MS } from './rules/timing.ts';
import { deepFreeze } from './run/keys/provider-view.ts';
import type { Sharing } from './sharing.ts';
import type { FoundAccounts, PoolSnapshot } from './snapshot.ts';

export interface KeyPoolOptions {
  readonly keys: readonly PoolKey[];
  /** Ceiling of calls in flight per account and model; the working limit is found. */
  readonly maxConcurrent: number;
  readonly logger: Logger;
  readonly observer?: PoolObserver;
  /** Hears of all the accounts that were found, whenever they change. */
  readonly onAccounts?: (found: FoundAccounts) => void;
  /** Asks about a disabled key without spending tokens; without it a single call tries. */
  readonly probe?: KeyProbe;
  /** Other processes on the same accounts; absent: a process on its own. */
  readonly sharing?: Sharing;
  /**
   * How long a first answer may take, in milliseconds, until answers are seen: a key's first call
   * goes alone for three times as long. Default 300, over the internet.
   */
  readonly answerMs?: Partial<Readonly<Record<Provider, number>>>;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** In [0, 1): jitter. */
  readonly random?: () => number;
}

export class KeyPool {
  readonly #pools: ReadonlyMap<Provider, ProviderPool>;

  constructor(options: KeyPoolOptions) {
    const shared = {
      maxConcurrent: options.maxConcurrent,
      logger: options.logger,
      observer: options.observer ?? {},
      onAccounts: options.onAccounts ?? (() => {}),
      probe: options.probe,
      sharing: options.sharing,
      now: options.now ?? (() => performance.now()),
      random: options.random ?? Math.random,
    };
    this.#pools = new Map(
      PROVIDERS.map((provider) => [
        provider,
        new ProviderPool({
          ...shared,
          provider,
          answerMs: options.answerMs?.[provider] ?? REMOTE_ANSWER_MS,
        }),
      ]),
    );
    this.setKeys(options.keys);
  }

  /** What this provider's client borrows its keys from. */
  lender(provider: Provider): Lender {
    const pool = this.#pools.get(provider);
    if (pool === undefined) throw new TypeError('unknown provider');
    return pool;
  }

  /** Hot reload: kept keys keep their state, removed ones finish their calls. */
  setKeys(keys: readonly PoolKey[]): void {
    for (const [provider, pool] of this.#pools) {
      pool.setKeys(keys.filter((key) => key.provider === provider));
    }
  }

  /** What an account has, asked for whatever reason: it tells unlabelled keys' accounts apart. */
  noteBalance(read: BalanceRead & { readonly provider: string }): void {
    for (const [provider, pool] of this.#pools) {
      if (provider === read.provider) pool.noteBalance(read);
    }
  }

  /** Frozen to the bottom; holds no secret. */
  snapshot(): PoolSnapshot {
    const providers = [...this.#pools.values()].map((pool) => pool.snapshot());
    return deepFreeze({ takenAt: new Date().toISOString(), providers });
  }

  /** Ends waiting calls and every timer; calls in flight end with their own signals. */
  close(): void {
    for (const pool of this.#pools.values()) pool.close();
  }
}
