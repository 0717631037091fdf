/**
 * Asks DeepSeek what its accounts have, which costs nothing: soon after the first call of a
 * program, and once an hour while calls are made. The difference stands beside the estimate. Of the
 * programs of a home one asks for each account, and the others read what it wrote down.
 */

import { within } from '../../../base/system/within.ts';
import type { PoolKey } from '../../../pool/lease.ts';
import type { KeyCheck } from '../../../upstream/verify.ts';
import type { BalanceReading } from '../../../usage/ledger/balance-reading.ts';

export interface BalanceReaderOptions {
  /** Never rejects for what the upstream does. */
  readonly check: (key: PoolKey, signal: AbortSignal) => Promise<KeyCheck>;
  readonly now: () => number;
  readonly onReading: (reading: BalanceReading) => void;
  /** What was read by any program of the home since an instant. Never rejects. */
  readonly recent: (since: number) => Promise<readonly BalanceReading[]>;
  /** Hears of a reading of another program. */
  readonly onHeard: (reading: BalanceReading) => void;
  /** True for the one program that is to do it. */
  readonly claim: (what: string) => boolean;
  /** It was not done: another one may. */
  readonly release: (what: string) => void;
  /** Hears when all of them were asked. Must not reject. */
  readonly onRead: () => Promise<void>;
}

/** The first calls of a program are somebody's who waits: they have the connection to themselves. */
const FIRST_AFTER_MS = 5_000;
const EVERY_MS = 3_600_000;
/** Another program asks at the moment: what it hears is there soon. */
const AGAIN_AFTER_MS = 10_000;
/** A batch that is over does not wait longer for it. */
const PATIENCE_MS = 3_000;

export class BalanceReader {
  readonly #options: BalanceReaderOptions;
  readonly #stop = new AbortController();
  #keys: readonly PoolKey[] = [];
  #notBefore = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BalanceReaderOptions) {
    this.#options = options;
  }

  setKeys(keys: readonly PoolKey[]): void {
    this.#keys = keys;
  }

  /** To be told of every finished attempt. */
  worked(): void {
    if (this.#timer !== undefined || this.#options.now() < this.#notBefore) return;
    this.#timer = setTimeout(() => void this.#readDue(), FIRST_AFTER_MS).unref();
  }

  /** Asks now, whoever asked before; resolves when it is done, or has taken too long. */
  async read(): Promise<void> {
    this.#begin();
    const asked = Promise.all(this.#oneOfEachAccount().map((key) => this.#ask(key)));
    await within(PATIENCE_MS, asked.then(this.#options.onRead));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  /** What no program of the home has read within the hour. */
  async #readDue(): Promise<void> {
    const { now, recent, onHeard, onRead } = this.#options;
    this.#begin();
    const known = await recent(now() - EVERY_MS);
    for (const reading of known) onHeard(reading);
    const isKnown = (key: PoolKey): boolean =>
      known.some(({ account }) => account === accountOf(key));
    const due = this.#oneOfEachAccount().filter((key) => !isKnown(key));
    const asked = await Promise.all(due.map((key) => this.#askOnce(key)));
    if (asked.includes(false)) this.#notBefore = now() + AGAIN_AFTER_MS;
    await onRead();
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#notBefore = this.#options.now() + EVERY_MS;
  }

  /** @returns false where another program asks */
  async #askOnce(key: PoolKey): Promise<boolean> {
    const { now, claim, release } = this.#options;
    const what = JSON.stringify(['balance', accountOf(key), Math.floor(now() / EVERY_MS)]);
    if (!claim(what)) return false;
    if (!(await this.#ask(key))) release(what);
    return true;
  }

  #oneOfEachAccount(): PoolKey[] {
    const found = new Map<string, PoolKey>();
    for (const key of this.#keys) {
      if (key.provider === 'deepseek') found.set(accountOf(key), key);
    }
    return [...found.values()];
  }

  /** @returns whether the account told it */
  async #ask(key: PoolKey): Promise<boolean> {
    const { check, now, onReading } = this.#options;
    const found = await check(key, this.#stop.signal).catch(() => null);
    const balances = found?.balances ?? [];
    for (const { currency, amount } of balances) {
      onReading({
        at: now(),
        provider: key.provider,
        account: accountOf(key),
        currency,
        amount,
      });
    }
    return balances.length > 0;
  }
}

function accountOf({ account, name }: PoolKey): string {
  return account ?? name;
}
