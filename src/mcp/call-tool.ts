/**
 * One tool call, whatever the protocol's era: arguments in, result out. Both shells and both
 * transports come through here.
 */

import { isAbort } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { parseArguments } from '../tools/arguments.ts';
import type { Tool, ToolOutput } from '../tools/tool.ts';
import { Heartbeat, type ProgressReport } from './heartbeat.ts';
import { isRecord } from './json-rpc.ts';
import { presentError } from './present-error.ts';
import type { ServerHost, ToolOutcome } from './server-host.ts';

export interface ToolCall {
  readonly tool: Tool;
  /** `params.arguments` as the client sent it. */
  readonly args: unknown;
  readonly signal: AbortSignal;
  /** Waiting calls take turns between sessions. */
  readonly session: string;
  /** As the client called itself; absent or null where it did not. */
  readonly client?: string | null;
  /** null when the client sent no progress token. */
  readonly report: ((report: ProgressReport) => void) | null;
}

/** Has a string index so that both SDKs take it as their own result type. */
export interface ToolResult {
  [key: string]: unknown;
  content: Array<{ type: 'text'; text: string }>;
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

export function errorResult(text: string): ToolResult {
  return { content: [{ type: 'text', text }], isError: true };
}

type Redact = (text: string) => string;

/** Copied only where there is something to take out, which is almost never. */
function redactRecord(
  record: Readonly<Record<string, unknown>>,
  redact: Redact,
): Record<string, unknown> {
  let clean: Record<string, unknown> = record;
  for (const key of Object.keys(record)) {
    const value = redactDeep(record[key], redact);
    if (value === record[key]) continue;
    if (clean === record) clean = { ...record };
    clean[key] = value;
  }
  return clean;
}

function redactDeep(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) {
    const clean = value.map((entry) => redactDeep(entry, redact));
    return clean.some((entry, at) => entry !== value[at]) ? clean : value;
  }
  return isRecord(value) ? redactRecord(value, redact) : value;
}

function resultOf(output: ToolOutput, redact: Redact): ToolResult {
  return {
    content: [{ type: 'text', text: redact(output.text) }],
    structuredContent: redactRecord(output.structured, redact),
  };
}

async function run(host: ServerHost, call: ToolCall, args: unknown): Promise<ToolOutput> {
  const { report } = call;
  const heartbeat =
    report === null
      ? null
      : new Heartbeat(({ progress, message }) =>
          report({ progress, message: host.redact(message) }),
        );
  try {
    const { deepseek, perplexity } = await host.clients();
    call.signal.throwIfAborted();
    return await call.tool.run(args, {
      deepseek,
      perplexity,
      signal: call.signal,
      session: call.session,
      priority: 'interactive',
      tool: call.tool.name,
      client: call.client ?? null,
      onProgress: ({ message }) => heartbeat?.update(message),
    });
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
export async function callTool(
  host: ServerHost,
  logger: Logger,
  call: ToolCall,
): Promise<ToolResult> {
  const startedAt = performance.now();
  const ended = (outcome: ToolOutcome): void => {
    const durationMs = Math.round(performance.now() - startedAt);
    host.onToolCall?.({ tool: call.tool.name, outcome, durationMs });
  };
  const parsed = parseArguments(call.tool, call.args);
  if (!parsed.ok) {
    ended('error');
    const text = `${call.tool.name} was not called: ${parsed.problem}. Correct the arguments and call it again.`;
    return errorResult(host.redact(text));
  }
  try {
    const output = await run(host, call, parsed.value);
    const result = resultOf(output, (text) => host.redact(text));
    ended('ok');
    return result;
  } catch (error) {
    if (call.signal.aborted || isAbort(error)) {
      ended('cancelled');
      throw error;
    }
    ended('error');
    return errorResult(host.redact(presentError(error, logger)));
  }
}
