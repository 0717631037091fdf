/** Arguments of `perplexity_search`: schema, rules across fields, and the upstream request. */

import * as z from 'zod';
import type { SearchRequest } from '../upstream/perplexity/search.ts';
import { boundedText } from './arguments.ts';
import { wellFormed } from './clean-text.ts';

const queryText = boundedText(1, 2_000);

/** Listed patterns are read by llama.cpp's grammar, which knows no `\d` and no `\s`. */
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;

/** True for a day that the calendar has; `Date` alone would turn 2026-02-30 into March. */
function isRealDate(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function dateText(description: string) {
  return z
    .string()
    .regex(DATE, { error: 'has to be a date in the form YYYY-MM-DD', abort: true })
    .refine(isRealDate, 'is no day of the calendar')
    .optional()
    .describe(description);
}

const DOMAIN = /^-?[^\s/:-][^\s:]{0,251}$/;

const domain = z
  .string()
  .refine(
    (text) => DOMAIN.test(text),
    'has to be a domain such as example.com, or -example.com to leave it out, without https://',
  );

const fields = z.strictObject({
  query: z
    .union([queryText, z.array(queryText).min(1).max(5)])
    .describe('Short keyword phrase, or up to 5 of them searched together'),
  max_results: z.int().min(1).max(20).default(10),
  max_tokens_per_page: z
    .int()
    .min(64)
    .max(8_192)
    .default(1_024)
    .describe('Excerpt length per source'),
  country: z
    .string()
    .regex(/^[A-Za-z]{2}$/, 'has to be a two-letter country code (ISO 3166-1), such as US')
    .optional()
    .describe('ISO 3166-1 alpha-2'),
  search_domain_filter: z
    .array(domain)
    .max(20)
    .optional()
    .describe('Domains to allow, or with - prefix to exclude; not both'),
  search_language_filter: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z]{2}$/, 'has to be a two-letter language code (ISO 639-1), such as en'),
    )
    .max(10)
    .optional()
    .describe('ISO 639-1'),
  search_recency_filter: z
    .enum(['hour', 'day', 'week', 'month', 'year'])
    .optional()
    .describe('Cannot be combined with date filters'),
  search_after_date_filter: dateText('YYYY-MM-DD'),
  search_before_date_filter: dateText('YYYY-MM-DD'),
  search_mode: z.enum(['web', 'academic', 'sec']).default('web'),
  answer: z
    .enum(['fast', 'low', 'medium', 'high'])
    .optional()
    .describe('Also write an answer, with this effort; slower and dearer. Absent: sources only'),
});

type Fields = z.output<typeof fields>;

/** What no single field can know; at most one sentence per rule. */
function crossFieldProblems(args: Fields): string[] {
  const problems: string[] = [];
  const after = args.search_after_date_filter;
  const before = args.search_before_date_filter;
  if (args.search_recency_filter !== undefined && (after ?? before) !== undefined) {
    problems.push(
      'search_recency_filter cannot be combined with search_after_date_filter or search_before_date_filter; use one kind',
    );
  }
  if (after !== undefined && before !== undefined && after > before) {
    problems.push('search_after_date_filter has to be earlier than search_before_date_filter');
  }
  const excluded = args.search_domain_filter?.filter((entry) => entry.startsWith('-')).length ?? 0;
  if (excluded > 0 && excluded < (args.search_domain_filter?.length ?? 0)) {
    problems.push(
      'search_domain_filter cannot mix domains to allow and domains to exclude; use one kind',
    );
  }
  return problems;
}

export const searchInput = fields.superRefine((args, context) => {
  for (const message of crossFieldProblems(args)) context.addIssue({ code: 'custom', message });
});

export type SearchInput = z.output<typeof searchInput>;

/** The queries as a list, whichever form they came in. */
export function queriesOf(args: SearchInput): string[] {
  const queries = typeof args.query === 'string' ? [args.query] : args.query;
  return queries.map((query) => wellFormed(query.trim()));
}

export function searchRequest(args: SearchInput): SearchRequest {
  return {
    queries: queriesOf(args),
    maxResults: args.max_results,
    maxTokensPerPage: args.max_tokens_per_page,
    country: args.country?.toUpperCase() ?? null,
    domains: args.search_domain_filter ?? [],
    languages: (args.search_language_filter ?? []).map((code) => code.toLowerCase()),
    recency: args.search_recency_filter ?? null,
    afterDate: args.search_after_date_filter ?? null,
    beforeDate: args.search_before_date_filter ?? null,
    mode: args.search_mode,
    answer: args.answer ?? null,
  };
}
