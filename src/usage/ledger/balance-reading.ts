/** What a provider said an account has: the only truth about its money. */

import { linesOf, type Span } from './read-ledger.ts';

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
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [time, provider, account] = ['at', 'provider', 'account'].map((name) => fields.get(name));
  const [currency, amount] = [fields.get('currency'), fields.get('amount')];
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (fields.get('v') !== 1 || Number.isNaN(at) || typeof provider !== 'string') return null;
  if (typeof account !== 'string' || typeof currency !== 'string') return null;
  if (typeof amount !== 'number' || !Number.isFinite(amount)) return null;
  return { at, provider, account, currency, amount };
}

/** Readings within the span, as they were written. */
export async function readBalances(folder: string, span: Span): Promise<BalanceReading[]> {
  const readings: BalanceReading[] = [];
  for await (const line of linesOf(folder, 'balances', span)) {
    const reading = parseBalance(line);
    if (reading === null || reading.at < span.since || reading.at >= span.until) continue;
    readings.push(reading);
  }
  return readings;
}
