/** A small invented web: deterministic pages for any query, to which filters really apply. */

import { deal, hashText, pick, type Random, seededRandom } from '../random.ts';
import { CHARACTERS_PER_TOKEN, referenceIn, takeCharacters } from '../text.ts';

export interface Page {
  readonly title: string;
  readonly url: string;
  readonly snippet: string;
  readonly date: string | null;
  readonly last_updated: string | null;
}

export interface SearchFilters {
  readonly maxResults: number;
  readonly maxTokensPerPage: number;
  /** Allowed domains; empty: all. */
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
  /** Milliseconds since 1970; pages before or after are left out. */
  readonly after: number;
  readonly before: number;
  readonly updatedAfter: number;
  readonly updatedBefore: number;
}

const CANDIDATES = 60;
const DAY_MS = 86_400_000;
const DOMAINS = [
  'docs.python.example',
  'developer.web.example',
  'nodejs.example',
  'papers.example.edu',
  'stats.agency.example.gov',
  'news.example.org',
  'blog.example.com',
  'wiki.example.org',
] as const;
const KINDS = [
  'a practical guide',
  'reference',
  'what changed this year',
  'common mistakes',
  'an introduction',
  'benchmarks compared',
] as const;
const SENTENCES = [
  'The short answer fits in one paragraph; the details depend on the version in use.',
  'Start from the official documentation and change one thing at a time.',
  'Measured on a small machine, the difference between the two was below two percent.',
  'The older advice no longer holds since the last major release.',
  'Three approaches are in use; each has one case where it is clearly better.',
  'Readers report that the default is right for most, and name two exceptions.',
] as const;

/** True when `host` is `domain` or below it; `.gov` names a whole top level. */
function isUnder(url: URL, domain: string): boolean {
  const [host = '', ...path] = domain.split('/');
  const suffix = host.startsWith('.') ? host : `.${host}`;
  const isHost = url.hostname === host || url.hostname.endsWith(suffix);
  return isHost && (path.length === 0 || url.pathname.startsWith(`/${path.join('/')}`));
}

function snippet(random: Random, query: string, tokens: number): string {
  const reference = referenceIn(query);
  let text = reference === null ? '' : `ref:${reference} `;
  text += `About ${takeCharacters(query, 80)}.`;
  const length = Math.min(tokens * CHARACTERS_PER_TOKEN, 220 + Math.floor(random() * 500));
  const cards = deal(random, SENTENCES);
  while (text.length < length) text += ` ${cards.next().value}`;
  return takeCharacters(text, tokens * CHARACTERS_PER_TOKEN);
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

interface Candidate {
  readonly page: Page;
  readonly publishedAt: number;
  readonly updatedAt: number;
}

function candidate(
  random: Random,
  query: string,
  at: number,
  today: number,
  filters: SearchFilters,
): Candidate {
  const [first, ...rest] = filters.allowed.filter((domain) => !domain.startsWith('.'));
  const fromFilter = first !== undefined && at % 2 === 0;
  const domain = fromFilter ? pick(random, [first, ...rest]) : pick(random, DOMAINS);
  // Every third page is of the last days, so that a recency filter leaves something.
  const ageDays = at % 3 === 0 ? random() * 6 : random() * 1500;
  const publishedAt = today - ageDays * DAY_MS;
  const updatedAt = publishedAt + random() * (today - publishedAt);
  const words = query.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  const cut = words.join('-').slice(0, 48);
  const slug = cut.endsWith('-') ? cut.slice(0, -1) : cut;
  const page: Page = {
    title: `${takeCharacters(query, 80)}: ${KINDS[at % KINDS.length]}`,
    url: `https://${domain}/${slug || 'page'}-${at + 1}`,
    snippet: snippet(random, query, filters.maxTokensPerPage),
    date: at % 7 === 6 ? null : isoDay(publishedAt),
    last_updated: at % 5 === 4 ? null : isoDay(updatedAt),
  };
  return { page, publishedAt, updatedAt };
}

function passes(entry: Candidate, filters: SearchFilters): boolean {
  const { page, publishedAt, updatedAt } = entry;
  const url = new URL(page.url);
  const isDated = filters.after > -Infinity || filters.before < Infinity;
  if (isDated && page.date === null) return false;
  if (publishedAt < filters.after || publishedAt > filters.before) return false;
  if (updatedAt < filters.updatedAfter || updatedAt > filters.updatedBefore) return false;
  if (filters.denied.some((domain) => isUnder(url, domain))) return false;
  return filters.allowed.length === 0 || filters.allowed.some((domain) => isUnder(url, domain));
}

function pagesFor(query: string, filters: SearchFilters, seed: number, now: number): Page[] {
  const random = seededRandom(hashText(query) ^ seed);
  const today = Math.floor(now / DAY_MS) * DAY_MS;
  return Array.from({ length: CANDIDATES }, (_, at) => candidate(random, query, at, today, filters))
    .filter((entry) => passes(entry, filters))
    .map((entry) => entry.page);
}

/** Results of all queries, interleaved, at most `maxResults` together. */
export function searchPages(
  queries: readonly string[],
  filters: SearchFilters,
  seed: number,
  now: number,
): Page[] {
  const lists = queries.map((query) => pagesFor(query, filters, seed, now));
  const results: Page[] = [];
  for (let rank = 0; rank < CANDIDATES; rank++) {
    for (const list of lists) {
      const page = list[rank];
      if (page !== undefined && results.length < filters.maxResults) results.push(page);
    }
  }
  return results;
}
