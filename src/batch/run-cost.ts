/** What a run cost, and what it would have cost at peak prices. Estimated, never invented. */

import { dollars } from '../base/text/dollars.ts';
import type { LedgerEntry } from '../usage/ledger/entry.ts';
import { amountOf, type Tokens } from '../usage/prices/price-attempt.ts';
import { type PriceTable, priceAt } from '../usage/prices/price-table.ts';

/** Tokens of one model that were spent off-peak. */
interface OffPeak {
  readonly provider: string;
  readonly model: string;
  readonly endedAt: number;
  readonly tokens: Tokens;
}

const SHOWN_MODELS = 3;

export class RunCost {
  #usd = 0;
  #priced = 0;
  #unpriced = 0;
  readonly #unpricedModels = new Set<string>();
  readonly #offPeak = new Map<string, OffPeak>();

  add(entry: LedgerEntry): void {
    if (entry.usd === null) {
      this.#unpriced += 1;
      this.#unpricedModels.add(entry.model);
      return;
    }
    this.#priced += 1;
    this.#usd += entry.usd.estimate;
    if (entry.period === 'off_peak') this.#addOffPeak(entry);
  }

  /** Lines of a summary; none where nothing was sent. */
  lines(table: PriceTable, isOffPeak: boolean): string[] {
    const models = [...this.#unpricedModels].slice(0, SHOWN_MODELS).join(', ');
    if (this.#priced === 0) {
      return this.#unpriced === 0 ? [] : [`what it cost is not known: no price of ${models}`];
    }
    const saved = isOffPeak ? this.#savedUsd(table) : 0;
    const less = saved > 0 ? `, ${dollars(saved)} less than at peak prices` : '';
    const rest = this.#unpriced === 0 ? '' : `; without ${models}, of which no price is known`;
    return [`cost ${dollars(this.#usd)} by estimate${less}${rest}`];
  }

  #addOffPeak({ provider, model, endedAt, promptTokens, ...counts }: LedgerEntry): void {
    const { cachedTokens, completionTokens } = counts;
    // Of what was told by nobody, nothing is claimed to be saved.
    if (promptTokens === null) return;
    const hit = Math.min(cachedTokens ?? 0, promptTokens);
    const before = this.#offPeak.get(model)?.tokens ?? { hit: 0, miss: 0, output: 0 };
    const tokens = {
      hit: before.hit + hit,
      miss: before.miss + promptTokens - hit,
      output: before.output + (completionTokens ?? 0),
    };
    this.#offPeak.set(model, { provider, model, endedAt, tokens });
  }

  #savedUsd(table: PriceTable): number {
    let saved = 0;
    for (const { provider, model, endedAt, tokens } of this.#offPeak.values()) {
      const list = priceAt(table, provider, model, endedAt)?.lists.usd ?? null;
      if (list !== null) saved += amountOf(list.peak, tokens) - amountOf(list.offPeak, tokens);
    }
    return saved;
  }
}
