/** Prices every attempt, writes it down, and keeps the sum of its call. */

import { randomBytes } from 'node:crypto';
import type {
  AccountFunds,
  AttemptUse,
  BilledKey,
  CallAsk,
  CallMeter,
  Meter,
} from '../base/spending.ts';
import type { Permit } from './budgets/budget-keeper.ts';
import { chargeOf, mostUsd } from './charge.ts';
import type { LedgerEntry } from './ledger/entry.ts';
import type { PriceTable } from './prices/price-table.ts';

export interface UsageMeterOptions {
  readonly prices: () => Promise<PriceTable>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Of the ids of this process's entries. */
  readonly idPrefix: string;
  /** Called before anything is sent; what it throws ends the call. */
  readonly beforeSending: () => void;
  /** Leave to spend; null where nothing caps it. */
  readonly admit: (ask: CallAsk, mostUsd: number | null) => Promise<Permit | null>;
  /**
   * Takes what is to be said about keys and accounts.
   *
   * @param hasFailed whether an attempt of the call did
   */
  readonly takeAlerts: (hasFailed: boolean) => string | null;
  /** Writes a finished attempt down; resolves when that is done or cannot be. Must not throw. */
  readonly record: (entry: LedgerEntry) => Promise<void>;
  /** A call has ended: what it recorded is to outlive the process. Must not throw. */
  readonly settle: () => void;
}

/** Tells processes of one home apart, in the ids of their entries. */
export function newIdPrefix(): string {
  return `${randomBytes(6).toString('base64url')}.`;
}

const MAX_NAME = 60;

/** Names come from clients: short, and one line. */
function shortName(name: string | null): string | null {
  const clean = (name ?? '').replace(/[\p{C}\s]+/gu, ' ').trim();
  return clean === '' ? null : clean.slice(0, MAX_NAME);
}

export class UsageMeter implements Meter {
  readonly #options: UsageMeterOptions;
  #attempts = 0;

  constructor(options: UsageMeterOptions) {
    this.#options = options;
  }

  async call(ask: CallAsk): Promise<CallMeter> {
    const table = await this.#options.prices();
    const named = { ...ask, client: shortName(ask.client) };
    const permit = await this.#options.admit(named, mostUsd(table, named, this.#options.now()));
    return new MeteredCall(named, { table, permit }, this.#options, () => this.#nextId());
  }

  #nextId(): string {
    this.#attempts += 1;
    return `${this.#options.idPrefix}${this.#attempts}`;
  }
}

/** What holds for one call from its beginning to its end. */
interface Terms {
  readonly table: PriceTable;
  readonly permit: Permit | null;
}

class MeteredCall implements CallMeter {
  readonly #ask: CallAsk;
  readonly #terms: Terms;
  readonly #options: UsageMeterOptions;
  readonly #nextId: () => string;
  #costUsd: number | null = 0;
  #hasFailed = false;

  constructor(ask: CallAsk, terms: Terms, options: UsageMeterOptions, nextId: () => string) {
    this.#ask = ask;
    this.#terms = terms;
    this.#options = options;
    this.#nextId = nextId;
  }

  get funds(): AccountFunds | null {
    return this.#terms.permit?.funds ?? null;
  }

  takeNotice(): string | null {
    const alerts = this.#options.takeAlerts(this.#hasFailed);
    const said = [this.#terms.permit?.notice ?? null, alerts].filter((each) => each !== null);
    return said.length === 0 ? null : said.join(' ');
  }

  get costUsd(): number | null {
    return this.#costUsd;
  }

  attempt(key: BilledKey): (use: AttemptUse) => void {
    const { now, record } = this.#options;
    const { permit } = this.#terms;
    this.#options.beforeSending();
    permit?.useAccount(key.account);
    const sentAt = now();
    return (use) => {
      const entry = this.#entryOf(key, use, sentAt, now());
      const { usd, outcome } = entry;
      if (outcome !== 'ok') this.#hasFailed = true;
      this.#costUsd = usd === null || this.#costUsd === null ? null : this.#costUsd + usd.estimate;
      const written = record(entry);
      permit?.spent(entry, written);
    };
  }

  end(): void {
    this.#options.settle();
    this.#terms.permit?.end();
  }

  #entryOf(key: BilledKey, use: AttemptUse, sentAt: number, endedAt: number): LedgerEntry {
    const { table } = this.#terms;
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
      client: this.#ask.client,
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
