/**
 * The Perplexity client: `POST /search` for results, the Agent API for an answer. Sonar is not
 * used: its support ended on 2026-09-27.
 */

import type { Logger } from '../../base/logger.ts';
import { type CallAsk, type CallMeter, type Meter, UNMETERED } from '../../base/spending.ts';
import type { CallRequest, Lease, Lender } from '../../pool/lease.ts';
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
  /** Keeps account of what is spent; default nobody does. */
  readonly meter?: Meter;
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
  costUsd: number | null;
}

/** One request's value, and what served it. */
interface Ended<T> {
  readonly value: T;
  readonly keyName: string;
  readonly attempts: number;
  readonly costUsd: number | null;
  readonly budgetNotice: string | null;
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
  ): Promise<Ended<Answered>> {
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

  async #call<T>(
    endpoint: string,
    send: (lease: Lease, watch: Watch, seen: Progressing) => Promise<T>,
  ): Promise<Ended<T>> {
    const { lender, meter: meterOf = UNMETERED } = this.#options;
    const meter = await meterOf.call(this.#ask(endpoint));
    try {
      const { value, keyName, attempts } = await lender.call(
        this.#callRequest(endpoint),
        async (lease) => {
          const sent = await this.#attempt(endpoint, lease, meter, send);
          return { value: sent, completionTokens: null, promptTokens: null };
        },
      );
      return { value, keyName, attempts, costUsd: meter.costUsd, budgetNotice: meter.notice };
    } finally {
      meter.end();
    }
  }

  #attempt<T>(
    endpoint: string,
    lease: Lease,
    meter: CallMeter,
    send: (lease: Lease, watch: Watch, seen: Progressing) => Promise<T>,
  ): Promise<T> {
    const seen: Progressing = { status: null, requestId: null, hasStarted: false, costUsd: null };
    return runAttempt(
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
        meter,
        arrived: () => ({
          isAccepted: seen.status !== null,
          isBegun: seen.hasStarted || seen.costUsd !== null,
          model: null,
          tokens: null,
          untoldRequests: 0,
          arrivedTokens: 0,
          toldUsd: seen.costUsd,
        }),
      },
      (watch) => {
        this.#say(lease.attempt === 1 ? 'asking Perplexity' : 'asking Perplexity again');
        return send(lease, watch, seen);
      },
    );
  }

  get #leftMs(): number {
    const elapsed = Math.round(performance.now() - this.#startedAt);
    // A second request of the same call, or a wait for the budget, spends the same time.
    return Math.max(1, this.#options.callTimeoutMs - elapsed);
  }

  #ask(endpoint: string): CallAsk {
    const { signal, session, onProgress, tool = null, client = null } = this.#context;
    return {
      provider: 'perplexity',
      model: endpoint,
      promptBytes: 0,
      maxTokens: null,
      tool,
      client,
      session,
      signal,
      timeoutMs: this.#leftMs,
      onWait: (message) => onProgress({ message }),
    };
  }

  #callRequest(endpoint: string): CallRequest {
    const { signal, session, priority, onProgress } = this.#context;
    return {
      provider: 'perplexity',
      model: endpoint,
      speedClass: endpoint,
      signal,
      timeoutMs: this.#leftMs,
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
