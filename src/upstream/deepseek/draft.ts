/** The answer as far as it has come, kept across the attempts of one call. */

import type { Expectation } from '../wire/events.ts';
import { type Fields, fieldsOf, listOf, textOf } from '../wire/json.ts';
import type { TokenUsage } from './chat.ts';
import { addUsage, CHARACTERS_PER_TOKEN, estimateTokens, NO_USAGE, readUsage } from './usage.ts';

/** Twice what the longest answer of any model has; more is cut off as if at max_tokens. */
const MAX_TEXT = 4_000_000;
const MODEL_NAME = /^[\w./:-]{1,100}$/;
const FINISH_REASON = /^[a-z_]{1,40}$/;

/** What an answer's beginning is resumed from. */
export interface Beginning {
  readonly content: string;
  readonly reasoning: string;
}

export class Draft {
  #content = '';
  #reasoning = '';
  /** Where the present attempt's own part begins. */
  #from: Beginning = { content: '', reasoning: '' };
  #model: string | null = null;
  #finishReason: string | null = null;
  #usage: TokenUsage | null = null;
  #earlier: TokenUsage = NO_USAGE;

  get content(): string {
    return this.#content;
  }

  get model(): string | null {
    return this.#model;
  }

  get finishReason(): string | null {
    return this.#finishReason;
  }

  /** What the present attempt told; null as long as it did not. */
  get usage(): TokenUsage | null {
    return this.#usage;
  }

  /** Over all attempts; where one broke off before it told, what had arrived is counted. */
  get totalUsage(): TokenUsage {
    return addUsage(this.#earlier, this.#usage ?? NO_USAGE);
  }

  /** True once the present attempt has generated something. */
  get hasStarted(): boolean {
    return this.#content.length + this.#reasoning.length > this.#ownStart();
  }

  /** Tokens generated so far, reasoning included; an estimate. */
  get tokens(): number {
    return Math.ceil((this.#content.length + this.#reasoning.length) / CHARACTERS_PER_TOKEN);
  }

  get isThinking(): boolean {
    return this.#content === '' && this.#reasoning !== '';
  }

  /** Tokens that the present attempt has generated; an estimate. */
  get ownTokens(): number {
    const length = this.#content.length + this.#reasoning.length - this.#ownStart();
    return Math.ceil(length / CHARACTERS_PER_TOKEN);
  }

  /** What the next attempt can go on from; reasoning alone is no beginning of an answer. */
  get beginning(): Beginning | null {
    return this.#content === '' ? null : { content: this.#content, reasoning: this.#reasoning };
  }

  #ownStart(): number {
    return this.#from.content.length + this.#from.reasoning.length;
  }

  /** A new attempt: it resumes from the beginning that there is, or starts over. */
  begin(resume: boolean): void {
    this.#settle();
    if (!resume) {
      this.#content = '';
      this.#reasoning = '';
    }
    this.#from = { content: this.#content, reasoning: this.#reasoning };
    this.#finishReason = null;
    this.#usage = null;
  }

  /** Books what the attempt that ended has cost. */
  #settle(): void {
    const own =
      this.#content.slice(this.#from.content.length) +
      this.#reasoning.slice(this.#from.reasoning.length);
    const estimate = own === '' ? null : estimateTokens(own);
    this.#earlier = addUsage(
      this.#earlier,
      this.#usage ?? { ...NO_USAGE, completionTokens: estimate, totalTokens: estimate },
    );
  }

  /** Takes one chunk of a stream. @returns what is still to come; `onContent` hears of new text */
  apply(chunk: Fields, onContent: () => void): Expectation {
    const choice = fieldsOf(listOf(chunk.choices)[0]);
    const delta = fieldsOf(choice.delta);
    this.#append(textOf(delta.content) ?? '', textOf(delta.reasoning_content) ?? '', onContent);
    this.#note(chunk, choice);
    if (this.#content.length + this.#reasoning.length > MAX_TEXT) {
      this.#finishReason = 'length';
      return 'last';
    }
    return this.#finishReason === null ? 'more' : 'finishing';
  }

  /** Takes an answer that came in one piece. */
  applyWhole(completion: Fields, onContent: () => void): void {
    const choice = fieldsOf(listOf(completion.choices)[0]);
    const message = fieldsOf(choice.message);
    this.#append(textOf(message.content) ?? '', textOf(message.reasoning_content) ?? '', onContent);
    this.#note(completion, choice);
  }

  #append(content: string, reasoning: string, onContent: () => void): void {
    if (content === '' && reasoning === '') return;
    this.#content += content;
    this.#reasoning += reasoning;
    onContent();
  }

  #note(source: Fields, choice: Fields): void {
    const model = textOf(source.model);
    // Every chunk names it.
    if (model !== null && model !== this.#model && MODEL_NAME.test(model)) this.#model = model;
    const reason = textOf(choice.finish_reason);
    if (reason !== null) this.#finishReason = FINISH_REASON.test(reason) ? reason : 'other';
    // On the finish chunk or on a trailing one; earlier chunks carry null.
    if (source.usage !== null && source.usage !== undefined) this.#usage = readUsage(source.usage);
  }
}
