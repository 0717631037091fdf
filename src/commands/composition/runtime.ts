/** What composition makes of a configuration, and what it is made from. */

import type { KeyStoreError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Redactor } from '../../base/redact.ts';
import type { Config, Environment, GlobalFlags } from '../../config.ts';
import type { PoolKey } from '../../pool/lease.ts';
import type { PoolObserver } from '../../pool/observer.ts';
import type { PoolSnapshot } from '../../pool/snapshot.ts';
import type { KeyStore } from '../../secrets/key-store.ts';
import type { SharingView } from '../../sharing/sharing-view.ts';
import type { DeepSeekClient } from '../../upstream/deepseek/chat.ts';
import type { PerplexityClient } from '../../upstream/perplexity/search.ts';
import type { createKeyProbe } from '../../upstream/verify.ts';
import type { Budget } from '../../usage/budgets/budget.ts';
import type { BudgetState } from '../../usage/budgets/budget-keeper.ts';
import type { BalanceReading } from '../../usage/ledger/balance-reading.ts';
import type { LedgerEntry } from '../../usage/ledger/entry.ts';
import type { LoadedPrices } from '../../usage/prices/load-prices.ts';

export interface RuntimeOptions {
  readonly flags: GlobalFlags;
  readonly env: Environment;
  readonly config: Config;
  readonly logger: Logger;
  readonly redactor: Redactor;
  readonly observer?: PoolObserver;
  /** Caps beside those of the home folder. */
  readonly budgets?: readonly Budget[];
  /** Called before anything is sent; what it throws ends the call. */
  readonly beforeSending?: () => void;
  /** Hears what every attempt cost. */
  readonly onSpent?: (entry: LedgerEntry) => void;
  /** Hears what an account has. */
  readonly onBalance?: (reading: BalanceReading) => void;
  /** Hears, once each, what whoever pays has to know about budgets, balances, keys and prices. */
  readonly onAlert?: (sentence: string) => void;
  /** What this process is called among those that share; a client's name comes before it. */
  readonly title?: string;
}

/** Where the pool's keys come from at the moment. */
export interface Supply {
  readonly store: KeyStore | null;
  /** Why there is no store; null when there is one. */
  readonly problem: KeyStoreError | null;
  /** The settings in force, with the keys that they give. */
  readonly config: Config;
}

export interface Runtime {
  readonly deepseek: DeepSeekClient;
  readonly perplexity: PerplexityClient;
  readonly checkKey: ReturnType<typeof createKeyProbe>;
  /**
   * Resolves when the store was opened, or found missing beside keys of the environment.
   *
   * @throws KeyStoreError while nothing gives a key
   */
  ready(): Promise<Supply>;
  /** Resolves when the pool's keys are as wished, or when the signal fires. */
  untilKeys(isWished: (keys: readonly PoolKey[]) => boolean, signal: AbortSignal): Promise<void>;
  /** Resolves when everything is loaded that a call needs; at once when there is no key to call with. */
  prepare(): Promise<void>;
  snapshot(): PoolSnapshot;
  /** Who else uses the accounts, as far as is known. */
  sharing(): Promise<SharingView>;
  /** What is spent of each budget. @throws ConfigError where they cannot be read */
  budgets(): BudgetState[];
  /** The table that calls are priced by, and what is wrong with the user's. */
  prices(): Promise<LoadedPrices>;
  /** Asks what the accounts have, and waits a moment for the answers. */
  readBalances(): Promise<void>;
  /** Stops following the store; rejects waiting calls; resolves when the ledger is written. */
  close(): Promise<void>;
}
