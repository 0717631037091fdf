/** Sums of money as a person reads them. Pure. */

import { grouped } from '../grouped.ts';

/** `$12.31`, or `$0.0042` where less than a dollar is all there is. */
export function dollars(usd: number, decimals = usd > 0 && usd < 1 ? 4 : 2): string {
  const least = 10 ** -decimals;
  if (usd > 0 && usd < least) return `<$${least.toFixed(decimals)}`;
  const [whole = '', rest = ''] = usd.toFixed(decimals).split('.');
  return `$${grouped(whole)}.${rest}`;
}
