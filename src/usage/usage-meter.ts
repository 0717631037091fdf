/** Prices every attempt, writes it down, and keeps the sum of its call. */

import { randomBytes } from 'node:crypto';
import type { AttemptUse, BilledKey, CallAsk, CallMeter, Meter } from '../base/spending.ts';
import { chargeOf } from './charge.ts';
import type { Entry } from './ledger/entry.ts';
import type { PriceTable } from './prices/price-table.ts';

export interface UsageMeterOptions {
  readonly prices: () => Promise<PriceTable>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Hears of every finished attempt; must not throw. */
  readonly onEntry: (entry: Entry) => void;
}

/** Tells processes of one home apart, in the ids of their entries. */
function processName(): string {
  return randomBytes(6).toString('base64url');
}

const MAX_NAME = 60;

/** Names come from clients: short, and one line. */
function shortName(name: string | null): string | null {
  const clean = (name ?? '').replace(/[\p{C}\s]+/gu, ' ').trim();
  return clean === '' ? null : clean.slice(0, MAX_NAME);
}

export class UsageMeter implements Meter {
  readonly #options: UsageMeterOptions;
  readonly #process = processName();
  #attempts = 0;

  constructor(options: UsageMeterOptions) {
    this.#options = options;
  }

  async call(ask: CallAsk): Promise<CallMeter> {
    const table = await this.#options.prices();
    return new MeteredCall(ask, table, this.#options, () => this.#nextId());
  }

  #nextId(): string {
    this.#attempts += 1;
    return `${this.#process}.${this.#attempts}`;
  }
}

class MeteredCall implements CallMeter {
  readonly notice = null;
  readonly #ask: CallAsk;
  readonly #table: PriceTable;
  readonly #options: UsageMeterOptions;
  readonly #nextId: () => string;
  #costUsd: number | null = 0;

  constructor(ask: CallAsk, table: PriceTable, options: UsageMeterOptions, nextId: () => string) {
    this.#ask = ask;
    this.#table = table;
    this.#options = options;
    this.#nextId = nextId;
  }

  get costUsd(): number | null {
    return this.#costUsd;
  }

  attempt(key: BilledKey): (use: AttemptUse) => void {
    const { now, onEntry } = this.#options;
    const sentAt = now();
    return (use) => {
      const entry = this.#entryOf(key, use, sentAt, now());
      const { usd } = entry;
      this.#costUsd = usd === null || this.#costUsd === null ? null : this.#costUsd + usd.estimate;
      onEntry(entry);
    };
  }

  end(): void {}

  #entryOf(key: BilledKey, use: AttemptUse, sentAt: number, endedAt: number): Entry {
    const table = this.#table;
    const { tokens, outcome } = use;
    const { model, ...charge } = chargeOf(table, this.#ask, use, { sentAt, endedAt });
    return {
      id: this.#nextId(),
      sentAt,
      endedAt,
      provider: this.#ask.provider,
      model,
      keyName: key.keyName,
      keyId: key.keyId,
      account: key.account,
      tool: this.#ask.tool,
      client: shortName(this.#ask.client),
      outcome,
      promptTokens: tokens?.promptTokens ?? null,
      cachedTokens: tokens?.cachedTokens ?? null,
      completionTokens: tokens?.completionTokens ?? null,
      reasoningTokens: tokens?.reasoningTokens ?? null,
      ...charge,
      pricesRead: table.read,
    };
  }
}
