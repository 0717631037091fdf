/** The answer as far as it has come, kept across the attempts of one call. */

import type { Expectation } from '../wire/events.ts';
import type { TokenUsage } from './chat.ts';
import type { ChatPiece } from './chat-piece.ts';
import { addUsage, estimateTokens, NO_USAGE, subtractUsage } from './token-usage.ts';

/** Twice what the longest answer of any model has; more is cut off as if at max_tokens. */
const MAX_TEXT = 4_000_000;

/** What an answer's beginning is resumed from. */
export interface Beginning {
  readonly content: string;
  readonly reasoning: string;
}

const NOTHING: Beginning = { content: '', reasoning: '' };

/** What the upstream bills: counts that it told, and what is known of requests that broke off. */
export interface Bill {
  readonly told: TokenUsage;
  /** Requests that generated something and ended before they told their counts. */
  readonly untoldRequests: number;
  /** Tokens that came by those; an estimate. */
  readonly arrivedTokens: number;
}

const NO_BILL: Bill = { told: NO_USAGE, untoldRequests: 0, arrivedTokens: 0 };

/** The part of `now` that was not in `before` yet. */
export function billSince(before: Bill, now: Bill): Bill {
  return {
    told: subtractUsage(now.told, before.told),
    untoldRequests: now.untoldRequests - before.untoldRequests,
    arrivedTokens: now.arrivedTokens - before.arrivedTokens,
  };
}

export class Draft {
  #billed = NO_BILL;
  #content = '';
  #reasoning = '';
  #refusal = '';
  #hasToolCalls = false;
  /** What the present request was given to go on from. */
  #from = NOTHING;
  /** The longest text that any attempt has brought. */
  #longest = '';
  #model: string | null = null;
  #finishReason: string | null = null;
  /** More text came after a finish reason: the next one need not be the end either. */
  #wentOn = false;
  #usage: TokenUsage | null = null;
  #earlier: TokenUsage = NO_USAGE;
  #hasBegun = false;

  /** The present request is being answered, if with nothing yet that could be shown. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  begin(): void {
    this.#hasBegun = true;
  }

  get content(): string {
    return this.#content;
  }

  get refusal(): string {
    return this.#refusal;
  }

  get hasToolCalls(): boolean {
    return this.#hasToolCalls;
  }

  get hasReasoning(): boolean {
    return this.#reasoning !== '';
  }

  get model(): string | null {
    return this.#model;
  }

  get finishReason(): string | null {
    return this.#finishReason;
  }

  /** What there is to show of an answer that was never finished; null when there is nothing. */
  get partial(): string | null {
    const longest = this.#content.length > this.#longest.length ? this.#content : this.#longest;
    return longest === '' ? null : longest;
  }

  /** What the present request told; null as long as it did not. */
  get usage(): TokenUsage | null {
    return this.#usage;
  }

  /** Over all requests; where one broke off before it told, what had arrived is counted. */
  get totalUsage(): TokenUsage {
    return addUsage(this.#earlier, this.#usage ?? NO_USAGE);
  }

  /** Characters that the present request has brought, reasoning included. */
  get length(): number {
    const { content, reasoning } = this.#from;
    return this.#content.length + this.#reasoning.length - content.length - reasoning.length;
  }

  /** Tokens generated so far, reasoning included; an estimate. */
  get tokens(): number {
    return estimateTokens(this.#content.length + this.#reasoning.length);
  }

  get isThinking(): boolean {
    return this.#content === '' && this.#reasoning !== '';
  }

  /** Over all requests so far, the present one included. */
  get bill(): Bill {
    if (this.#usage !== null) {
      return { ...this.#billed, told: addUsage(this.#billed.told, this.#usage) };
    }
    if (this.length === 0) return this.#billed;
    const { told, untoldRequests, arrivedTokens } = this.#billed;
    const tokens = arrivedTokens + estimateTokens(this.length);
    return { told, untoldRequests: untoldRequests + 1, arrivedTokens: tokens };
  }

  /** What the present request added to the text it was given. */
  get addition(): string {
    return this.#content.slice(this.#from.content.length);
  }

  /** What can be gone on from; reasoning alone is no beginning of an answer. */
  get beginning(): Beginning | null {
    return this.#content === '' ? null : { content: this.#content, reasoning: this.#reasoning };
  }

  /** The next request answers from the start. */
  startOver(): void {
    this.#settle();
    if (this.#content.length > this.#longest.length) this.#longest = this.#content;
    this.#content = '';
    this.#reasoning = '';
    this.#from = NOTHING;
  }

  /** The next request goes on from what there is. */
  goOn(): void {
    this.#settle();
    this.#from = { content: this.#content, reasoning: this.#reasoning };
  }

  /** What the present request added is no part of the answer, though it is paid for. */
  dropAddition(): void {
    this.#settle();
    this.#content = this.#from.content;
    this.#reasoning = this.#from.reasoning;
  }

  /** Books what the request that ended has cost. */
  #settle(): void {
    this.#billed = this.bill;
    const estimate = this.length === 0 ? null : estimateTokens(this.length);
    const own = { ...NO_USAGE, completionTokens: estimate, totalTokens: estimate };
    this.#earlier = addUsage(this.#earlier, this.#usage ?? own);
    this.#finishReason = null;
    this.#wentOn = false;
    this.#usage = null;
    this.#refusal = '';
    this.#hasToolCalls = false;
    this.#hasBegun = false;
  }

  /**
   * Takes one piece of an answer.
   *
   * @param onContent hears of new text
   * @returns what is still to come
   */
  apply(piece: ChatPiece, onContent: () => void): Expectation {
    this.begin();
    this.#append(piece, onContent);
    this.#refusal += piece.refusal;
    this.#hasToolCalls ||= piece.hasToolCalls;
    // Every chunk names it.
    this.#model = piece.model ?? this.#model;
    this.#finishReason = piece.finishReason ?? this.#finishReason;
    this.#usage = piece.usage ?? this.#usage;
    if (this.#content.length + this.#reasoning.length > MAX_TEXT) {
      this.#finishReason = 'length';
      return 'last';
    }
    return this.#expectation();
  }

  #append({ content, reasoning, isMessage }: ChatPiece, onContent: () => void): void {
    if (content === '' && reasoning === '') return;
    // A whole message after its parts says the same once more.
    if (isMessage && this.length > 0) return;
    if (this.#finishReason !== null) this.#wentOn = true;
    this.#content += content;
    this.#reasoning += reasoning;
    onContent();
  }

  #expectation(): Expectation {
    if (this.#finishReason === null) return 'more';
    if (this.#usage !== null) return 'finishing';
    return this.#wentOn ? 'more' : 'ending';
  }

  /** The answer was whole before this moment: what comes now, and is no part of it, is nothing. */
  get isSettled(): boolean {
    return this.#finishReason !== null && (!this.#wentOn || this.#usage !== null);
  }
}
