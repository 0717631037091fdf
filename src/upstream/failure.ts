/**
 * Status and body → what went wrong. The one table for both upstreams; first row that fits wins.
 * Whose fault a kind is, and what follows, is the pool's business. Errors of the network are read
 * in network-failure.ts.
 */

import type { Failure, FailureKind } from '../base/errors.ts';
import type { AnswerHeaders } from './wire/body.ts';
import { type Fields, fieldsOf, listOf, parseFields, textOf } from './wire/json.ts';
import type { ProxyError } from './wire/proxy-error.ts';

/** What made a host unreachable; changes the advice, not the policy. */
export type UnreachableCause = 'refused' | 'dns' | 'certificate' | 'timeout' | 'network';

/** A failure, and what only its explanation needs. */
export interface Diagnosis {
  readonly failure: Failure;
  readonly unreachable: UnreachableCause | ProxyError | null;
  /** Model names that a 400 lists, checked to be nothing but names. */
  readonly models: readonly string[];
  /** Arguments of ours that a refusal is about. */
  readonly fields: readonly string[];
}

/** A failure of which nothing else needs to be told. */
function bare(failure: Failure, unreachable: Diagnosis['unreachable'] = null): Diagnosis {
  return { failure, unreachable, models: [], fields: [] };
}

interface Row {
  readonly kind: FailureKind;
  readonly statuses: (status: number) => boolean;
  /** Has to occur in the error's text, type or code. */
  readonly text?: RegExp;
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

const ROWS: readonly Row[] = [
  // 304 and the like carry no location, but no answer either.
  { kind: 'redirect', statuses: from(300, 399) },
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
    text: /supported api model names|model not exist|invalid_model|model_not_found/i,
  },
  {
    kind: 'too_long',
    statuses: is(400, 413, 422),
    text: /maximum context length|invalid max_tokens value|context_length_exceeded/i,
  },
  {
    kind: 'moderation',
    statuses: is(400, 403, 422),
    text: /content exists risk|content_filter|content_policy/i,
  },
  { kind: 'no_credit', statuses: is(400, 403, 429), text: QUOTA },
  { kind: 'forbidden', statuses: is(403) },
  { kind: 'concurrency', statuses: is(429) },
  // A gateway on the way gave up waiting for the request.
  { kind: 'server_error', statuses: is(408, 424, 425) },
  { kind: 'bad_request', statuses: from(400, 499) },
  { kind: 'overloaded', statuses: is(503, 529) },
  { kind: 'server_error', statuses: from(500, 599) },
];

/** Somebody on the way gave up waiting: the work may have been done, and only the answer was lost. */
const MAYBE_DONE = is(408, 504);

/** Our arguments, under the names that refusals use: the only words of one that are handed on. */
const ARGUMENTS = [
  'temperature',
  'max_tokens_per_page',
  'max_results',
  'country',
  'search_domain_filter',
  'search_language_filter',
  'search_recency_filter',
  'search_after_date_filter',
  'search_before_date_filter',
  'search_mode',
  'query',
] as const;

const MODEL_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/i;
const REQUEST_ID = /^[\w.:-]{1,128}$/;
/** A pause longer than this says nothing about the next call. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** The parts of an error answer that say what it is, in one line to match against. */
function errorText(body: string): string {
  const parsed = parseFields(body);
  if (parsed === null) return body;
  const error = fieldsOf(parsed.error);
  const details = listOf(parsed.detail).map((each) => textOf(fieldsOf(each).msg) ?? '');
  const parts = [
    error.type,
    error.code,
    error.message,
    parsed.error,
    parsed.message,
    parsed.detail,
  ];
  return [...parts, ...details].filter((part) => typeof part === 'string').join(' | ');
}

function namedModels(text: string): string[] {
  const listed = /supported api model names are (.{1,1000}?)(?:, but you passed|\.\s|\.?$)/i.exec(
    text,
  );
  const names = (listed?.[1] ?? '').split(/,\s*|\s+(?:or|and)\s+/);
  return names.map((name) => name.trim()).filter((name) => MODEL_NAME.test(name));
}

function namedLimit(text: string): number | null {
  const digits = /concurrency limit of (\d{1,6})\b/i.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** `retry-after-ms`, or `retry-after` as seconds or as a date. */
export function retryAfterMs(headers: AnswerHeaders, now: number = Date.now()): number | null {
  const exact = Number(headers.get('retry-after-ms') ?? 'none');
  const raw = headers.get('retry-after') ?? '';
  const asSeconds = /^\s*\d+(\.\d+)?\s*$/.test(raw) ? Number(raw) * 1000 : Number.NaN;
  const asDate = Date.parse(raw) - now;
  const found = [exact, asSeconds, asDate].find((ms) => Number.isFinite(ms));
  return found === undefined ? null : Math.min(Math.max(0, Math.round(found)), MAX_RETRY_AFTER_MS);
}

/** DeepSeek's trace header, or what others use. Its shape is checked: it is shown to the caller. */
export function requestIdOf(headers: AnswerHeaders): string | null {
  const raw = headers.get('x-ds-trace-id') ?? headers.get('x-request-id');
  return raw !== null && REQUEST_ID.test(raw) ? raw : null;
}

/** A failure with nothing known but its kind. */
export function failureOf(kind: FailureKind, known: Partial<Failure> = {}): Failure {
  return {
    status: null,
    retryAfterMs: null,
    requestId: null,
    namedLimit: null,
    mayBeBilled: false,
    ...known,
    kind,
  };
}

/** Reads an answer that is an error. A status below 300 with an unusable body is `malformed`. */
export function diagnoseAnswer(status: number, headers: AnswerHeaders, body: string): Diagnosis {
  const text = errorText(body);
  const row = ROWS.find((each) => each.statuses(status) && (each.text?.test(text) ?? true));
  const kind = row?.kind ?? 'malformed';
  const failure = failureOf(kind, {
    status,
    retryAfterMs: retryAfterMs(headers),
    requestId: requestIdOf(headers),
    namedLimit: kind === 'balance_limit' || kind === 'concurrency' ? namedLimit(text) : null,
    mayBeBilled: status < 300 || MAYBE_DONE(status),
  });
  return {
    ...bare(failure),
    models: kind === 'unknown_model' ? namedModels(text) : [],
    fields: kind === 'bad_request' ? ARGUMENTS.filter((name) => text.includes(name)) : [],
  };
}

/** Not node's Headers: touching them loads its own fetch, 45 ms and some megabytes. */
const NO_HEADERS: AnswerHeaders = { get: () => null };

/**
 * Reads an error that arrived inside a 200: `{message, type, code}`, where Perplexity's code is
 * the status it stands for.
 */
export function diagnoseEmbedded(error: Fields, requestId: string | null): Diagnosis {
  const body = JSON.stringify({ error });
  const code = typeof error.code === 'number' ? error.code : Number.NaN;
  const status = code >= 400 && code <= 599 ? code : statusOfType(errorText(body));
  const found = diagnoseAnswer(status, NO_HEADERS, body);
  return { ...found, failure: { ...found.failure, status: 200, requestId, mayBeBilled: true } };
}

/** The status that an error without one would have had. */
function statusOfType(text: string): number {
  if (/rate_limit/i.test(text)) return 429;
  if (/authentication|invalid_api_key/i.test(text)) return 401;
  if (QUOTA.test(text)) return 402;
  if (/content exists risk|invalid_request|invalid_param|maximum context/i.test(text)) return 400;
  return /unavailable|overloaded|too busy/i.test(text) ? 503 : 500;
}

/** A diagnosis that needs no reading. */
export function diagnosis(
  kind: FailureKind,
  known: Partial<Failure> = {},
  unreachable: Diagnosis['unreachable'] = null,
): Diagnosis {
  return bare(failureOf(kind, known), unreachable);
}
