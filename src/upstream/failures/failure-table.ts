/**
 * The one table for both upstreams: the status and the words of an error → its kind. The first row
 * that fits wins. Whose fault a kind is, and what follows, is the pool's business.
 */

import type { FailureKind } from '../../base/errors.ts';
import type { ErrorBody } from './error-body.ts';

interface Row {
  readonly kind: FailureKind;
  readonly statuses: (status: number) => boolean;
  /** Has to occur in the error's type or code. */
  readonly code?: RegExp;
  /** Has to occur in the error's text, type or code. */
  readonly text?: RegExp;
  /** Has to be no JSON, but somebody's page. */
  readonly isForeign?: true;
  /** Has to ask for a user's name. */
  readonly asksForLogin?: true;
}

const is =
  (...statuses: readonly number[]) =>
  (status: number): boolean =>
    statuses.includes(status);
const from =
  (low: number, high: number) =>
  (status: number): boolean =>
    status >= low && status <= high;

/** Money is gone; kept short, for a prompt that is echoed must not look like it. */
const QUOTA = /insufficient_quota|insufficient[ _]balance|exceeded your current quota/i;
/** Perplexity's, for every call to the chat endpoint that it ended in 2026: no key's fault. */
const RETIRED = /chat_completions_not_available/i;

const ROWS: readonly Row[] = [
  // 304 and the like carry no location, but no answer either.
  { kind: 'redirect', statuses: from(300, 399) },
  // A company's gateway wants to know who asks; it has not looked at the key.
  { kind: 'blocked', statuses: is(401), isForeign: true, asksForLogin: true },
  // Perplexity says "out of credit" with a 401.
  { kind: 'no_credit', statuses: is(401), text: QUOTA },
  { kind: 'invalid_key', statuses: is(401) },
  { kind: 'no_credit', statuses: is(402) },
  // A 429 that names the balance comes before the 402: the ceiling shrinks with the money left.
  { kind: 'balance_limit', statuses: is(429), text: /\bremaining balance\b|top up your balance/i },
  // Before the quota row: this message repeats the model's name, which is the caller's text.
  {
    kind: 'unknown_model',
    statuses: is(400, 404, 422),
    text: /supported api model names|model not exist/i,
  },
  // Gateways that serve several models say it under any status, 503 most of all.
  { kind: 'unknown_model', statuses: from(400, 599), code: /invalid_model|model_not_found/i },
  { kind: 'too_long', statuses: is(413) },
  {
    kind: 'too_long',
    statuses: is(400, 422),
    text: /maximum context length|invalid max_tokens value|context_length_exceeded/i,
  },
  {
    kind: 'moderation',
    statuses: is(400, 403, 422),
    text: /content exists risk|content_filter|content_policy/i,
  },
  { kind: 'no_credit', statuses: is(400, 403, 429), text: QUOTA },
  { kind: 'bad_request', statuses: is(403), code: RETIRED },
  // Both providers refuse in JSON: a page is a challenge's or a firewall's, a proxy's that wants to
  // know who asks, a court's, or a hotel network's.
  { kind: 'blocked', statuses: is(403, 406, 407, 451, 511), isForeign: true },
  { kind: 'forbidden', statuses: is(403) },
  { kind: 'concurrency', statuses: is(429) },
  // A gateway on the way gave up waiting for the request.
  { kind: 'server_error', statuses: is(408, 424, 425) },
  { kind: 'bad_request', statuses: from(400, 499) },
  { kind: 'overloaded', statuses: is(503, 529) },
  { kind: 'server_error', statuses: from(500, 599) },
];

function fits(row: Row, status: number, body: ErrorBody): boolean {
  const { statuses, code, text, isForeign = false, asksForLogin = false } = row;
  if (!statuses(status)) return false;
  if ((isForeign && !body.isForeign) || (asksForLogin && !body.asksForLogin)) return false;
  return (code?.test(body.code) ?? true) && (text?.test(body.text) ?? true);
}

/** A status below 300 is no error: what came under it is `malformed`. */
export function failureKindOf(status: number, body: ErrorBody): FailureKind {
  return ROWS.find((row) => fits(row, status, body))?.kind ?? 'malformed';
}

/** Nothing is known there under this path or method. */
const NOWHERE = is(404, 405, 410);

/** A refusal of the address, not of what was sent to it. */
export function isWrongAddress(status: number, { code }: ErrorBody): boolean {
  return NOWHERE(status) || RETIRED.test(code);
}

/**
 * Somebody on the way gave up waiting: the work may have been done, and only the answer was lost.
 * 524 is Cloudflare's word for it, which both providers stand behind, 598 that of some proxies.
 */
export const MAYBE_DONE = is(408, 504, 524, 598);

/** Found before any work was done: nothing is billed. */
export const REFUSALS: ReadonlySet<FailureKind> = new Set([
  'invalid_key',
  'no_credit',
  'forbidden',
  'concurrency',
  'balance_limit',
  'bad_request',
  'unknown_model',
  'too_long',
  'moderation',
]);

/** Of an error that says nothing known. */
export const UNKNOWN_STATUS = 500;

/** The status that an error without one would have had. */
export function statusOfWords({ code, text }: ErrorBody): number {
  if (/rate.?limit|too many requests|concurrency limit|throttl/i.test(text)) return 429;
  if (/authentication|invalid_api_key/i.test(code)) return 401;
  if (QUOTA.test(text)) return 402;
  if (/content exists risk|invalid_request|invalid_param|maximum context/i.test(text)) return 400;
  return /unavailable|overloaded|too busy/i.test(text) ? 503 : UNKNOWN_STATUS;
}
