/**
 * The Perplexity client: `POST /search` for results, the Agent API for an answer. Sonar is not
 * used: its support ended on 2026-09-27.
 */

import { parseRecord } from '../../base/text/json.ts';
import type { Lease } from '../../pool/lease.ts';
import { acceptWhile, pieceCounter } from '../acceptance.ts';
import type { CallContext } from '../call.ts';
import { requestIdOf } from '../failures/failure.ts';
import { refuse, unusable } from '../run-attempt.ts';
import type { Watch } from '../watch.ts';
import { type Answer, readText } from '../wire/body.ts';
import { textOf } from '../wire/foreign-json.ts';
import { pinTo } from '../wire/http.ts';
import { type AgentSigns, judgeRun, readAgent, throwEmbedded } from './agent-answer.ts';
import { AgentRun } from './agent-run.ts';
import {
  type Ended,
  EndpointCalls,
  type PerplexityOptions,
  type Progressing,
} from './endpoint-calls.ts';
import type { PerplexityClient, SearchRequest, SearchResult, Source } from './search.ts';
import { agentBody, agentBodyFrom, needsOwnSearch, searchBody } from './search-body.ts';
import { readSources } from './sources.ts';

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const CANCEL_TIMEOUT_MS = 5_000;
/** Of a snippet, about. */
const CHARACTERS_PER_TOKEN = 4;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

interface Found {
  readonly sources: readonly Source[];
  readonly requestId: string | null;
}

interface Answered extends Found {
  readonly answer: string;
  readonly answerTruncated: boolean;
}

function idOf(response: Answer, bodyId: unknown): string | null {
  const fromBody = textOf(bodyId);
  const usable = fromBody !== null && REQUEST_ID.test(fromBody) ? fromBody : null;
  return requestIdOf(response.headers) ?? usable;
}

/** The Agent has no max_tokens_per_page, so what it read is cut here. */
function shortened(sources: readonly Source[], maxTokens: number): Source[] {
  const length = maxTokens * CHARACTERS_PER_TOKEN;
  return sources.map((source) => ({ ...source, snippet: source.snippet.slice(0, length) }));
}

function withoutAnswer({ value, ...served }: Ended<Found>): SearchResult {
  return { ...value, ...served, answer: null, answerTruncated: false };
}

type Priced = Pick<Ended<unknown>, 'costUsd'>;

/** Of two requests of one call; unknown as soon as one of them is. */
function sumOf(first: Priced, second: Priced): number | null {
  if (first.costUsd === null || second.costUsd === null) return null;
  return first.costUsd + second.costUsd;
}

/** One call: a search, an answer, or one after the other. */
class PerplexityCall {
  readonly #options: PerplexityOptions;
  readonly #endpoints: EndpointCalls;

  constructor(options: PerplexityOptions, context: CallContext) {
    this.#options = options;
    this.#endpoints = new EndpointCalls(options, context);
  }

  async run(request: SearchRequest): Promise<SearchResult> {
    await this.#options.fetch.prepare?.();
    if (request.answer === null) return withoutAnswer(await this.#search(request));
    if (!needsOwnSearch(request)) {
      const { value, ...served } = await this.#answer(request, agentBody(request));
      const sources = shortened(value.sources, request.maxTokensPerPage);
      return { ...value, ...served, sources };
    }
    const found = await this.#search(request);
    const { sources } = found.value;
    // Nothing to write an answer from: asking for one would only be paid for.
    if (sources.length === 0) return withoutAnswer(found);
    const { value, ...served } = await this.#answer(request, agentBodyFrom(request, sources));
    const attempts = found.attempts + served.attempts;
    return { ...value, ...served, sources, attempts, costUsd: sumOf(found, served) };
  }

  #search(request: SearchRequest): Promise<Ended<Found>> {
    const body = JSON.stringify(searchBody(request));
    return this.#endpoints.call(
      { endpoint: 'search', units: request.queries.length },
      async (lease, watch, seen) => {
        const response = await this.#endpoints.post(lease, '/search', body, 'application/json');
        if (!response.ok) await refuse(response);
        seen.status = response.status;
        seen.requestId = requestIdOf(response.headers);
        const onPiece = pieceCounter(watch);
        const text = await acceptWhile(lease, () =>
          readText(response, MAX_BODY_BYTES, () => {
            seen.hasStarted = true;
            onPiece();
          }),
        );
        const answer = parseRecord(text);
        if (answer === null) return unusable(response, text);
        const isNone = answer.results === null && (answer.error ?? null) === null;
        if (!isNone && !Array.isArray(answer.results)) return throwEmbedded(answer, response, text);
        return { sources: readSources(answer.results), requestId: idOf(response, answer.id) };
      },
    );
  }

  #answer(
    request: SearchRequest,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<Ended<Answered>> {
    const body = JSON.stringify(fields);
    return this.#endpoints.call(
      { endpoint: `agent ${request.answer}` },
      async (lease, watch, seen) => {
        const run = new AgentRun();
        try {
          return await this.#stream(lease, watch, seen, body, run);
        } catch (error) {
          if (run.id !== null && run.status === 'running') {
            // Whoever leaves a run has to say so, or it goes on and is billed; perhaps it is anyway.
            this.#cancel(lease, run.id);
            seen.hasStarted = true;
          }
          throw error;
        }
      },
    );
  }

  async #stream(
    lease: Lease,
    watch: Watch,
    seen: Progressing,
    body: string,
    run: AgentRun,
  ): Promise<Answered> {
    const response = await this.#endpoints.post(lease, '/v1/agent', body, 'text/event-stream');
    if (!response.ok) await refuse(response);
    seen.status = response.status;
    seen.requestId = requestIdOf(response.headers);
    const onPiece = pieceCounter(watch);
    const signs: AgentSigns = {
      onText: () => {
        seen.hasStarted = true;
        onPiece();
      },
      onContent: (message) => {
        seen.hasStarted = true;
        seen.requestId ??= run.id;
        watch.content();
        this.#endpoints.say(message);
      },
    };
    await acceptWhile(lease, () => readAgent(response, run, signs));
    seen.requestId ??= run.id;
    seen.costUsd = run.costUsd;
    const { requestId, status } = seen;
    const { isTruncated } = judgeRun(run, response.headers, { status, requestId });
    return { sources: run.sources, answer: run.text, answerTruncated: isTruncated, requestId };
  }

  /** Best effort, with a time limit of its own, waited for by nobody. */
  #cancel(lease: Lease, id: string): void {
    const { baseUrl, fetch, logger } = this.#options;
    const send = async (): Promise<void> => {
      const response = await fetch(`${baseUrl}/v1/agent/${id}/cancel`, {
        method: 'POST',
        headers: { authorization: `Bearer ${lease.secret}` },
        signal: AbortSignal.timeout(CANCEL_TIMEOUT_MS),
      });
      response.body.destroy();
    };
    send().catch(() => logger.debug('an Agent run could not be cancelled', { run: id }));
  }
}

export function createPerplexityClient(options: PerplexityOptions): PerplexityClient {
  const pinned = { ...options, fetch: pinTo(options.baseUrl, options.fetch) };
  return { search: (request, context) => new PerplexityCall(pinned, context).run(request) };
}
