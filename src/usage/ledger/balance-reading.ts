/** What a provider said an account has: the only truth about its money. */

import { parseRecord } from '../../base/text/json.ts';
import { type DaySpan, linesOf } from './read-ledger.ts';

export interface BalanceReading {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly provider: string;
  readonly account: string;
  /** Three capital letters. */
  readonly currency: string;
  /** Of the currency's whole unit, with the two decimals that are told. */
  readonly amount: number;
}

export function balanceLine({ at, ...rest }: BalanceReading): string {
  return JSON.stringify({ v: 1, at: new Date(at).toISOString(), ...rest });
}

export function parseBalance(line: string): BalanceReading | null {
  const fields = parseRecord(line);
  if (fields === null || fields.v !== 1) return null;
  const { at: time, provider, account, currency, amount } = fields;
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(at) || typeof provider !== 'string') return null;
  if (typeof account !== 'string' || typeof currency !== 'string') return null;
  if (typeof amount !== 'number' || !Number.isFinite(amount)) return null;
  return { at, provider, account, currency, amount };
}

/** Readings within the span, as they were written. */
export async function readBalances(folder: string, span: DaySpan): Promise<BalanceReading[]> {
  const readings: BalanceReading[] = [];
  for await (const line of linesOf(folder, 'balances', span)) {
    const reading = parseBalance(line);
    if (reading === null || reading.at < span.since || reading.at >= span.until) continue;
    readings.push(reading);
  }
  return readings;
}
