/**
 * The DeepSeek client. Streams inside, whatever the tool shows: only a stream tells a queued call
 * from a dead one, and only its beginning can be gone on from.
 */

import type { Failure } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { type CallAsk, type CallMeter, type Meter, UNMETERED } from '../../base/spending.ts';
import type { AttemptResult, CallRequest, Lease, Lender } from '../../pool/lease.ts';
import { acceptWhile, pieceCounter } from '../acceptance.ts';
import type { CallContext } from '../call.ts';
import { requestIdOf } from '../failures/failure.ts';
import { createProgress, type Say, tokensInWords } from '../progress.ts';
import { type Arrived, AttemptFailure, refuse, runAttempt, waitMessage } from '../run-attempt.ts';
import type { Watch } from '../watch.ts';
import type { Answer } from '../wire/body.ts';
import { type Fetch, pinTo } from '../wire/http.ts';
import type { DeepSeekClient, GenerateRequest, GenerateResult } from './chat.ts';
import { readChatAnswer } from './chat-answer.ts';
import { chatBody } from './chat-body.ts';
import { type Bill, billSince, Draft } from './draft.ts';
import { failureOfEnding } from './ending.ts';
import { chooseModel, type ModelChoice } from './models.ts';
import { loadClient, postChat } from './post-chat.ts';
import { Resumption } from './resumption.ts';

export interface DeepSeekOptions {
  readonly lender: Lender;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly defaultModel: string;
  /** Whole call, queueing included, in milliseconds. */
  readonly callTimeoutMs: number;
  /** Without a content byte, in milliseconds. */
  readonly idleTimeoutMs: number;
  readonly fetch: Fetch;
  readonly logger: Logger;
  /** Keeps account of what is spent; default nobody does. */
  readonly meter?: Meter;
}

/** An answer without what only the whole call knows. */
type Generated = Omit<GenerateResult, 'costUsd' | 'moneyNotice'>;

/** One call, from its first attempt to its last. */
class Generation {
  readonly #options: DeepSeekOptions;
  readonly #request: GenerateRequest;
  readonly #choice: ModelChoice;
  readonly #context: CallContext;
  readonly #draft = new Draft();
  readonly #resumption: Resumption;
  readonly #say: Say;
  readonly #startedAt: number;
  #requestId: string | null = null;
  #status: number | null = null;

  constructor(options: DeepSeekOptions, request: GenerateRequest, context: CallContext) {
    this.#options = options;
    this.#request = request;
    this.#choice = chooseModel(request.model ?? options.defaultModel, request.thinking);
    this.#context = context;
    this.#startedAt = context.startedAt ?? performance.now();
    this.#resumption = new Resumption({
      ...options,
      request,
      choice: this.#choice,
      draft: this.#draft,
    });
    this.#say = createProgress(context);
  }

  async run(): Promise<GenerateResult> {
    const { lender } = this.#options;
    const prepared = this.#options.fetch.prepare?.();
    await loadClient();
    await prepared;
    const meter = await (this.#options.meter ?? UNMETERED).call(this.#ask());
    try {
      const request = this.#callRequest(meter);
      const { value } = await lender.call(request, (lease) => this.#attempt(lease, meter));
      return { ...value, costUsd: meter.costUsd, moneyNotice: meter.takeNotice() };
    } finally {
      meter.end();
    }
  }

  #ask(): CallAsk {
    const { system, user, maxTokens } = this.#request;
    const { signal, session, onProgress, tool = null, client = null } = this.#context;
    return {
      provider: 'deepseek',
      model: this.#choice.model,
      promptBytes: Buffer.byteLength(system) + Buffer.byteLength(user),
      maxTokens,
      tool,
      client,
      session,
      signal,
      timeoutMs: this.#leftMs,
      onWait: (message) => onProgress({ message }),
    };
  }

  #callRequest({ funds }: CallMeter): CallRequest {
    const { model, thinking } = this.#choice;
    const { signal, session, priority, onProgress } = this.#context;
    return {
      model,
      speedClass: `${model} thinking=${thinking}`,
      signal,
      timeoutMs: this.#leftMs,
      priority,
      session,
      funds,
      onWait: (notice) => onProgress({ message: waitMessage(notice, 'DeepSeek') }),
    };
  }

  /** A wait for the budget spends the same time. */
  get #leftMs(): number {
    const elapsed = Math.round(performance.now() - this.#startedAt);
    return Math.max(1, this.#options.callTimeoutMs - elapsed);
  }

  /** What this attempt has brought, over its requests. */
  #arrived(before: Bill): Arrived {
    const { told, untoldRequests, arrivedTokens } = billSince(before, this.#draft.bill);
    const isTold = told.promptTokens !== null;
    return {
      isAccepted: this.#status !== null,
      isBegun: isTold || untoldRequests > 0,
      model: this.#draft.model,
      tokens: isTold ? told : null,
      untoldRequests,
      arrivedTokens,
      toldUsd: null,
    };
  }

  #attempt(lease: Lease, meter: CallMeter): Promise<AttemptResult<Generated>> {
    const { defaultModel, callTimeoutMs, idleTimeoutMs, logger } = this.#options;
    const before = this.#draft.bill;
    return runAttempt(
      {
        lease,
        logger,
        about: {
          provider: 'deepseek',
          model: this.#choice.model,
          defaultModel,
          maxTokens: this.#request.maxTokens,
          callTimeoutMs,
          idleTimeoutMs,
        },
        known: () => this.#known(),
        partial: () => this.#draft.partial,
        meter,
        arrived: () => this.#arrived(before),
      },
      async (watch) => {
        this.#say(lease.attempt === 1 ? 'asking DeepSeek' : 'asking DeepSeek again');
        this.#status = null;
        this.#requestId = null;
        const resumed = await this.#resumption.run(lease, watch, () => this.#onContent(watch));
        if (resumed !== null) this.#accept(resumed);
        else await this.#askFromStart(lease, watch);
        return this.#finish(lease);
      },
    );
  }

  async #askFromStart(lease: Lease, watch: Watch): Promise<void> {
    this.#draft.startOver();
    watch.restart();
    const response = await postChat({
      secret: lease.secret,
      baseUrl: this.#options.baseUrl,
      body: chatBody(this.#request, this.#choice, null),
      signal: lease.signal,
      fetch: this.#options.fetch,
    });
    if (!response.ok) await refuse(response);
    this.#accept(response);
    const signs = { onContent: () => this.#onContent(watch), onText: pieceCounter(watch) };
    await acceptWhile(lease, () => readChatAnswer(response, this.#draft, signs));
  }

  #accept(response: Answer): void {
    this.#status = response.status;
    this.#requestId = requestIdOf(response.headers);
  }

  #onContent(watch: Watch): void {
    watch.content();
    const draft = this.#draft;
    this.#say(draft.isThinking ? 'thinking' : 'generating', () => tokensInWords(draft.tokens));
  }

  #known(): Partial<Failure> {
    const known = { status: this.#status, requestId: this.#requestId };
    // Queued with keep-alives costs nothing; a connection lost before any answer may.
    return this.#status === null ? known : { ...known, mayBeBilled: this.#draft.hasBegun };
  }

  /** The answer, if it is one: whole, and not empty. */
  #finish(lease: Lease): AttemptResult<Generated> {
    const { content, refusal, finishReason, model, usage, totalUsage } = this.#draft;
    const known = { status: this.#status, requestId: this.#requestId, mayBeBilled: true };
    const failed = failureOfEnding(this.#draft, known);
    if (failed !== null) {
      // What the model itself ended is no beginning to go on from.
      if (failed.failure.kind === 'no_answer') this.#draft.startOver();
      throw new AttemptFailure(failed, finishReason ?? '');
    }
    const isRefused = content.trim() === '';
    const notices = [this.#choice.notice, isRefused ? 'DeepSeek refused the request.' : null];
    return {
      value: {
        text: isRefused ? refusal : content,
        model: model ?? this.#choice.model,
        finishReason: finishReason === 'length' ? 'length' : 'stop',
        usage: totalUsage,
        notice: notices.filter((notice) => notice !== null).join(' ') || null,
        requestId: this.#requestId,
        keyName: lease.keyName,
        attempts: lease.attempt,
      },
      completionTokens: usage?.completionTokens ?? null,
      promptTokens: usage?.promptTokens ?? null,
    };
  }
}

export function createDeepSeekClient(options: DeepSeekOptions): DeepSeekClient {
  const pinned = { ...options, fetch: pinTo(options.baseUrl, options.fetch) };
  return { generate: (request, context) => new Generation(pinned, request, context).run() };
}
