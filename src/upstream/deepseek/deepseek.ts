/**
 * The DeepSeek client. Streams inside, whatever the tool shows: only a stream tells a queued call
 * from a dead one, and only its beginning can be resumed on another key.
 */

import type { Logger } from '../../base/logger.ts';
import { type CallAsk, type CallMeter, type Meter, UNMETERED } from '../../base/spending.ts';
import type { AttemptResult, CallRequest, Lease, Lender } from '../../pool/lease.ts';
import {
  type Arrived,
  AttemptFailure,
  refuse,
  runAttempt,
  unusable,
  waitMessage,
} from '../attempt.ts';
import type { CallContext } from '../call.ts';
import { diagnoseEmbedded, diagnosis, requestIdOf } from '../failure.ts';
import { createProgress, type Say, tokensInWords } from '../progress.ts';
import type { Watch } from '../watch.ts';
import { type Answer, readText } from '../wire/body.ts';
import { type Expectation, readEvents } from '../wire/events.ts';
import { type Fetch, pinTo } from '../wire/http.ts';
import { type Fields, fieldsOf, listOf, parseFields } from '../wire/json.ts';
import type { DeepSeekClient, GenerateRequest, GenerateResult } from './chat.ts';
import { betaUrl, chatBody } from './chat-body.ts';
import { Draft } from './draft.ts';
import { chooseModel, type ModelChoice } from './models.ts';
import { loadClient, postChat } from './post-chat.ts';

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

/** A stream spends some 300 bytes on a token; the longest answer has 393,216 of them. */
const MAX_STREAM_BYTES = 256 * 1024 * 1024;
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Reasons that mean: this is not the whole answer, and nobody asked for less. */
const BROKEN_OFF = new Set(['insufficient_system_resource', 'aborted']);

/** An answer without what only the whole call knows. */
type Generated = Omit<GenerateResult, 'costUsd' | 'budgetNotice'>;

/** One call, from its first attempt to its last. */
class Generation {
  readonly #options: DeepSeekOptions;
  readonly #request: GenerateRequest;
  readonly #choice: ModelChoice;
  readonly #context: CallContext;
  readonly #draft = new Draft();
  readonly #say: Say;
  readonly #startedAt = performance.now();
  #requestId: string | null = null;
  #status: number | null = null;
  #mayResume = true;

  constructor(options: DeepSeekOptions, request: GenerateRequest, context: CallContext) {
    this.#options = options;
    this.#request = request;
    this.#choice = chooseModel(request.model ?? options.defaultModel, request.thinking);
    this.#context = context;
    this.#say = createProgress(context);
  }

  async run(): Promise<GenerateResult> {
    const { lender } = this.#options;
    const prepared = this.#options.fetch.prepare?.();
    await loadClient();
    await prepared;
    const meter = await (this.#options.meter ?? UNMETERED).call(this.#ask());
    try {
      const request = this.#callRequest();
      const { value } = await lender.call(request, (lease) => this.#attempt(lease, meter));
      return { ...value, costUsd: meter.costUsd, budgetNotice: meter.notice };
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
      timeoutMs: this.#options.callTimeoutMs,
      onWait: (message) => onProgress({ message }),
    };
  }

  #callRequest(): CallRequest {
    const { model, thinking } = this.#choice;
    const { signal, session, priority, onProgress } = this.#context;
    return {
      provider: 'deepseek',
      model,
      speedClass: `${model} thinking=${thinking}`,
      signal,
      // A wait for the budget spends the same time.
      timeoutMs: Math.max(1, this.#options.callTimeoutMs - this.#elapsedMs),
      priority,
      session,
      onWait: (notice) => onProgress({ message: waitMessage(notice, 'DeepSeek') }),
    };
  }

  get #elapsedMs(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  #arrived(): Arrived {
    const { hasStarted, model, usage, ownTokens } = this.#draft;
    return {
      isAccepted: this.#status !== null,
      isBegun: hasStarted || usage !== null,
      model,
      tokens: usage,
      arrivedTokens: ownTokens,
      toldUsd: null,
    };
  }

  #attempt(lease: Lease, meter: CallMeter): Promise<AttemptResult<Generated>> {
    const { defaultModel, callTimeoutMs, idleTimeoutMs, logger } = this.#options;
    const draft = this.#draft;
    return runAttempt(
      {
        lease,
        caller: this.#context.signal,
        logger,
        about: {
          provider: 'deepseek',
          model: this.#choice.model,
          defaultModel,
          maxTokens: this.#request.maxTokens,
          callTimeoutMs,
          idleTimeoutMs,
        },
        known: () => ({
          requestId: this.#requestId,
          status: this.#status,
          // Queued with keep-alives costs nothing; a connection lost before any answer may.
          ...(this.#status === null ? {} : { mayBeBilled: draft.hasStarted && this.#isLost }),
        }),
        partial: () => (draft.content === '' ? null : draft.content),
        meter,
        arrived: () => this.#arrived(),
      },
      async (watch) => {
        this.#say(lease.attempt === 1 ? 'asking DeepSeek' : 'asking DeepSeek again');
        await this.#exchange(lease, watch);
        return this.#finish(lease);
      },
    );
  }

  /** Goes on from the text that there is; from the start where that is refused. */
  async #exchange(lease: Lease, watch: Watch): Promise<void> {
    const beginning = this.#mayResume ? this.#draft.beginning : null;
    this.#draft.begin(beginning !== null);
    this.#status = null;
    this.#requestId = null;
    const baseUrl = beginning === null ? this.#options.baseUrl : betaUrl(this.#options.baseUrl);
    const response = await postChat({
      secret: lease.secret,
      baseUrl,
      body: chatBody(this.#request, this.#choice, beginning),
      signal: lease.signal,
      fetch: this.#options.fetch,
    });
    // A gateway need not know the beta address, or prefixes.
    if (beginning !== null && [400, 404, 405, 422].includes(response.status)) {
      response.body.destroy();
      this.#mayResume = false;
      return await this.#exchange(lease, watch);
    }
    if (!response.ok) await refuse(response);
    lease.accepted?.();
    this.#status = response.status;
    this.#requestId = requestIdOf(response.headers);
    await this.#read(response, watch);
  }

  async #read(response: Answer, watch: Watch): Promise<void> {
    const type = response.headers.get('content-type') ?? '';
    if (!/^(text\/event-stream|)\s*(;|$)/i.test(type))
      return await this.#readWhole(response, watch);
    const onContent = (): void => this.#onContent(watch);
    let events = 0;
    await readEvents(response, MAX_STREAM_BYTES, (data) => {
      events += 1;
      return this.#onEvent(data, onContent);
    });
    if (events === 0) unusable(response, 'an event stream without events');
  }

  #onEvent(data: string, onContent: () => void): Expectation {
    if (data.startsWith('[DONE]')) return 'last';
    const chunk = parseFields(data);
    if (chunk === null) this.#fail('malformed', data);
    this.#throwEmbedded(chunk);
    return this.#draft.apply(chunk, onContent);
  }

  /** A gateway answered in one piece, or with something that is no answer. */
  async #readWhole(response: Answer, watch: Watch): Promise<void> {
    const body = await readText(response, MAX_BODY_BYTES, () => watch.content());
    const completion = parseFields(body);
    if (completion === null) return unusable(response, body);
    this.#throwEmbedded(completion);
    if (listOf(completion.choices).length === 0) unusable(response, body);
    this.#draft.applyWhole(completion, () => this.#onContent(watch));
  }

  #onContent(watch: Watch): void {
    watch.content();
    const draft = this.#draft;
    this.#say(draft.isThinking ? 'thinking' : 'generating', () => tokensInWords(draft.tokens));
  }

  #throwEmbedded({ error }: Fields): void {
    if (error === undefined || error === null) return;
    const fields = typeof error === 'string' ? { message: error } : fieldsOf(error);
    const found = diagnoseEmbedded(fields, this.#requestId);
    const failure = { ...found.failure, mayBeBilled: this.#isLost };
    throw new AttemptFailure({ ...found, failure }, JSON.stringify(error));
  }

  /** False while the next attempt can go on from what this one has brought. */
  get #isLost(): boolean {
    return this.#draft.beginning === null || !this.#mayResume;
  }

  #fail(kind: Parameters<typeof diagnosis>[0], detail = ''): never {
    const known = { status: this.#status, requestId: this.#requestId, mayBeBilled: this.#isLost };
    throw new AttemptFailure(diagnosis(kind, known), detail);
  }

  /** The answer, if it is one: whole, and not empty. */
  #finish(lease: Lease): AttemptResult<Generated> {
    const { content, finishReason, model, usage, totalUsage } = this.#draft;
    if (finishReason === null) this.#fail('cut');
    if (finishReason === 'content_filter') this.#fail('moderation');
    if (BROKEN_OFF.has(finishReason)) this.#fail('overloaded', finishReason);
    if (content.trim() === '') this.#fail(finishReason === 'length' ? 'empty' : 'malformed');
    return {
      value: {
        text: content,
        model: model ?? this.#choice.model,
        finishReason,
        usage: totalUsage,
        notice: this.#choice.notice,
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
