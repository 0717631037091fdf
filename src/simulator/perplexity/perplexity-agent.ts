/** `POST /v1/agent`: a run with sources and an answer, streamed or whole; and its cancel. */

import { seededHex } from '../random.ts';
import {
  CHARACTERS_PER_TOKEN,
  countTokens,
  HOSTILE_TEXT,
  referenceIn,
  takeCharacters,
} from '../text.ts';
import { jsonReply, type Reply, stray, type Turn } from '../turn.ts';
import { isObject, isText, unknownField, type WireObject } from '../wire-json.ts';
import { type Page, searchPages } from './perplexity-corpus.ts';
import { invalidRequest, perplexityError, unknownFieldReply } from './perplexity-replies.ts';
import { badFilters, readFilters } from './perplexity-request.ts';

const FIELDS: ReadonlySet<string> = new Set([
  'input',
  'preset',
  'model',
  'models',
  'instructions',
  'max_output_tokens',
  'max_steps',
  'max_tool_calls',
  'tools',
  'tool_choice',
  'reasoning',
  'response_format',
  'stream',
  'background',
  'previous_response_id',
  'store',
  'metadata',
  'language_preference',
  'temperature',
  'top_p',
]);
const TOOL_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'filters',
  'search_context_size',
  'user_location',
  'max_results',
  'max_tokens',
  'max_tokens_per_page',
]);
const FILTER_FIELDS: ReadonlySet<string> = new Set([
  'search_domain_filter',
  'search_language_filter',
  'search_recency_filter',
  'search_after_date_filter',
  'search_before_date_filter',
  'last_updated_after_filter',
  'last_updated_before_filter',
]);
const PRESETS = ['fast', 'low', 'medium', 'high', 'xhigh'];
const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8' };
const PIECE_CHARACTERS = 16 * CHARACTERS_PER_TOKEN;

interface Run {
  readonly id: string;
  readonly model: string;
  readonly query: string;
  readonly pages: readonly Page[];
  readonly text: string;
  readonly status: 'completed' | 'failed' | 'incomplete' | 'cancelled';
}

function webSearchTool(body: WireObject): WireObject | null {
  const tools = Array.isArray(body.tools) ? body.tools.filter(isObject) : [];
  return tools.find((tool) => tool.type === 'web_search') ?? null;
}

/** The first field, top-level or of the search tool, that the Agent API does not list, or null. */
export function unlistedAgentField(body: WireObject): string | null {
  const tool = webSearchTool(body) ?? {};
  const filters = isObject(tool.filters) ? tool.filters : {};
  return (
    unknownField(body, FIELDS) ??
    unknownField(tool, TOOL_FIELDS) ??
    unknownField(filters, FILTER_FIELDS)
  );
}

function refusalOf(body: WireObject): Reply | null {
  const unknown = unlistedAgentField(body);
  if (unknown !== null) return unknownFieldReply(unknown);
  if (!isText(body.input) && !Array.isArray(body.input)) return invalidRequest('input is required');
  const isNamed = isText(body.preset) || isText(body.model) || Array.isArray(body.models);
  if (!isNamed) return invalidRequest('one of preset, model or models is required');
  if (body.preset !== undefined && !PRESETS.includes(String(body.preset))) {
    return perplexityError(400, 'invalid_model', `unknown preset ${String(body.preset)}`);
  }
  const budget = body.max_output_tokens;
  if (budget !== undefined && !(typeof budget === 'number' && budget >= 16)) {
    return perplexityError(400, 'invalid_parameter', 'max_output_tokens must be at least 16');
  }
  const filters = webSearchTool(body)?.filters;
  return badFilters(isObject(filters) ? filters : {});
}

/** The text of `input`: a string, or the last message's content. */
function queryOf(input: unknown): string {
  if (isText(input)) return input;
  const last = Array.isArray(input) ? input.filter(isObject).at(-1) : undefined;
  return isText(last?.content) ? last.content : JSON.stringify(last?.content ?? '');
}

function answerText(turn: Turn, query: string, pages: readonly Page[]): string {
  const { answer } = turn.key.behaviour;
  if (answer !== undefined) return typeof answer === 'string' ? answer : answer(turn.body);
  const reference = referenceIn(query);
  const mark = reference === null ? '' : ` (ref:${reference})`;
  const cited = pages
    .slice(0, 3)
    .map(
      (page, at) => `${takeCharacters(page.snippet.split('. ', 2).at(-1) ?? '', 160)} [${at + 1}]`,
    );
  const hostile = turn.step?.fault === 'hostile_text' ? `${HOSTILE_TEXT}\n` : '';
  return `${hostile}In short, on "${takeCharacters(query, 120)}"${mark}: ${cited.join(' ')}`;
}

function startRun(turn: Turn): Run {
  const fault = turn.step?.fault ?? 'ok';
  const query = queryOf(turn.body.input);
  const tool = webSearchTool(turn.body);
  const filters = isObject(tool?.filters) ? tool.filters : {};
  const hasSearch = tool !== null || isText(turn.body.preset);
  const now = Date.now();
  const settings = readFilters({ ...filters, max_results: tool?.max_results }, now);
  const found = hasSearch ? searchPages([query], settings, turn.seed, now) : [];
  const pages = fault === 'empty_results' ? [] : found;
  const whole = answerText(turn, query, pages);
  const budget = turn.body.max_output_tokens;
  const limit = (typeof budget === 'number' ? budget : 8192) * CHARACTERS_PER_TOKEN;
  const isCut = fault === 'incomplete' || fault === 'filtered' || whole.length > limit;
  const id = `resp_${seededHex(turn.random, 32)}`;
  turn.call.responseId = id;
  return {
    id,
    model: isText(turn.body.model) ? turn.body.model : 'perplexity/sonar',
    query,
    pages,
    text: isCut ? takeCharacters(whole, Math.min(limit, whole.length / 2)) : whole,
    status:
      fault === 'failed' || fault === 'cancelled' ? fault : isCut ? 'incomplete' : 'completed',
  };
}

function sourcesOf(run: Run): unknown[] {
  return run.pages.map((page, at) => ({ id: at + 1, ...page, source: 'web' }));
}

function outputOf(run: Run): unknown[] {
  const sources = { type: 'search_results', queries: [run.query], results: sourcesOf(run) };
  const content = [{ type: 'output_text', text: run.text, annotations: [] }];
  const message = {
    type: 'message',
    id: `msg_${run.id.slice(5)}`,
    role: 'assistant',
    status: run.status === 'completed' ? 'completed' : 'incomplete',
    content,
  };
  return run.status === 'failed' ? [sources] : [sources, message];
}

function reasonOf({ step }: Turn): string {
  return step?.fault === 'filtered' ? 'content_filter' : 'max_output_tokens';
}

/** Rounded as the real ones are. */
function dollars(amount: number): number {
  return Number(amount.toFixed(5));
}

/** What the run is billed: tokens of its model, and one search. */
function usageOf(run: Run): { readonly cost: { readonly total_cost: number } } {
  const inputTokens = countTokens(run.query) + 1200;
  const outputTokens = countTokens(run.text);
  const searches = run.pages.length > 0 ? 1 : 0;
  const [input, output] = [inputTokens * 2.5e-7, outputTokens * 2.5e-6].map(dollars);
  const search = dollars(searches * 0.0025);
  const cost = {
    input_cost: input,
    output_cost: output,
    cache_read_cost: 0,
    tool_calls_cost: search,
    total_cost: dollars((input ?? 0) + (output ?? 0) + search),
    currency: 'USD',
  };
  const usage = {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
    tool_calls_details: { search_web: { invocation: searches, cost_usd: search } },
  };
  return { ...usage, cost };
}

function chargeRun({ account: { purse }, wallNow }: Turn, run: Run): void {
  const { total_cost: amount } = usageOf(run).cost;
  purse.charge({
    provider: 'perplexity',
    model: run.model,
    amount,
    currency: 'USD',
    at: wallNow(),
  });
}

function responseOf(turn: Turn, run: Run, status: string, output: unknown[]): WireObject {
  // Neither a run that goes on nor a cancelled one says what it costs.
  const isTold = status !== 'in_progress' && status !== 'cancelled';
  return {
    id: run.id,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status,
    model: run.model,
    output,
    usage: isTold ? usageOf(run) : null,
    error:
      status === 'failed'
        ? { message: 'The run failed: an internal tool error occurred.', code: 'server_error' }
        : null,
    incomplete_details: status === 'incomplete' ? { reason: reasonOf(turn) } : null,
    ...(turn.step?.fault === 'unknown_fields' ? { experimental: { trace: [] } } : {}),
  };
}

export async function agent(turn: Turn): Promise<void> {
  const refusal = refusalOf(turn.body);
  if (refusal !== null) {
    turn.call.fault = 'refused';
    return await turn.exchange.send(refusal.status, refusal.body, refusal.headers);
  }
  const run = startRun(turn);
  // It runs on and is billed when its reader has left.
  chargeRun(turn, run);
  if (turn.body.stream === true) return await streamRun(turn, run);
  const { exchange } = turn;
  await exchange.wait(stray(turn, turn.key.behaviour.ttftMs ?? 5));
  await exchange.wait(durationMs(turn, run.text));
  const body = JSON.stringify(responseOf(turn, run, run.status, outputOf(run)));
  const isBroken = turn.step?.fault === 'broken_json' || turn.step?.fault === 'cut';
  const reply = jsonReply(200, null);
  await exchange.send(200, isBroken ? body.slice(0, body.length / 2) : body, reply.headers);
}

function durationMs(turn: Turn, text: string): number {
  const pace = turn.key.behaviour.tokensPerSecond ?? 20_000;
  return stray(turn, (countTokens(text) / pace) * 1000);
}

type Send = (type: string, fields?: WireObject) => Promise<void>;

async function streamRun(turn: Turn, run: Run): Promise<void> {
  const { exchange } = turn;
  const fault = turn.step?.fault ?? 'ok';
  let sequence = 0;
  const send: Send = async (type, fields = {}) => {
    const blank = fault === 'keep_alive_between' ? '\n\n' : '';
    const event = { type, sequence_number: sequence++, ...fields };
    await exchange.write(`${blank}data: ${JSON.stringify(event)}\n\n`);
  };
  exchange.head(200, EVENT_STREAM);
  await send('response.created', { response: responseOf(turn, run, 'in_progress', []) });
  await send('response.in_progress', { response: responseOf(turn, run, 'in_progress', []) });
  while (fault === 'keep_alive_for_ever') {
    await exchange.write('\n\n');
    await exchange.wait(turn.step?.delayMs ?? 50);
  }
  await exchange.wait(stray(turn, turn.key.behaviour.ttftMs ?? 5));
  await sendSources(turn, run, send);
  if (!(await sendText(turn, run, send))) return;
  if (fault === 'error_event') {
    await send('error', {
      error: { message: 'internal error', type: 'internal_error', code: 500 },
    });
  } else if (fault !== 'cut') {
    const response = responseOf(turn, run, run.status, outputOf(run));
    // Some events say one thing, and what they hold another.
    const told = fault === 'completed_failed' ? { ...response, status: 'failed' } : response;
    await send(`response.${run.status}`, { response: told });
  }
  exchange.end();
}

async function sendSources(turn: Turn, run: Run, send: Send): Promise<void> {
  await send('response.reasoning.started', { thought: 'Searching the web' });
  await send('response.reasoning.search_queries', { queries: [run.query] });
  if (turn.step?.fault === 'unknown_events') {
    await send('response.telepathy.started', { intensity: 11 });
    await turn.exchange.write('event: surprise\nid: 7\nretry: 10\ndata: {"type":"x.unknown"}\n\n');
  }
  await send('response.reasoning.search_results', { results: sourcesOf(run) });
  await send('response.reasoning.stopped', {});
  const [sources] = outputOf(run);
  await send('response.output_item.done', { output_index: 0, item: sources });
}

/** @returns false when the connection is over */
async function sendText(turn: Turn, run: Run, send: Send): Promise<boolean> {
  const fault = turn.step?.fault ?? 'ok';
  const breaks = ['cut', 'silent', 'reset_mid_content', 'error_event'].includes(fault);
  const share = breaks ? (turn.step?.after ?? 0.5) : 1;
  const text = run.status === 'failed' ? '' : takeCharacters(run.text, run.text.length * share);
  const pauseMs = fault === 'slow_body' ? (turn.step?.delayMs ?? 250) : 0;
  for (let rest = text, delta = ''; rest !== ''; rest = rest.slice(delta.length)) {
    delta = takeCharacters(rest, PIECE_CHARACTERS);
    await turn.exchange.wait(Math.round(durationMs(turn, delta)) + pauseMs);
    await send('response.output_text.delta', { output_index: 1, content_index: 0, delta });
    turn.call.completionTokens += countTokens(delta);
  }
  if (fault === 'silent') await turn.exchange.silence();
  if (fault === 'reset_mid_content') {
    await turn.exchange.wait(20);
    turn.exchange.reset();
    return false;
  }
  if (!breaks && text !== '') {
    await send('response.output_text.done', { output_index: 1, content_index: 0, text });
  }
  return true;
}
