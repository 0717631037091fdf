/** Reads `POST /search` as Perplexity does: strict about fields, ranges and combinations. */

import type { Reply } from '../turn.ts';
import { isText, unknownField, type WireObject } from '../wire-json.ts';
import type { SearchFilters } from './perplexity-corpus.ts';
import { invalidRequest, perplexityError, unknownFieldReply } from './perplexity-replies.ts';

export interface SearchQuery {
  readonly queries: readonly string[];
  readonly filters: SearchFilters;
  readonly serverTime: boolean;
}

const FIELDS: ReadonlySet<string> = new Set([
  'query',
  'max_results',
  'search_type',
  'search_context_size',
  'max_tokens',
  'max_tokens_per_page',
  'country',
  'search_domain_filter',
  'search_language_filter',
  'search_recency_filter',
  'search_after_date_filter',
  'search_before_date_filter',
  'last_updated_after_filter',
  'last_updated_before_filter',
  'search_mode',
  'display_server_time',
]);

const DAY_MS = 86_400_000;
const RECENCY_MS: Readonly<Record<string, number>> = {
  hour: DAY_MS / 24,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 31 * DAY_MS,
  year: 366 * DAY_MS,
};

const CHOICES: ReadonlyArray<readonly [string, readonly string[]]> = [
  ['search_type', ['web', 'fast', 'people']],
  ['search_context_size', ['low', 'medium', 'high']],
  ['search_recency_filter', Object.keys(RECENCY_MS)],
  ['search_mode', ['web', 'academic', 'sec']],
];
const DATES = [
  'search_after_date_filter',
  'search_before_date_filter',
  'last_updated_after_filter',
  'last_updated_before_filter',
] as const;

function badParameter(name: string, what: string): Reply {
  return perplexityError(400, 'invalid_parameter', `${name}: ${what}`, { param: name });
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isCount(value: unknown, low: number, high: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high;
}

function badQuery(query: unknown): Reply | null {
  const queries = Array.isArray(query) ? query : [query];
  if (isAbsent(query) || queries.length === 0) {
    return invalidRequest('query validation: query is required');
  }
  if (!queries.every((each) => isText(each) && each.trim() !== '')) {
    return invalidRequest('query validation: query must not be empty');
  }
  return queries.length > 5 ? invalidRequest('query validation: at most 5 queries') : null;
}

function badNumbers(body: WireObject): Reply | null {
  const highest = body.search_type === 'people' ? 50 : 20;
  const ranges = [
    ['max_results', highest],
    ['max_tokens', 1_000_000],
    ['max_tokens_per_page', 1_000_000],
  ] as const;
  for (const [name, high] of ranges) {
    if (!isAbsent(body[name]) && !isCount(body[name], 1, high)) {
      return badParameter(name, `must be between 1 and ${high}`);
    }
  }
  return null;
}

function badChoices(body: WireObject): Reply | null {
  for (const [name, choices] of CHOICES) {
    const value = body[name];
    if (!isAbsent(value) && !choices.includes(String(value))) {
      return badParameter(name, `must be one of ${choices.join(', ')}`);
    }
  }
  const { country, search_language_filter: languages } = body;
  if (!isAbsent(country) && !(isText(country) && /^[A-Z]{2}$/.test(country))) {
    return badParameter('country', 'must be an ISO 3166-1 alpha-2 code');
  }
  const isLanguages =
    Array.isArray(languages) &&
    languages.length <= 20 &&
    languages.every((code) => isText(code) && /^[a-z]{2}$/.test(code));
  if (!isAbsent(languages) && !isLanguages) {
    return badParameter('search_language_filter', 'must be ISO 639-1 codes');
  }
  return null;
}

function badDomains(value: unknown): Reply | null {
  if (isAbsent(value)) return null;
  const refuse = (message: string): Reply =>
    perplexityError(400, 'invalid_search_domain_filter', `search_domain_filter: ${message}`);
  if (!Array.isArray(value) || !value.every(isText)) return refuse('must be a list of domains');
  if (value.length > 20) return refuse('at most 20 domains are allowed');
  if (value.some((domain) => domain.length > 253 || domain.includes('://') || domain === '')) {
    return refuse('domains are given without a scheme');
  }
  const denied = value.filter((domain) => domain.startsWith('-')).length;
  const isMixed = denied > 0 && denied < value.length;
  return isMixed ? refuse('allowed and excluded domains cannot be mixed') : null;
}

/** `MM/DD/YYYY`, padding optional, as milliseconds since 1970; null when it is no date. */
function readDate(value: unknown): number | null {
  const parts = isText(value) ? /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(value) : null;
  if (parts === null) return null;
  const [month, day, year] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const at = new Date(Date.UTC(year, month - 1, day));
  const isReal = at.getUTCMonth() === month - 1 && at.getUTCDate() === day;
  return isReal ? at.getTime() : null;
}

function badDates(body: WireObject): Reply | null {
  const given = DATES.filter((name) => !isAbsent(body[name]));
  for (const name of given) {
    if (readDate(body[name]) === null) {
      return perplexityError(400, 'invalid_date_format', `${name}: expected MM/DD/YYYY`);
    }
  }
  if (given.length > 0 && !isAbsent(body.search_recency_filter)) {
    return badParameter('search_recency_filter', 'cannot be combined with date filters');
  }
  return null;
}

/** What is wrong with the filters that search and agent share, or null. */
export function badFilters(body: WireObject): Reply | null {
  return badChoices(body) ?? badDomains(body.search_domain_filter) ?? badDates(body);
}

export function readFilters(body: WireObject, now: number): SearchFilters {
  const domains = Array.isArray(body.search_domain_filter)
    ? body.search_domain_filter.filter(isText)
    : [];
  const recency = RECENCY_MS[String(body.search_recency_filter)];
  const after = readDate(body.search_after_date_filter);
  const before = readDate(body.search_before_date_filter);
  const updatedBefore = readDate(body.last_updated_before_filter);
  return {
    maxResults: isCount(body.max_results, 1, 50) ? body.max_results : 10,
    maxTokensPerPage: isCount(body.max_tokens_per_page, 1, 1_000_000)
      ? body.max_tokens_per_page
      : 2048,
    allowed: domains.filter((domain) => !domain.startsWith('-')),
    denied: domains.filter((domain) => domain.startsWith('-')).map((domain) => domain.slice(1)),
    after: recency === undefined ? (after ?? Number.NEGATIVE_INFINITY) : now - recency,
    // The day named is included to its end.
    before: before === null ? Number.POSITIVE_INFINITY : before + DAY_MS - 1,
    updatedAfter: readDate(body.last_updated_after_filter) ?? Number.NEGATIVE_INFINITY,
    updatedBefore: updatedBefore === null ? Number.POSITIVE_INFINITY : updatedBefore + DAY_MS - 1,
  };
}

/** The first field that `/search` does not list, or null. */
export function unlistedSearchField(body: WireObject): string | null {
  return unknownField(body, FIELDS);
}

export function readSearch(
  body: WireObject,
  now: number,
): { readonly query: SearchQuery } | { readonly refusal: Reply } {
  const unknown = unlistedSearchField(body);
  // A body with `queries` is told about the missing `query` (seen live), not about the field.
  const refusal =
    (unknown === 'queries' ? badQuery(body.query) : null) ??
    (unknown === null ? null : unknownFieldReply(unknown)) ??
    badQuery(body.query) ??
    badNumbers(body) ??
    badFilters(body);
  if (refusal !== null) return { refusal };
  const queries = (Array.isArray(body.query) ? body.query : [body.query]).filter(isText);
  return {
    query: {
      queries,
      filters: readFilters(body, now),
      serverTime: body.display_server_time === true,
    },
  };
}
