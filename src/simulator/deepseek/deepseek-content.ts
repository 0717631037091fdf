/** What a chat completion says and what it costs, before anything happens to it on the way. */

import {
  CHARACTERS_PER_TOKEN,
  codeAnswer,
  countTokens,
  HOSTILE_TEXT,
  reasoningText,
  referenceIn,
  takeCharacters,
} from '../text.ts';
import type { Turn } from '../turn.ts';
import type { Plan } from './deepseek-plan.ts';
import type { ChatRequest } from './deepseek-request.ts';

const DEFAULT_ANSWER_TOKENS = 160;
const HUGE_CHARACTERS = 3_000_000;

export interface Said {
  readonly reasoning: string;
  readonly content: string;
  readonly finishReason: string;
}

/** The whole answer to a prompt, before limits: the same whenever the same is asked. */
function fullContent(turn: Turn, request: ChatRequest): string {
  const { answer, answerTokens = DEFAULT_ANSWER_TOKENS } = turn.key.behaviour;
  if (answer !== undefined) return typeof answer === 'string' ? answer : answer(turn.body);
  if (request.json) {
    return JSON.stringify({ answer: 'forty-two', ref: referenceIn(request.prompt) });
  }
  return codeAnswer(request.prompt, answerTokens, turn.seed);
}

/**
 * What follows a prefix: the rest of the answer where the prefix is its beginning; the code alone
 * where the prefix opens a fence.
 */
function continuation(full: string, prefix: string | null): string {
  if (prefix === null) return full;
  if (full.startsWith(prefix)) return full.slice(prefix.length);
  const fence = full.indexOf('```');
  const codeAt = fence === -1 ? 0 : full.indexOf('\n', fence) + 1;
  return codeAt > 0 && prefix.trimStart().startsWith('```') ? full.slice(codeAt) : full;
}

function untilStop(text: string, stops: readonly string[]): string {
  const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at !== -1);
  return places.length === 0 ? text : text.slice(0, Math.min(...places));
}

const REASONING_TOKENS = { off: 0, low: 24, high: 80, max: 240 } as const;

export function compose(turn: Turn, request: ChatRequest, plan: Plan): Said {
  const wanted = untilStop(continuation(fullContent(turn, request), request.prefix), request.stop);
  const hostile = `${HOSTILE_TEXT}\n${wanted}\n${HOSTILE_TEXT}`;
  const whole = {
    whole: wanted,
    half: takeCharacters(wanted, wanted.length / 2),
    none: '',
    hostile,
    huge: plan.content === 'huge' ? wanted.repeat(Math.ceil(HUGE_CHARACTERS / wanted.length)) : '',
  }[plan.content];
  const thoughts = reasoningText(request.prompt, REASONING_TOKENS[request.thinking], turn.seed);
  // Reasoning counts against max_tokens: a small budget leaves no content at all.
  // The huge answer ignores it: it stands for an upstream out of control.
  const isEndless = plan.content === 'huge';
  const budget = isEndless ? Infinity : request.maxTokens * CHARACTERS_PER_TOKEN;
  const reasoning = thoughts.slice(0, budget);
  const content = takeCharacters(whole, Math.max(0, budget - reasoning.length));
  const isShort = content.length < whole.length;
  return { reasoning, content, finishReason: plan.finishReason ?? (isShort ? 'length' : 'stop') };
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
  readonly completion_tokens_details?: { readonly reasoning_tokens: number };
  readonly prompt_cache_hit_tokens: number;
  readonly prompt_cache_miss_tokens: number;
}

/** To be asked once for each answer: asking fills the cache. */
export function tokenUsageOf(turn: Turn, request: ChatRequest, said: Said): Usage {
  const promptTokens = countTokens(request.system + request.prompt + (request.prefix ?? ''));
  const isCached = turn.account.hasCached(request.system);
  // The cache works in units of 64 tokens.
  const cached = isCached ? Math.floor(countTokens(request.system) / 64) * 64 : 0;
  const reasoningTokens = countTokens(said.reasoning);
  const completionTokens = reasoningTokens + countTokens(said.content);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cached },
    ...(request.thinking === 'off'
      ? {}
      : { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
    prompt_cache_hit_tokens: cached,
    prompt_cache_miss_tokens: promptTokens - cached,
  };
}
