/**
 * What an attempt cost, as an estimate. Pure.
 *
 * Neither provider says which instant decides about the period: sending, the first token, the end
 * or the booking. Where they disagree the dearer price is the estimate, and the cheaper one stands
 * beside it.
 */

import { type Period, periodAt } from './calendar.ts';
import {
  CURRENCIES,
  type Currency,
  type PeriodRates,
  type PriceTable,
  priceAt,
  type Rates,
  type TokenPrice,
} from './price-table.ts';

/** Hit and miss are the prompt: they are added, nothing else is added to them. */
export interface Tokens {
  readonly hit: number;
  readonly miss: number;
  readonly output: number;
}

/** In the currency of its list. `least` ≤ `estimate` ≤ `most`; equal where nothing is in doubt. */
export interface Cost {
  readonly estimate: number;
  readonly least: number;
  readonly most: number;
  /** What the estimate's tokens would have cost off-peak. */
  readonly offPeak: number;
}

export interface Priced {
  readonly period: Period;
  readonly costs: Readonly<Record<Currency, Cost | null>>;
}

export interface TokenCharge {
  readonly provider: string;
  readonly model: string;
  /** Epoch milliseconds. */
  readonly sentAt: number;
  readonly endedAt: number;
  /** As told, or as many as are known of. */
  readonly tokens: Tokens;
  /** What may have been billed less, and more, than the known ones. */
  readonly least?: Tokens;
  readonly most?: Tokens;
}

const MILLION = 1_000_000;

export function amountOf(rates: Rates, { hit, miss, output }: Tokens): number {
  return (hit * rates.hit + miss * rates.miss + output * rates.output) / MILLION;
}

interface Moment {
  readonly period: Period;
  readonly price: TokenPrice;
}

function ratesIn(list: PeriodRates, period: Period): readonly Rates[] {
  if (period === 'peak') return [list.peak];
  return period === 'off_peak' ? [list.offPeak] : [list.peak, list.offPeak];
}

function costIn(currency: Currency, moments: readonly Moment[], charge: TokenCharge): Cost | null {
  const rates: Rates[] = [];
  const offPeak: Rates[] = [];
  for (const { period, price } of moments) {
    const list = price.lists[currency];
    if (list === null) return null;
    rates.push(...ratesIn(list, period));
    offPeak.push(list.offPeak);
  }
  const { tokens, least = tokens, most = tokens } = charge;
  const all = (of: Tokens): number[] => rates.map((each) => amountOf(each, of));
  return {
    estimate: Math.max(...all(tokens)),
    least: Math.min(...all(least)),
    most: Math.max(...all(most)),
    offPeak: Math.min(...offPeak.map((each) => amountOf(each, tokens))),
  };
}

/** null where the model has no price: an unknown price is not invented. */
export function priceTokens(table: PriceTable, charge: TokenCharge): Priced | null {
  const moments: Moment[] = [];
  // A clock that was set back between the two must not make an attempt end before it began.
  for (const at of [charge.sentAt, Math.max(charge.sentAt, charge.endedAt)]) {
    const price = priceAt(table, charge.provider, charge.model, at);
    if (price === null) return null;
    moments.push({ price, period: periodAt(price.calendar, at) });
  }
  const periods = new Set(moments.map(({ period }) => period));
  const [only = 'perhaps'] = periods;
  const [usd, cny] = CURRENCIES.map((currency) => costIn(currency, moments, charge));
  return {
    period: periods.size === 1 ? only : 'perhaps',
    costs: { usd: usd ?? null, cny: cny ?? null },
  };
}

/** A sum that is told or fixed, and does not depend on the hour. */
export function fixedCost(estimate: number, bounds: { least?: number; most?: number } = {}): Cost {
  const { least = estimate, most = estimate } = bounds;
  return { estimate, least, most, offPeak: estimate };
}
