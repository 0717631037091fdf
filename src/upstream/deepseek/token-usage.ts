/** Token counts: as the upstream tells them, and added up over the attempts of one call. */

import { countOf, fieldsOf } from '../wire/foreign-json.ts';
import type { TokenUsage } from './chat.ts';

export const NO_USAGE: TokenUsage = {
  promptTokens: null,
  cachedTokens: null,
  completionTokens: null,
  reasoningTokens: null,
  totalTokens: null,
};

/** Code and English have about so many. */
const CHARACTERS_PER_TOKEN = 4;

/** About as many tokens as a text of that many characters has. */
export function estimateTokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}

export function readUsage(value: unknown): TokenUsage {
  const usage = fieldsOf(value);
  const cached = fieldsOf(usage.prompt_tokens_details).cached_tokens;
  return {
    promptTokens: countOf(usage.prompt_tokens),
    cachedTokens: countOf(usage.prompt_cache_hit_tokens) ?? countOf(cached),
    completionTokens: countOf(usage.completion_tokens),
    reasoningTokens: countOf(fieldsOf(usage.completion_tokens_details).reasoning_tokens),
    totalTokens: countOf(usage.total_tokens),
  };
}

/** Unknown and known make known: what one attempt did not tell does not hide the other's count. */
function add(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : a + b;
}

/** null where nothing was added. */
function subtract(a: number | null, b: number | null): number | null {
  const difference = (a ?? 0) - (b ?? 0);
  return difference > 0 ? difference : null;
}

/** What `a` has beyond `b`, which was part of it. */
export function subtractUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    promptTokens: subtract(a.promptTokens, b.promptTokens),
    cachedTokens: subtract(a.cachedTokens, b.cachedTokens),
    completionTokens: subtract(a.completionTokens, b.completionTokens),
    reasoningTokens: subtract(a.reasoningTokens, b.reasoningTokens),
    totalTokens: subtract(a.totalTokens, b.totalTokens),
  };
}

export function addUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    promptTokens: add(a.promptTokens, b.promptTokens),
    cachedTokens: add(a.cachedTokens, b.cachedTokens),
    completionTokens: add(a.completionTokens, b.completionTokens),
    reasoningTokens: add(a.reasoningTokens, b.reasoningTokens),
    totalTokens: add(a.totalTokens, b.totalTokens),
  };
}
