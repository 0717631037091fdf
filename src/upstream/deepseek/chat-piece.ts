/**
 * One chunk of a chat completion, or a whole one, in plain terms. DeepSeek's own form, and what the
 * gateways and local servers behind a base URL make of it.
 */

import { isBareError } from '../failures/failure.ts';
import { type Fields, fieldsOf, listOf, textOf } from '../wire/foreign-json.ts';
import type { TokenUsage } from './chat.ts';
import { readUsage } from './token-usage.ts';

export interface ChatPiece {
  readonly content: string;
  readonly reasoning: string;
  /** The model's own words for a no, where the server keeps them apart from the content. */
  readonly refusal: string;
  readonly hasToolCalls: boolean;
  /** Null while the answer goes on; `other` for what is no word. */
  readonly finishReason: string | null;
  readonly usage: TokenUsage | null;
  readonly model: string | null;
  /** Of the choice, or of the whole; null when there is none. */
  readonly error: Fields | null;
  /** A whole message rather than a part of one. */
  readonly isMessage: boolean;
}

const MODEL_NAME = /^[\w./:-]{1,100}$/;
const FINISH_REASON = /^[a-z_]{1,40}$/i;
/** Thoughts of thoughts are nobody's form. */
const MAX_DEPTH = 3;

interface Said {
  content: string;
  reasoning: string;
}

/** `[{type: "text", text}, {type: "thinking", thinking: [...]}]`, as some servers split content. */
function addParts(value: unknown, said: Said, depth: number): void {
  for (const each of listOf(value)) {
    const part = fieldsOf(each);
    const type = textOf(part.type) ?? '';
    const isThought = /thinking|reasoning/.test(type);
    const text = textOf(each) ?? textOf(part.text) ?? textOf(part.thinking) ?? '';
    if (isThought) said.reasoning += text;
    else said.content += text;
    if (isThought && depth < MAX_DEPTH) {
      const inner: Said = { content: '', reasoning: '' };
      addParts(part.thinking, inner, depth + 1);
      said.reasoning += inner.content + inner.reasoning;
    }
  }
}

function saidIn(source: Fields): Said {
  const thought = textOf(source.reasoning_content) ?? '';
  const said: Said = {
    content: textOf(source.content) ?? '',
    reasoning: thought === '' ? (textOf(source.reasoning) ?? '') : thought,
  };
  if (said.content === '') addParts(source.content, said, 0);
  return said;
}

const NO_ERROR: ReadonlySet<unknown> = new Set([undefined, null, false, '']);

function errorOf(...values: readonly unknown[]): Fields | null {
  const error = values.find((value) => !NO_ERROR.has(value));
  return error === undefined ? null : { error };
}

function bareErrorOf(source: Fields): Fields | null {
  return source.choices === undefined && isBareError(source) ? source : null;
}

/** Absent, null and empty mean "not yet". */
function finishReasonOf(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null;
  const word = textOf(value) ?? '';
  return FINISH_REASON.test(word) ? word.toLowerCase() : 'other';
}

function hasCalls({ tool_calls, function_call }: Fields): boolean {
  return listOf(tool_calls).length > 0 || Object.keys(fieldsOf(function_call)).length > 0;
}

/** Reads what there is; whatever is not as expected is absent. */
export function readPiece(source: Fields): ChatPiece {
  const choice = fieldsOf(listOf(source.choices)[0]);
  const delta = fieldsOf(choice.delta);
  const message = fieldsOf(choice.message);
  const part = saidIn(delta);
  const hasPart = part.content !== '' || part.reasoning !== '';
  const isMessage = !hasPart && choice.message !== undefined;
  const said = isMessage ? saidIn(message) : part;
  const model = textOf(source.model);
  const { usage } = source;
  return {
    ...said,
    refusal: textOf(delta.refusal) ?? textOf(message.refusal) ?? '',
    hasToolCalls: hasCalls(delta) || hasCalls(message),
    finishReason: finishReasonOf(choice.finish_reason),
    // On the finish chunk or on a trailing one; earlier chunks carry null.
    usage: usage === null || usage === undefined ? null : readUsage(usage),
    model: model !== null && MODEL_NAME.test(model) ? model : null,
    error: errorOf(source.error, choice.error) ?? bareErrorOf(source),
    isMessage,
  };
}
