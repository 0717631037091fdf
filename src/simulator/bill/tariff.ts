/**
 * What the providers charge, as of November 2026. Written apart from the product's own table, so
 * that a mistake in either shows as a difference.
 */

export type BilledCurrency = 'USD' | 'CNY';

/** Tokens of one chat completion, as they are billed. */
export interface BilledTokens {
  readonly hit: number;
  readonly miss: number;
  readonly output: number;
}

/** Off-peak, per million: cache hit, cache miss, output. Peak is twice that. */
const FLASH = { USD: [0.003, 0.15, 0.6], CNY: [0.02, 1, 4] } as const;
const PRO = { USD: [0.022, 0.66, 1.98], CNY: [0.15, 4.5, 13.5] } as const;
const DAY_MS = 86_400_000;
/** Beijing keeps one time all year. */
const BEIJING_MS = 8 * 3_600_000;
/** Legal holidays on weekdays of 2026 from here on, and the days between them that are off. */
const DAYS_OFF: ReadonlySet<string> = new Set([
  '2026-09-25',
  '2026-10-01',
  '2026-10-02',
  '2026-10-05',
  '2026-10-06',
  '2026-10-07',
]);

export function isPeak(at: number): boolean {
  const beijing = at + BEIJING_MS;
  const hour = Math.floor((beijing % DAY_MS) / 3_600_000);
  // 1970-01-01 was a Thursday.
  const weekday = (Math.floor(beijing / DAY_MS) + 4) % 7;
  const date = new Date(beijing).toISOString().slice(0, 10);
  const isWorkday = weekday >= 1 && weekday <= 5 && !DAYS_OFF.has(date);
  return isWorkday && ((hour >= 9 && hour < 12) || (hour >= 14 && hour < 18));
}

export function chatPrice(
  model: string,
  currency: BilledCurrency,
  { hit, miss, output }: BilledTokens,
  at: number,
): number {
  const [perHit, perMiss, perOutput] = (model === 'deepseek-v4-pro' ? PRO : FLASH)[currency];
  const offPeak = (hit * perHit + miss * perMiss + output * perOutput) / 1e6;
  return isPeak(at) ? 2 * offPeak : offPeak;
}

/** One request of `POST /search`, however many queries it carries. */
export const SEARCH_PRICE = 0.005;
