/** One line of the ledger: a finished attempt. No prompt, no answer, nothing of a key but its id. */

import { parseRecord } from '../../base/text/json.ts';
import type { Period } from '../prices/calendar.ts';

/** In US dollars by the dollar list, or in yuan by the yuan list. */
export interface EntryCost {
  readonly estimate: number;
  /** What it may have been, where that is in doubt; else equal to `estimate`. */
  readonly least: number;
  readonly most: number;
  readonly offPeak: number;
}

export interface LedgerEntry {
  readonly id: string;
  /** Epoch milliseconds: when the attempt was sent, and when it ended. */
  readonly sentAt: number;
  readonly endedAt: number;
  readonly provider: string;
  readonly model: string;
  readonly keyName: string;
  readonly keyId: string;
  readonly account: string;
  readonly tool: string | null;
  /** As the client called itself in the handshake. */
  readonly client: string | null;
  /** `ok`, `cancelled`, or the kind of failure. */
  readonly outcome: string;
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  readonly reasoningTokens: number | null;
  /** null: no price is known, or nothing is billed that way. */
  readonly usd: EntryCost | null;
  readonly cny: EntryCost | null;
  /** null: the price does not depend on the hour. */
  readonly period: Period | null;
  /** Whether it was billed, or how much, is not known for sure. */
  readonly isPerhaps: boolean;
  /** The day of the price table. */
  readonly pricesRead: string;
}

/** Every line begins like this, and a text inside of one cannot: its quotes are escaped. */
const BEGINNING = '{"v":1,"at":"';
const PERIODS = ['peak', 'off_peak', 'perhaps'] as const;

/** Sums are kept to a billionth: a single cached token costs three of them. */
function rounded(amount: number): number {
  return Number(amount.toFixed(10));
}

function costFields(currency: string, cost: EntryCost | null): Record<string, number | null> {
  if (cost === null) return { [`cost_${currency}`]: null };
  const { estimate, least, most, offPeak } = cost;
  return {
    [`cost_${currency}`]: rounded(estimate),
    ...(least === estimate ? {} : { [`least_${currency}`]: rounded(least) }),
    ...(most === estimate ? {} : { [`most_${currency}`]: rounded(most) }),
    ...(offPeak === estimate ? {} : { [`off_peak_${currency}`]: rounded(offPeak) }),
  };
}

/** One line, without its end. */
export function lineOf(entry: LedgerEntry): string {
  return JSON.stringify({
    v: 1,
    at: new Date(entry.endedAt).toISOString(),
    sent_at: new Date(entry.sentAt).toISOString(),
    id: entry.id,
    provider: entry.provider,
    model: entry.model,
    key: entry.keyName,
    key_id: entry.keyId,
    account: entry.account,
    tool: entry.tool,
    client: entry.client,
    outcome: entry.outcome,
    prompt_tokens: entry.promptTokens,
    cached_tokens: entry.cachedTokens,
    completion_tokens: entry.completionTokens,
    reasoning_tokens: entry.reasoningTokens,
    ...costFields('usd', entry.usd),
    ...costFields('cny', entry.cny),
    period: entry.period,
    perhaps: entry.isPerhaps,
    prices: entry.pricesRead,
  });
}

type Fields = Readonly<Record<string, unknown>>;

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const count = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
const amount = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;

function costOf(fields: Fields, currency: string): EntryCost | null {
  const estimate = amount(fields[`cost_${currency}`]);
  if (estimate === null) return null;
  return {
    estimate,
    least: amount(fields[`least_${currency}`]) ?? estimate,
    most: amount(fields[`most_${currency}`]) ?? estimate,
    offPeak: amount(fields[`off_peak_${currency}`]) ?? estimate,
  };
}

function parseOne(line: string): LedgerEntry | null {
  const fields = parseRecord(line);
  // A later version means something else by its fields, and says so here.
  if (fields === null || fields.v !== 1) return null;
  const endedAt = Date.parse(text(fields.at) ?? '');
  const sentAt = Date.parse(text(fields.sent_at) ?? '');
  const [id, provider] = [text(fields.id), text(fields.provider)];
  const [account, outcome] = [text(fields.account), text(fields.outcome)];
  if (Number.isNaN(endedAt) || Number.isNaN(sentAt)) return null;
  if (id === null || provider === null || account === null || outcome === null) return null;
  return {
    id,
    sentAt,
    endedAt,
    provider,
    account,
    outcome,
    model: text(fields.model) ?? 'unknown',
    keyName: text(fields.key) ?? 'unknown',
    keyId: text(fields.key_id) ?? 'unknown',
    tool: text(fields.tool),
    client: text(fields.client),
    promptTokens: count(fields.prompt_tokens),
    cachedTokens: count(fields.cached_tokens),
    completionTokens: count(fields.completion_tokens),
    reasoningTokens: count(fields.reasoning_tokens),
    usd: costOf(fields, 'usd'),
    cny: costOf(fields, 'cny'),
    period: PERIODS.find((each) => each === fields.period) ?? null,
    isPerhaps: fields.perhaps === true,
    pricesRead: text(fields.prices) ?? 'unknown',
  };
}

export interface ParsedLine {
  readonly entries: readonly LedgerEntry[];
  /** True when some of the line is no entry: torn, foreign, or of a later version. */
  readonly hasRest: boolean;
}

/**
 * The entries of one line. More than one, where a writer was killed before the end of its own and
 * the next one's stands behind the stump; only the stump is lost.
 */
export function parseLine(line: string): ParsedLine {
  if (line.trim() === '') return { entries: [], hasRest: false };
  const whole = parseOne(line);
  if (whole !== null) return { entries: [whole], hasRest: false };
  const [stump = '', ...rest] = line.split(BEGINNING);
  const pieces = rest.map((piece) => parseOne(`${BEGINNING}${piece}`));
  const entries = pieces.filter((piece) => piece !== null);
  return { entries, hasRest: stump !== '' || entries.length < pieces.length || rest.length === 0 };
}
