/** Requests and answers of DeepSeek's chat completion, as the tools see them. */

import type { CallContext, Served } from '../call.ts';

export type Thinking = 'off' | 'low' | 'high' | 'max';

export interface GenerateRequest {
  /** Byte-stable and first, so that the upstream's prefix cache can work. */
  readonly system: string;
  readonly user: string;
  /** null: the configured default model. */
  readonly model: string | null;
  readonly thinking: Thinking;
  readonly temperature: number;
  readonly maxTokens: number;
}

export interface TokenUsage {
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  readonly reasoningTokens: number | null;
  readonly totalTokens: number | null;
}

export interface GenerateResult extends Served {
  /** The answer's text, or that of a refusal; reasoning excluded. Never empty. */
  readonly text: string;
  /** As answered, which may differ from what was asked for. */
  readonly model: string;
  /** `length`: its token limit cut it. */
  readonly finishReason: 'stop' | 'length';
  readonly usage: TokenUsage;
  /** One sentence when something was changed for the caller (a retired model name), or the model
   * refused; else null. */
  readonly notice: string | null;
}

export interface DeepSeekClient {
  /**
   * @throws UpstreamError, PoolExhaustedError
   */
  generate(request: GenerateRequest, context: CallContext): Promise<GenerateResult>;
}
