/**
 * Status and body → what went wrong, and what only its explanation needs. Errors of the network are
 * read in network-failure.ts.
 */

import type { Failure, FailureKind } from '../../base/errors.ts';
import type { AnswerHeaders } from '../wire/body.ts';
import type { Fields } from '../wire/foreign-json.ts';
import type { ProxyError } from '../wire/proxy-error.ts';
import { type ErrorBody, readErrorBody, readErrorFields } from './error-body.ts';
import {
  failureKindOf,
  isWrongAddress,
  MAYBE_DONE,
  REFUSALS,
  statusOfWords,
  UNKNOWN_STATUS,
} from './failure-table.ts';
import { retryAfterMs } from './retry-after.ts';

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
  /** What was called does not exist there, or not any more: the settings' fault, not the call's. */
  readonly isWrongAddress: boolean;
  /** In our words, what the upstream did instead of answering: "wrote nothing but reasoning". */
  readonly deed: string | null;
}

/** A failure of which nothing else needs to be told. */
function bare(failure: Failure): Diagnosis {
  return { failure, unreachable: null, models: [], fields: [], isWrongAddress: false, deed: null };
}

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
/** How gateways and firewalls ask who is there (RFC 9110, 11.6.1); a provider wants a bearer token. */
const LOGIN = /(?:^|,\s*)(?:basic|digest|negotiate|ntlm|kerberos)\b/i;

function namedModels(text: string): string[] {
  const listed = /supported api model names are (.{1,1000}?)(?:, but you passed|\.\s|\.?$)/i.exec(
    text,
  );
  const names = (listed?.[1] ?? '').split(/,|\s(?:or|and)\s/);
  return names.map((name) => name.trim()).filter((name) => MODEL_NAME.test(name));
}

/** The number that a 429's text gives after these words. */
function numberAfter(words: RegExp, text: string): number | null {
  const digits = words.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** DeepSeek's numbers: calls in flight on the account, this one among them or not, and its limit. */
function namedNumbers(kind: FailureKind, text: string): Partial<Failure> {
  if (kind !== 'balance_limit' && kind !== 'concurrency') return {};
  return {
    namedLimit: numberAfter(/concurrency limit of (\d{1,6})\b/i, text),
    namedInFlight: numberAfter(/current concurrency is (\d{1,6})\b/i, text),
  };
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
    namedInFlight: null,
    mayBeBilled: false,
    ...known,
    kind,
  };
}

function diagnose(status: number, headers: AnswerHeaders, body: ErrorBody): Diagnosis {
  const kind = failureKindOf(status, body);
  const failure = failureOf(kind, {
    status,
    retryAfterMs: retryAfterMs(headers, body),
    requestId: requestIdOf(headers),
    ...namedNumbers(kind, body.text),
    mayBeBilled: status < 300 || MAYBE_DONE(status),
  });
  const isRefusal = kind === 'bad_request';
  return {
    ...bare(failure),
    models: kind === 'unknown_model' ? namedModels(body.text) : [],
    fields: isRefusal ? ARGUMENTS.filter((name) => body.text.includes(name)) : [],
    isWrongAddress: isRefusal && isWrongAddress(status, body),
  };
}

/** Reads an answer that is an error. A status below 300 with an unusable body is `malformed`. */
export function diagnoseAnswer(status: number, headers: AnswerHeaders, body: string): Diagnosis {
  const asksForLogin = LOGIN.test(headers.get('www-authenticate') ?? '');
  return diagnose(status, headers, { ...readErrorBody(body), asksForLogin });
}

/**
 * Reads an error that arrived inside a 200: `{error: {message, type, code}}`, where Perplexity's
 * code is the status it stands for.
 *
 * @param hasStarted something had been generated by then
 */
export function diagnoseEmbedded(
  fields: Fields,
  headers: AnswerHeaders,
  hasStarted: boolean,
): Diagnosis {
  const body = readErrorFields(fields);
  const found = diagnose(body.status ?? statusOfWords(body), headers, body);
  const mayBeBilled = hasStarted || !REFUSALS.has(found.failure.kind);
  return { ...found, failure: { ...found.failure, status: 200, mayBeBilled } };
}

/**
 * Whether an object under a status of success is an error that is not called one, as gateways send
 * it: `{code: 429, message: "…"}`. It has to name a status, or to say a thing that is known.
 */
export function isBareError(fields: Fields): boolean {
  const body = readErrorFields(fields);
  return body.status !== null || statusOfWords(body) !== UNKNOWN_STATUS;
}

/**
 * A diagnosis that needs no reading.
 *
 * @param deed in our words, what the upstream did instead of answering
 */
export function diagnosis(
  kind: FailureKind,
  known: Partial<Failure> = {},
  deed: string | null = null,
): Diagnosis {
  return { ...bare(failureOf(kind, known)), deed };
}
