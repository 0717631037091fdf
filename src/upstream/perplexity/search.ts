/** Requests and answers of Perplexity's Search and Agent APIs, as the tools see them. */

import type { CallContext, Served } from '../call.ts';

export type Recency = 'hour' | 'day' | 'week' | 'month' | 'year';
export type SearchMode = 'web' | 'academic' | 'sec';
/** Agent presets. */
export type AnswerEffort = 'fast' | 'low' | 'medium' | 'high';

export interface SearchRequest {
  /** One to five queries. */
  readonly queries: readonly string[];
  readonly maxResults: number;
  readonly maxTokensPerPage: number;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country: string | null;
  readonly domains: readonly string[];
  /** ISO 639-1, lower case. */
  readonly languages: readonly string[];
  readonly recency: Recency | null;
  /** YYYY-MM-DD; the client converts to the wire's form. */
  readonly afterDate: string | null;
  readonly beforeDate: string | null;
  readonly mode: SearchMode;
  /** null: results only. */
  readonly answer: AnswerEffort | null;
}

export interface Source {
  /** From 1; what an answer cites it by. Not always without a gap. */
  readonly number: number;
  readonly title: string;
  readonly url: string;
  readonly snippet: string;
  readonly date: string | null;
  readonly lastUpdated: string | null;
}

export interface SearchResult extends Served {
  readonly sources: readonly Source[];
  readonly answer: string | null;
  /** True when the upstream ended the answer before it was complete. */
  readonly answerTruncated: boolean;
}

export interface PerplexityClient {
  /**
   * @throws UpstreamError, PoolExhaustedError
   */
  search(request: SearchRequest, context: CallContext): Promise<SearchResult>;
}
