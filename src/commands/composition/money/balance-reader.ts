/**
 * Asks DeepSeek what its accounts have, which costs nothing: soon after the first call of a
 * program, and once an hour while calls are made. The difference stands beside the estimate.
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
  /** Hears when all of them were asked. Must not reject. */
  readonly onRead: () => Promise<void>;
}

/** The first calls of a program are somebody's who waits: they have the connection to themselves. */
const FIRST_AFTER_MS = 5_000;
const EVERY_MS = 3_600_000;
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
    this.#timer = setTimeout(() => void this.#readAll(), FIRST_AFTER_MS).unref();
  }

  /** Reads now; resolves when it is done, or has taken too long. */
  async read(): Promise<void> {
    await within(PATIENCE_MS, this.#readAll());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  async #readAll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#notBefore = this.#options.now() + EVERY_MS;
    await Promise.all(this.#oneOfEachAccount().map((key) => this.#readOne(key)));
    await this.#options.onRead();
  }

  #oneOfEachAccount(): PoolKey[] {
    const found = new Map<string, PoolKey>();
    for (const key of this.#keys) {
      if (key.provider === 'deepseek') found.set(key.account ?? key.name, key);
    }
    return [...found.values()];
  }

  async #readOne(key: PoolKey): Promise<void> {
    const { check, now, onReading } = this.#options;
    const found = await check(key, this.#stop.signal).catch(() => null);
    for (const { currency, amount } of found?.balances ?? []) {
      onReading({
        at: now(),
        provider: key.provider,
        account: key.account ?? key.name,
        currency,
        amount,
      });
    }
  }
}
