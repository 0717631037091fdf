/** What a tool is. Tools hold no key, know no transport and catch no error. */

import type * as z from 'zod';
import type { Provider } from '../base/errors.ts';
import type { CallContext } from '../upstream/call.ts';
import type { DeepSeekClient } from '../upstream/deepseek/chat.ts';
import type { PerplexityClient } from '../upstream/perplexity/search.ts';

/** Both upstreams, as the composition root opens them. */
export interface UpstreamClients {
  readonly deepseek: DeepSeekClient;
  readonly perplexity: PerplexityClient;
}

export interface ToolContext extends CallContext, UpstreamClients {
  /**
   * Keeps what a result has to cut, for a while, and gives the address to read it at. Absent where
   * nobody could: a batch has no resources.
   */
  readonly keep?: (whole: string) => string;
}

/** Hints of the MCP specification, server/tools. */
export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

export interface ToolOutput {
  /** Validates against the tool's output schema. */
  readonly structured: Readonly<Record<string, unknown>>;
  /** Worth reading on its own. */
  readonly text: string;
}

export interface Tool<Input extends z.ZodType = z.ZodType> {
  readonly name: string;
  /** Whose keys it is served with. */
  readonly provider: Provider;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly input: Input;
  readonly output: z.ZodType;
  /** @throws UpstreamError, PoolExhaustedError; presented by server/ */
  run(args: z.output<Input>, context: ToolContext): Promise<ToolOutput>;
}

/**
 * Claude Code hides a longer result in a file, but for a tool that asks for this many characters,
 * the most that it grants. Other clients pass over it.
 */
export const RESULT_SIZE = { 'anthropic/maxResultSizeChars': 500_000 } as const;

/** Both tools ask a paid upstream on the open web and change nothing. */
export const ASKS_UPSTREAM: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: false,
  openWorldHint: true,
};
