/** Prices as plain data, and what they were at an instant. */

import type { Calendar } from './calendar.ts';

/** Per million tokens. A cache hit, a cache miss, an output token; reasoning is output. */
export interface Rates {
  readonly hit: number;
  readonly miss: number;
  readonly output: number;
}

export interface PeriodRates {
  readonly offPeak: Rates;
  readonly peak: Rates;
}

export const CURRENCIES = ['usd', 'cny'] as const;
export type Currency = (typeof CURRENCIES)[number];

/** One price list; holds from an instant until the next one's. */
export interface TokenPrice {
  /** Epoch milliseconds; null: always. */
  readonly validFrom: number | null;
  readonly calendar: Calendar;
  /** The two lists are no exchange rate of each other: an account is billed by one of them. */
  readonly lists: Readonly<Record<Currency, PeriodRates | null>>;
}

/** What one request costs, whatever it brings. */
export interface RequestPrice {
  /** null: the answer tells. */
  readonly usd: number | null;
  /** To be assumed where it does not. */
  readonly usdAtMost: number;
}

export interface PriceTable {
  /** The day on which the prices were read, `YYYY-MM-DD`. */
  readonly read: string;
  /** `built in`, or the path of the user's file. */
  readonly origin: string;
  /** `provider/model`, lower case → price lists, oldest first. */
  readonly tokens: ReadonlyMap<string, readonly TokenPrice[]>;
  /** `provider/name`. */
  readonly requests: ReadonlyMap<string, RequestPrice>;
}

export function priceKey(provider: string, name: string): string {
  return `${provider}/${name.trim().toLowerCase()}`;
}

/** The list in force, or null for a model that has no price, or had none yet. */
export function priceAt(
  table: PriceTable,
  provider: string,
  model: string,
  at: number,
): TokenPrice | null {
  const lists = table.tokens.get(priceKey(provider, model)) ?? [];
  return lists.findLast(({ validFrom }) => validFrom === null || validFrom <= at) ?? null;
}

export function requestPrice(
  table: PriceTable,
  provider: string,
  name: string,
): RequestPrice | null {
  return table.requests.get(priceKey(provider, name)) ?? null;
}
