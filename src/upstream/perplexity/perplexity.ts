/**
 * The Perplexity client: `POST /search` for results, the Agent API for an answer. Sonar is not
 * used: its support ended on 2026-09-27.
 */

import type { Logger } from '../../base/logger.ts';
import type { CallRequest, CallResult, Lease, Lender } from '../../pool/lease.ts';
import { refuse, runAttempt, unusable, waitMessage } from '../attempt.ts';
import type { CallContext } from '../call.ts';
import { CHARACTERS_PER_TOKEN } from '../deepseek/usage.ts';
import { requestIdOf } from '../failure.ts';
import { createProgress, type Say } from '../progress.ts';
import type { Watch } from '../watch.ts';
import { type Answer, readText, TransportError } from '../wire/body.ts';
import { type Fetch, pinTo } from '../wire/http.ts';
import { parseFields, textOf } from '../wire/json.ts';
import { judgeRun, readAgent, throwEmbedded } from './agent-answer.ts';
import { AgentRun } from './agent-run.ts';
import type { PerplexityClient, SearchRequest, SearchResult, Source } from './search.ts';
import { agentBody, agentBodyFrom, needsOwnSearch, searchBody } from './search-body.ts';
import { readSources } from './sources.ts';

export interface PerplexityOptions {
  readonly lender: Lender;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** Whole call, queueing included, in milliseconds. */
  readonly callTimeoutMs: number;
  /** Without a content byte, in milliseconds. */
  readonly idleTimeoutMs: number;
  readonly fetch: Fetch;
  readonly logger: Logger;
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const CANCEL_TIMEOUT_MS = 5_000;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

interface Found {
  readonly sources: readonly Source[];
  readonly requestId: string | null;
}

interface Answered extends Found {
  readonly answer: string;
  readonly answerTruncated: boolean;
}

/** What the answer so far shows, for the moment at which its connection breaks. */
interface Progressing {
  status: number | null;
  requestId: string | null;
  hasStarted: boolean;
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

/** One call to one endpoint, from its first attempt to its last. */
class PerplexityCall {
  readonly #options: PerplexityOptions;
  readonly #context: CallContext;
  readonly #say: Say;
  readonly #startedAt = performance.now();

  constructor(options: PerplexityOptions, context: CallContext) {
    this.#options = options;
    this.#context = context;
    this.#say = createProgress(context);
  }

  async run(request: SearchRequest): Promise<SearchResult> {
    await this.#options.fetch.prepare?.();
    if (request.answer === null) {
      const { value, keyName, attempts } = await this.#search(request);
      return { ...value, answer: null, answerTruncated: false, keyName, attempts };
    }
    if (!needsOwnSearch(request)) {
      const { value, keyName, attempts } = await this.#answer(request, agentBody(request));
      const sources = shortened(value.sources, request.maxTokensPerPage);
      return { ...value, sources, keyName, attempts };
    }
    const found = await this.#search(request);
    const { sources } = found.value;
    // Nothing to write an answer from: asking for one would only be paid for.
    if (sources.length === 0) {
      const { value, keyName, attempts } = found;
      return { ...value, answer: null, answerTruncated: false, keyName, attempts };
    }
    const answered = await this.#answer(request, agentBodyFrom(request, sources));
    const attempts = found.attempts + answered.attempts;
    return { ...answered.value, sources, keyName: answered.keyName, attempts };
  }

  #search(request: SearchRequest): Promise<CallResult<Found>> {
    const body = JSON.stringify(searchBody(request));
    return this.#call('search', async (lease, watch, seen) => {
      const response = await this.#post(lease, '/search', body, 'application/json');
      if (!response.ok) await refuse(response);
      lease.accepted?.();
      seen.status = response.status;
      seen.requestId = requestIdOf(response.headers);
      const text = await readText(response, MAX_BODY_BYTES, () => {
        seen.hasStarted = true;
        watch.content();
      });
      const answer = parseFields(text);
      if (answer === null) return unusable(response, text);
      const isAnswer = Array.isArray(answer.results) || answer.results === null;
      if (!isAnswer) return throwEmbedded(answer, response, text);
      return { sources: readSources(answer.results), requestId: idOf(response, answer.id) };
    });
  }

  #answer(
    request: SearchRequest,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<CallResult<Answered>> {
    const body = JSON.stringify(fields);
    return this.#call(`agent ${request.answer}`, async (lease, watch, seen) => {
      const run = new AgentRun();
      try {
        return await this.#stream(lease, watch, seen, body, run);
      } catch (error) {
        // Whoever leaves a run has to say so, or it goes on and is billed.
        if (run.id !== null && run.status === 'running') this.#cancel(lease, run.id);
        throw error;
      }
    });
  }

  async #stream(
    lease: Lease,
    watch: Watch,
    seen: Progressing,
    body: string,
    run: AgentRun,
  ): Promise<Answered> {
    const response = await this.#post(lease, '/v1/agent', body, 'text/event-stream');
    if (!response.ok) await refuse(response);
    lease.accepted?.();
    seen.status = response.status;
    seen.requestId = requestIdOf(response.headers);
    await readAgent(response, run, {
      onText: () => watch.content(),
      onContent: (message) => {
        seen.hasStarted = true;
        seen.requestId ??= run.id;
        watch.content();
        this.#say(message);
      },
    });
    seen.requestId ??= run.id;
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

  async #post(lease: Lease, path: string, body: string, accept: string): Promise<Answer> {
    const { baseUrl, fetch } = this.#options;
    try {
      return await fetch(`${baseUrl}${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${lease.secret}`,
          'content-type': 'application/json',
          accept,
          ...(accept === 'text/event-stream' ? { 'accept-encoding': 'identity' } : {}),
        },
        body,
        signal: lease.signal,
      });
    } catch (cause) {
      throw new TransportError(cause);
    }
  }

  #call<T>(
    endpoint: string,
    send: (lease: Lease, watch: Watch, seen: Progressing) => Promise<T>,
  ): Promise<CallResult<T>> {
    return this.#options.lender.call(this.#callRequest(endpoint), async (lease) => {
      const seen: Progressing = { status: null, requestId: null, hasStarted: false };
      const value = await runAttempt(
        {
          lease,
          caller: this.#context.signal,
          logger: this.#options.logger,
          about: {
            provider: 'perplexity',
            model: endpoint,
            callTimeoutMs: this.#options.callTimeoutMs,
            idleTimeoutMs: this.#options.idleTimeoutMs,
          },
          known: () => ({
            status: seen.status,
            requestId: seen.requestId,
            ...(seen.status === null ? {} : { mayBeBilled: seen.hasStarted }),
          }),
          partial: () => null,
        },
        (watch) => {
          this.#say(lease.attempt === 1 ? 'asking Perplexity' : 'asking Perplexity again');
          return send(lease, watch, seen);
        },
      );
      return { value, completionTokens: null, promptTokens: null };
    });
  }

  #callRequest(endpoint: string): CallRequest {
    const { signal, session, priority, onProgress } = this.#context;
    const elapsed = Math.round(performance.now() - this.#startedAt);
    return {
      provider: 'perplexity',
      model: endpoint,
      speedClass: endpoint,
      signal,
      // A second request of the same call spends the same time.
      timeoutMs: Math.max(1, this.#options.callTimeoutMs - elapsed),
      priority,
      session,
      onWait: (notice) => onProgress({ message: waitMessage(notice, 'Perplexity') }),
    };
  }
}

export function createPerplexityClient(options: PerplexityOptions): PerplexityClient {
  const pinned = { ...options, fetch: pinTo(options.baseUrl, options.fetch) };
  return { search: (request, context) => new PerplexityCall(pinned, context).run(request) };
}
