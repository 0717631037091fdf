/** The body of a chat completion. Only fields that DeepSeek's schema lists. */

import type { GenerateRequest } from './chat.ts';
import type { Beginning } from './draft.ts';
import type { ModelChoice } from './models.ts';
import { estimateTokens } from './token-usage.ts';

/** A resumed answer gets at least this much room: the estimate of what it has used may be off. */
const LEAST_TOKENS = 64;

interface Prefix {
  readonly role: 'assistant';
  readonly content: string;
  /** Beta: the model goes on from this text instead of answering it. */
  readonly prefix: true;
  readonly reasoning_content?: string;
}

type Message = { readonly role: 'system' | 'user'; readonly content: string } | Prefix;

export interface ChatBody {
  readonly model: string;
  readonly messages: Message[];
  readonly thinking: { readonly type: 'enabled' | 'disabled' };
  readonly reasoning_effort?: 'low' | 'high' | 'max';
  readonly max_tokens: number;
  readonly temperature?: number;
  readonly stream: true;
  readonly stream_options: { readonly include_usage: true };
}

function prefixOf(beginning: Beginning, isThinking: boolean): Prefix {
  return {
    role: 'assistant',
    content: beginning.content,
    prefix: true,
    ...(isThinking ? { reasoning_content: beginning.reasoning } : {}),
  };
}

function roomLeft(maxTokens: number, beginning: Beginning): number {
  const used = estimateTokens(beginning.content.length + beginning.reasoning.length);
  return Math.min(maxTokens, Math.max(LEAST_TOKENS, maxTokens - used));
}

/**
 * @param beginning what an earlier attempt had generated; the answer then goes on from there, on
 *   the beta address only
 */
export function chatBody(
  request: GenerateRequest,
  { model, thinking }: ModelChoice,
  beginning: Beginning | null,
): ChatBody {
  const isThinking = thinking !== 'off';
  const messages: Message[] = [{ role: 'user', content: request.user }];
  // First and byte-stable: the prompt cache works by prefix.
  if (request.system !== '') messages.unshift({ role: 'system', content: request.system });
  if (beginning !== null) messages.push(prefixOf(beginning, isThinking));
  return {
    model,
    messages,
    // Enabled is the upstream's default, so it is always said.
    thinking: { type: isThinking ? 'enabled' : 'disabled' },
    ...(isThinking ? { reasoning_effort: thinking } : { temperature: request.temperature }),
    max_tokens: beginning === null ? request.maxTokens : roomLeft(request.maxTokens, beginning),
    stream: true,
    stream_options: { include_usage: true },
  };
}

/** Where prefixes are understood. */
export function betaUrl(baseUrl: string): string {
  return baseUrl.endsWith('/beta') ? baseUrl : `${baseUrl.replace(/\/v1$/, '')}/beta`;
}
