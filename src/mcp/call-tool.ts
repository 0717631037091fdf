/**
 * One tool call, whatever the protocol's era: arguments in, result out. Both shells and both
 * transports come through here. What a result says passes the redactor where it leaves the process.
 */

import { isAbort } from '../base/errors.ts';
import { parseArguments } from '../tools/arguments.ts';
import type { Tool, ToolOutput } from '../tools/tool.ts';
import { Heartbeat, type ProgressReport } from './heartbeat.ts';
import { KEPT_MINUTES } from './kept-results.ts';
import { presentError } from './present-error.ts';
import type { ServerOptions, ToolOutcome } from './server-host.ts';

export interface ToolCall {
  readonly tool: Tool;
  /** `params.arguments` as the client sent it. */
  readonly args: unknown;
  readonly signal: AbortSignal;
  /** As the client called itself with this call; absent where it did not. */
  readonly client?: string | null;
  /** null when the client sent no progress token. */
  readonly report: ((report: ProgressReport) => void) | null;
}

interface TextBlock {
  type: 'text';
  text: string;
}

interface ResourceLink {
  type: 'resource_link';
  uri: string;
  name: string;
  description: string;
  mimeType: string;
}

/** The revision that brought links; older clients may refuse a result that holds one. */
const LINKS_SINCE = '2025-06-18';

function linkTo(uri: string): ResourceLink {
  const description = `What the result had to cut, whole; kept for ${KEPT_MINUTES} minutes`;
  return { type: 'resource_link', uri, name: 'whole result', description, mimeType: 'text/plain' };
}

/** Has a string index so that both SDKs take it as their own result type. */
export interface ToolResult {
  [key: string]: unknown;
  content: Array<TextBlock | ResourceLink>;
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

export function errorResult(text: string): ToolResult {
  return { content: [{ type: 'text', text }], isError: true };
}

function resultOf({ text, structured }: ToolOutput, links: readonly ResourceLink[]): ToolResult {
  return { content: [{ type: 'text', text }, ...links], structuredContent: { ...structured } };
}

async function run(options: ServerOptions, call: ToolCall, args: unknown): Promise<ToolResult> {
  const { host, session, results, client } = options;
  const heartbeat = call.report === null ? null : new Heartbeat(call.report);
  const kept: string[] = [];
  try {
    const { deepseek, perplexity } = await host.clients();
    call.signal.throwIfAborted();
    const output = await call.tool.run(args, {
      deepseek,
      perplexity,
      signal: call.signal,
      session,
      priority: 'interactive',
      tool: call.tool.name,
      client: options.caller ?? call.client ?? client.name,
      onProgress: ({ message }) => heartbeat?.update(message),
      keep: (whole) => {
        const uri = results.keep(whole);
        kept.push(uri);
        return uri;
      },
    });
    const knowsLinks = client.version === null || client.version >= LINKS_SINCE;
    return resultOf(output, knowsLinks ? kept.map(linkTo) : []);
  } finally {
    heartbeat?.stop();
  }
}

/**
 * Runs one tool. Every failure is a result with `isError`; only a cancelled call throws, and its
 * answer is never sent.
 *
 * @throws an abort, when the caller cancelled
 */
export async function callTool(options: ServerOptions, call: ToolCall): Promise<ToolResult> {
  const { host, logger } = options;
  const startedAt = performance.now();
  const ended = (outcome: ToolOutcome): void => {
    const durationMs = Math.round(performance.now() - startedAt);
    host.onToolCall?.({
      tool: call.tool.name,
      outcome,
      durationMs,
      caller: options.caller ?? null,
    });
  };
  const parsed = parseArguments(call.tool, call.args);
  if (!parsed.ok) {
    ended('error');
    const text = `${call.tool.name} was not called: ${parsed.problem}. Correct the arguments and call it again.`;
    return errorResult(text);
  }
  try {
    const result = await run(options, call, parsed.value);
    ended('ok');
    return result;
  } catch (error) {
    if (call.signal.aborted || isAbort(error)) {
      ended('cancelled');
      throw error;
    }
    ended('error');
    return errorResult(presentError(error, logger));
  }
}
