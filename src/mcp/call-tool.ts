/**
 * One tool call, whatever the protocol's era: arguments in, result out. Both shells and both
 * transports come through here. What a result says passes the redactor where it leaves the process.
 */

import { isAbort } from '../base/errors.ts';
import { parseArguments } from '../tools/arguments.ts';
import type { Tool, ToolOutput } from '../tools/tool.ts';
import { type AskOutcome, askForKey, missingKeyOf, type Person } from './asking/ask-for-key.ts';
import { Heartbeat, type ProgressReport } from './heartbeat.ts';
import { KEPT_MINUTES } from './kept-results.ts';
import { presentError } from './present-error.ts';
import type { ServerOptions, ToolOutcome } from './server-host.ts';

/** @typeParam Question what a call is answered with where its protocol asks by answering */
export interface ToolCall<Question = never> {
  readonly tool: Tool;
  /** `params.arguments` as the client sent it. */
  readonly args: unknown;
  readonly signal: AbortSignal;
  /** As the client called itself with this call; absent where it did not. */
  readonly client?: string | null;
  /** null when the client sent no progress token. */
  readonly report: ((report: ProgressReport) => void) | null;
  /** null or absent where nobody can be asked for a missing key. */
  readonly person?: Person<Question> | null;
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

/** A call under way: from its arguments to its result, with a missing key asked for once. */
interface Running<Question> {
  readonly options: ServerOptions;
  readonly call: ToolCall<Question>;
  readonly args: unknown;
  readonly startedAt: number;
  readonly heartbeat: Heartbeat | null;
}

async function runTool<Question>(running: Running<Question>): Promise<ToolResult> {
  const { options, call, args, startedAt, heartbeat } = running;
  const { host, session, results, client } = options;
  const kept: string[] = [];
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
    startedAt,
    onProgress: ({ message }) => heartbeat?.update(message),
    keep: (whole) => {
      const uri = results.keep(whole);
      kept.push(uri);
      return uri;
    },
  });
  const knowsLinks = client.version === null || client.version >= LINKS_SINCE;
  return resultOf(output, knowsLinks ? kept.map(linkTo) : []);
}

/** Asks whoever sits before the client; a client with a token of its own adds no keys. */
async function ask<Question>(
  { options, call, startedAt, heartbeat }: Running<Question>,
  error: unknown,
): Promise<AskOutcome<Question>> {
  const { keyDesk: desk } = options.host;
  const { person = null, tool, signal } = call;
  const missing = missingKeyOf(error);
  const isOwner = (options.caller ?? null) === null;
  if (missing === null || person === null || desk === undefined || !isOwner) return 'no';
  const leftMs = Math.round(startedAt + desk.callTimeoutMs - performance.now());
  if (leftMs <= 0) return 'no';
  heartbeat?.update('waiting for a key on the page that was opened');
  const { logger } = options;
  const { name, provider } = tool;
  try {
    const about = { tool: name, provider, missing };
    return await askForKey({ desk, person, ...about, signal, leftMs, logger });
  } catch (failure) {
    if (signal.aborted) throw failure;
    logger.error('A missing key could not be asked for', { error: failure });
    return 'no';
  }
}

const STILL_OPEN =
  'The page for the key is still open in the browser: when a key was put in there, call again.';

async function failed(
  { options, call }: Running<unknown>,
  error: unknown,
  stillOpen: boolean,
): Promise<ToolResult> {
  const { host, logger } = options;
  const missing = missingKeyOf(error);
  const isFirst = missing !== null && missing !== 'usable_key';
  const advice = isFirst ? await host.keyDesk?.advice(call.tool.provider, missing) : undefined;
  const words = presentError(error, logger, advice);
  return errorResult(stillOpen ? `${words}\n${STILL_OPEN}` : words);
}

interface Ended<Question> {
  readonly result: ToolResult | Question;
  /** null: the call is answered with a question, and will be made again. */
  readonly outcome: ToolOutcome | null;
}

async function run<Question>(running: Running<Question>): Promise<Ended<Question>> {
  try {
    return { result: await runTool(running), outcome: 'ok' };
  } catch (error) {
    if (running.call.signal.aborted || isAbort(error)) throw error;
    const asked = await ask(running, error);
    if (typeof asked === 'object') return { result: asked.question, outcome: null };
    if (asked !== 'taken') {
      return { result: await failed(running, error, asked === 'waiting'), outcome: 'error' };
    }
  }
  try {
    return { result: await runTool(running), outcome: 'ok' };
  } catch (error) {
    if (running.call.signal.aborted || isAbort(error)) throw error;
    return { result: await failed(running, error, false), outcome: 'error' };
  }
}

/**
 * Runs one tool. Every failure is a result with `isError`; only a cancelled call throws, and its
 * answer is never sent.
 *
 * @throws an abort, when the caller cancelled
 */
export async function callTool<Question = never>(
  options: ServerOptions,
  call: ToolCall<Question>,
): Promise<ToolResult | Question> {
  const startedAt = performance.now();
  const ended = (outcome: ToolOutcome): void => {
    const durationMs = Math.round(performance.now() - startedAt);
    options.host.onToolCall?.({
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
  const heartbeat = call.report === null ? null : new Heartbeat(call.report);
  try {
    const running = { options, call, args: parsed.value, startedAt, heartbeat };
    const { result, outcome } = await run(running);
    if (outcome !== null) ended(outcome);
    return result;
  } catch (error) {
    ended('cancelled');
    throw error;
  } finally {
    heartbeat?.stop();
  }
}
