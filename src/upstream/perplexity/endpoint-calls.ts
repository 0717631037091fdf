/** What both of Perplexity's endpoints have in common: the request, its attempts, its account. */

import type { Logger } from '../../base/logger.ts';
import { type CallAsk, type CallMeter, type Meter, UNMETERED } from '../../base/spending.ts';
import type { CallRequest, Lease, Lender } from '../../pool/lease.ts';
import type { CallContext } from '../call.ts';
import { createProgress, type Say } from '../progress.ts';
import { runAttempt, waitMessage } from '../run-attempt.ts';
import { toldRate } from '../told-rate.ts';
import type { Watch } from '../watch.ts';
import { type Answer, TransportError } from '../wire/body.ts';
import type { Fetch } from '../wire/http.ts';

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

/** What the answer so far shows, for the moment at which its connection breaks. */
export interface Progressing {
  status: number | null;
  requestId: string | null;
  hasStarted: boolean;
  costUsd: number | null;
}

/** One request's value, and what served it. */
export interface Ended<T> {
  readonly value: T;
  readonly keyName: string;
  readonly attempts: number;
  readonly costUsd: number | null;
  readonly moneyNotice: string | null;
}

/** What is asked, as the accounts show it, and what it counts for in a limit per time. */
export interface Asked {
  readonly endpoint: string;
  readonly units?: number;
}

/** Sends one attempt, and notes in `seen` how far it has come. */
export type SendAttempt<T> = (lease: Lease, watch: Watch, seen: Progressing) => Promise<T>;

/** The requests of one call, each from its first attempt to its last. */
export class EndpointCalls {
  readonly #options: PerplexityOptions;
  readonly #context: CallContext;
  readonly #startedAt: number;
  readonly say: Say;

  constructor(options: PerplexityOptions, context: CallContext) {
    this.#options = options;
    this.#context = context;
    this.#startedAt = context.startedAt ?? performance.now();
    this.say = createProgress(context);
  }

  /** @throws TransportError when no answer came */
  async post(lease: Lease, path: string, body: string, accept: string): Promise<Answer> {
    const { baseUrl, fetch } = this.#options;
    try {
      const response = await fetch(`${baseUrl}${path}`, {
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
      if (response.ok) lease.told?.(toldRate(response.headers));
      return response;
    } catch (cause) {
      throw new TransportError(cause);
    }
  }

  /** @throws UpstreamError, PoolExhaustedError */
  async call<T>({ endpoint, units = 1 }: Asked, send: SendAttempt<T>): Promise<Ended<T>> {
    const { lender, meter: meterOf = UNMETERED } = this.#options;
    const meter = await meterOf.call(this.#ask(endpoint));
    try {
      const { value, keyName, attempts } = await lender.call(
        this.#callRequest(endpoint, meter, units),
        async (lease) => {
          const sent = await this.#attempt(endpoint, lease, meter, send);
          return { value: sent, completionTokens: null, promptTokens: null };
        },
      );
      return { value, keyName, attempts, costUsd: meter.costUsd, moneyNotice: meter.takeNotice() };
    } finally {
      meter.end();
    }
  }

  #attempt<T>(endpoint: string, lease: Lease, meter: CallMeter, send: SendAttempt<T>): Promise<T> {
    const seen: Progressing = { status: null, requestId: null, hasStarted: false, costUsd: null };
    return runAttempt(
      {
        lease,
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
        this.say(lease.attempt === 1 ? 'asking Perplexity' : 'asking Perplexity again');
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

  #callRequest(endpoint: string, { funds }: CallMeter, units: number): CallRequest {
    const { signal, session, priority, onProgress } = this.#context;
    return {
      // Search and Agent are limited each for itself, whatever is asked of them.
      model: endpoint.split(' ', 1)[0] ?? endpoint,
      speedClass: endpoint,
      units,
      signal,
      timeoutMs: this.#leftMs,
      priority,
      session,
      funds,
      onWait: (notice) => onProgress({ message: waitMessage(notice, 'Perplexity') }),
    };
  }
}
