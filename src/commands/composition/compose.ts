/**
 * Configuration → store → pool → clients, for every command that makes calls. Everything heavy is
 * imported from here, so that a server can answer its client first.
 */

import { isDeepStrictEqual } from 'node:util';
import { ConfigError, type KeyStoreError } from '../../base/errors.ts';
import { keyId } from '../../base/keys/key-id.ts';
import type { Logger } from '../../base/logger.ts';
import type { Redactor } from '../../base/redact.ts';
import type { Config, Environment, GlobalFlags } from '../../config.ts';
import { KeyPool } from '../../pool/key-pool.ts';
import type { KeyProbe, PoolKey } from '../../pool/lease.ts';
import type { PoolObserver } from '../../pool/observer.ts';
import type { PoolSnapshot } from '../../pool/snapshot.ts';
import type { KeyStore } from '../../secrets/key-store.ts';
import { offView, type SharingView } from '../../sharing/sharing-view.ts';
import type { DeepSeekClient } from '../../upstream/deepseek/chat.ts';
import { createDeepSeekClient } from '../../upstream/deepseek/deepseek.ts';
import { prepareChat } from '../../upstream/deepseek/post-chat.ts';
import { createPerplexityClient } from '../../upstream/perplexity/perplexity.ts';
import type { PerplexityClient } from '../../upstream/perplexity/search.ts';
import { createKeyProbe } from '../../upstream/verify.ts';
import { createFetch } from '../../upstream/wire/http.ts';
import type { Budget } from '../../usage/budgets/budget.ts';
import { hasBudgetsAt } from '../../usage/budgets/budget-file.ts';
import type { BudgetState } from '../../usage/budgets/budget-keeper.ts';
import type { BalanceReading } from '../../usage/ledger/balance-reading.ts';
import type { LedgerEntry } from '../../usage/ledger/entry.ts';
import type { LoadedPrices } from '../../usage/prices/load-prices.ts';
import { Alerts } from './alerts.ts';
import { BalanceReader } from './balance-reader.ts';
import { Bookkeeping } from './bookkeeping.ts';
import { writeFoundAccounts } from './found-accounts.ts';
import { useConfiguration, useStore } from './known-secrets.ts';
import { LiveConfig } from './live-config.ts';
import { networkOf } from './network.ts';
import { followConfiguredStore } from './open-store.ts';
import { poolKeys } from './pool-keys.ts';
import type { SharedPool } from './sharing/shared-pool.ts';

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

/** Fills the pool, and follows the store: what changes on disk is in force within two seconds. */
class KeySupply {
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

/** An upstream on this machine answers at once; the pool learns the rest by itself. */
const LOOPBACK_ANSWER_MS = 10;

/** Plain http is for upstreams on this machine alone: config.ts refuses it elsewhere. */
function isLocal(baseUrl: string): boolean {
  return baseUrl.startsWith('http:');
}

function answerTimes({ deepseekBaseUrl, perplexityBaseUrl }: Config) {
  return {
    ...(isLocal(deepseekBaseUrl) ? { deepseek: LOOPBACK_ANSWER_MS } : {}),
    ...(isLocal(perplexityBaseUrl) ? { perplexity: LOOPBACK_ANSWER_MS } : {}),
  };
}

function createPool(
  { config, logger, observer }: RuntimeOptions,
  probe: KeyProbe,
  shared: SharedPool | null,
): KeyPool {
  return new KeyPool({
    keys: [],
    maxConcurrent: config.maxConcurrent,
    logger,
    probe,
    answerMs: answerTimes(config),
    onAccounts: ({ provider, accounts }) => {
      writeFoundAccounts(config.home, provider, accounts).catch((error: unknown) => {
        logger.warn('What was found about accounts could not be kept for doctor', { error });
      });
    },
    ...(observer === undefined ? {} : { observer }),
    ...(shared === null ? {} : { sharing: shared.port }),
  });
}

/** Nobody, and why, where nothing is shared. */
async function others(options: RuntimeOptions): Promise<SharedPool | SharingView> {
  const { config, logger, redactor, title = null } = options;
  if (!config.sharing.isOn) return offView('KEYPOOL_SHARING is off');
  if (config.isHomeless && config.sharing.redis === null) {
    return offView('this user has no home folder');
  }
  const { sharedPool } = await import('./sharing/shared-pool.ts');
  const hasBudgets = (): boolean => options.budgets !== undefined || hasBudgetsAt(config.home);
  const shared = await sharedPool({ config, logger, redactor, title, hasBudgets });
  return typeof shared === 'string' ? offView(shared) : shared;
}

interface Books {
  readonly meter: Bookkeeping;
  readonly balances: BalanceReader;
}

/** Who keeps account of what is spent, and who says what is wrong with keys and accounts. */
function openBooks(
  options: RuntimeOptions,
  pool: KeyPool,
  checkKey: Runtime['checkKey'],
  shared: SharedPool | null,
): Books {
  const { config, logger, redactor, onSpent, onBalance, onAlert } = options;
  const alerts = new Alerts({
    home: config.home,
    hasLedger: config.ledger,
    logger,
    facts: () => pool.snapshot(),
    onAlert: ({ sentence }) => onAlert?.(sentence),
  });
  const balances = new BalanceReader({
    check: (key, signal) => checkKey(key.provider, key.secret, signal),
    now: Date.now,
    onReading: (reading) => {
      meter.noteBalance(reading);
      alerts.noteBalance(reading);
      onBalance?.(reading);
    },
    onRead: () => alerts.weighBalances(),
  });
  const meter = new Bookkeeping({
    config,
    logger,
    redact: (text) => redactor.redact(text),
    ...(options.budgets === undefined ? {} : { budgets: options.budgets }),
    ...(options.beforeSending === undefined ? {} : { beforeSending: options.beforeSending }),
    ...(shared?.team === undefined || shared.team === null ? {} : { team: shared.team }),
    onCall: ({ client }) => shared?.noteClient(client),
    onSpent: (entry) => {
      balances.worked();
      onSpent?.(entry);
    },
    onAlert: ({ state, message }) => {
      // What is spent is said by every call that it refuses.
      if (state === 'near') onAlert?.(message);
    },
    onPriceProblem: (problem) => onAlert?.(problem),
    takeAlerts: (hasFailed) => alerts.take(hasFailed),
  });
  return { meter, balances };
}

/** Builds pool and clients and begins to open the store. */
export async function composeRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { config, logger } = options;
  const fetch = createFetch(networkOf(config, (problem) => logger.warn(problem)));
  const checkKey = createKeyProbe({
    deepseekBaseUrl: config.deepseekBaseUrl,
    perplexityBaseUrl: config.perplexityBaseUrl,
    fetch,
  });
  const probe: KeyProbe = async (key, signal) =>
    (await checkKey(key.provider, key.secret, signal)).verdict;
  const found = await others(options);
  const shared = 'port' in found ? found : null;
  const pool = createPool(options, probe, shared);
  const { meter, balances } = openBooks(options, pool, checkKey, shared);
  const supply = new KeySupply(options, pool, balances, shared);
  const calling = {
    lender: pool,
    callTimeoutMs: config.callTimeoutMs,
    idleTimeoutMs: config.idleTimeoutMs,
    fetch,
    logger,
    meter,
  };
  return {
    checkKey,
    deepseek: createDeepSeekClient({
      ...calling,
      baseUrl: config.deepseekBaseUrl,
      defaultModel: config.deepseekModel,
    }),
    perplexity: createPerplexityClient({ ...calling, baseUrl: config.perplexityBaseUrl }),
    ready: () => supply.current(),
    untilKeys: (isWished, signal) => supply.untilKeys(isWished, signal),
    prepare: () => supply.prepare(),
    snapshot: () => pool.snapshot(),
    sharing: async () => ('port' in found ? found.view() : found),
    budgets: () => meter.budgetStates(),
    prices: () => meter.prices(),
    readBalances: () => balances.read(),
    close: async () => {
      supply.stop();
      balances.stop();
      pool.close();
      // The others hear what was spent at last over the same way.
      await meter.close();
      await shared?.leave();
    },
  };
}
