/**
 * Configuration → store → pool → clients, for every command that makes calls. Everything heavy is
 * imported from here, so that a server can answer its client first.
 */

import type { Config } from '../../config.ts';
import { KeyPool } from '../../pool/key-pool.ts';
import type { KeyProbe } from '../../pool/lease.ts';
import { offView, type SharingView } from '../../sharing/sharing-view.ts';
import { createDeepSeekClient } from '../../upstream/deepseek/deepseek.ts';
import { createPerplexityClient } from '../../upstream/perplexity/perplexity.ts';
import { createKeyProbe } from '../../upstream/verify.ts';
import { createFetch } from '../../upstream/wire/http.ts';
import { claim, unclaim } from '../../usage/alerts/claims.ts';
import { hasBudgetsAt } from '../../usage/budgets/budget-file.ts';
import { type BalanceReading, readBalances } from '../../usage/ledger/balance-reading.ts';
import { alertsFolder, usageFolder } from '../../usage/ledger/ledger.ts';
import { networkOf } from './home/network.ts';
import { writeFoundAccounts } from './keys/found-accounts.ts';
import { KeySupply } from './keys/key-supply.ts';
import { Alerts } from './money/alerts.ts';
import { BalanceReader } from './money/balance-reader.ts';
import { Bookkeeping } from './money/bookkeeping.ts';
import type { Runtime, RuntimeOptions } from './runtime.ts';
import type { SharedPool } from './sharing/shared-pool.ts';

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

/** What the programs of a home know of each other's questions; nothing where nothing is written down. */
function balancesOfHome({ home, ledger }: Config) {
  const folder = alertsFolder(home);
  return {
    recent: (since: number) =>
      ledger
        ? readBalances(usageFolder(home), { since, until: Date.now() + 1 }).catch(() => [])
        : Promise.resolve([]),
    claim: (what: string) => !ledger || claim(folder, what, Date.now()),
    release: (what: string) => {
      if (ledger) unclaim(folder, what);
    },
  };
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
  const onHeard = (reading: BalanceReading): void => {
    pool.noteBalance(reading);
    alerts.noteBalance(reading);
    onBalance?.(reading);
  };
  const balances = new BalanceReader({
    ...balancesOfHome(config),
    check: (key, signal) => checkKey(key.provider, key.secret, signal),
    now: Date.now,
    onReading: (reading) => {
      meter.noteBalance(reading);
      onHeard(reading);
    },
    onHeard,
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
      lender: pool.lender('deepseek'),
      baseUrl: config.deepseekBaseUrl,
      defaultModel: config.deepseekModel,
    }),
    perplexity: createPerplexityClient({
      ...calling,
      lender: pool.lender('perplexity'),
      baseUrl: config.perplexityBaseUrl,
    }),
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
