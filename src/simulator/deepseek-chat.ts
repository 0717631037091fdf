/** A chat completion: what is said, how it is cut into pieces, and how it can break. */

import type { ChatRequest } from './deepseek-request.ts';
import type { DeepSeekFault } from './faults.ts';
import { seededHex, seededUuid } from './random.ts';
import {
  CHARACTERS_PER_TOKEN,
  codeAnswer,
  countTokens,
  HOSTILE_TEXT,
  reasoningText,
  referenceIn,
} from './text.ts';
import { JSON_TYPE, stray, type Turn } from './turn.ts';

const DEFAULT_TTFT_MS = 5;
const DEFAULT_TOKENS_PER_SECOND = 20_000;
const DEFAULT_ANSWER_TOKENS = 160;
const DEFAULT_DELAY_MS = 50;
/** Pieces leave together this often: a timer a token would cost more than the product under test. */
const TICK_MS = 50;
/** Largest piece, in tokens, so that even an instant answer is several events. */
const MAX_PIECE_TOKENS = 64;
const HUGE_CHARACTERS = 3_000_000;

/** How one answer breaks; the plain one does not. */
interface Plan {
  readonly keepAlive: 'none' | 'before' | 'between' | 'for_ever';
  readonly afterKeepAlive: 'answer' | 'eof' | 'reset';
  readonly end: 'done' | 'no_done' | 'cut' | 'reset' | 'silent' | 'error_event' | 'broken_json';
  readonly finishReason: string | null;
  readonly content: 'whole' | 'half' | 'none' | 'hostile' | 'huge';
  readonly pieceDelayMs: number;
}

const PLAIN: Plan = {
  keepAlive: 'none',
  afterKeepAlive: 'answer',
  end: 'done',
  finishReason: null,
  content: 'whole',
  pieceDelayMs: 0,
};

const PLANS: Partial<Readonly<Record<DeepSeekFault, Partial<Plan>>>> = {
  blank_then_ok: { keepAlive: 'before' },
  blank_then_eof: { keepAlive: 'before', afterKeepAlive: 'eof' },
  blank_then_reset: { keepAlive: 'before', afterKeepAlive: 'reset' },
  keep_alive_between: { keepAlive: 'between' },
  keep_alive_for_ever: { keepAlive: 'for_ever' },
  no_done: { end: 'no_done' },
  cut: { end: 'cut' },
  reset_mid_content: { end: 'reset' },
  silent: { end: 'silent' },
  error_event: { end: 'error_event' },
  broken_json: { end: 'broken_json' },
  length_empty: { content: 'none', finishReason: 'length' },
  stop_empty: { content: 'none', finishReason: 'stop' },
  content_filter: { content: 'half', finishReason: 'content_filter' },
  insufficient_system_resource: {
    content: 'half',
    finishReason: 'insufficient_system_resource',
  },
  aborted: { content: 'half', finishReason: 'aborted' },
  hostile_text: { content: 'hostile' },
  huge_text: { content: 'huge' },
};
const PLAN_BY_NAME = new Map(Object.entries(PLANS));

function planOf(turn: Turn): Plan {
  const fault = turn.step?.fault ?? 'ok';
  const pieceDelayMs = fault === 'slow_body' ? (turn.step?.delayMs ?? 250) : 0;
  return { ...PLAIN, ...PLAN_BY_NAME.get(fault), pieceDelayMs };
}

interface Said {
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
  const code = /```[^\n]*\n([\s\S]*)/.exec(full)?.[1];
  return code !== undefined && prefix.trimStart().startsWith('```') ? code : full;
}

function untilStop(text: string, stops: readonly string[]): string {
  const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at !== -1);
  return places.length === 0 ? text : text.slice(0, Math.min(...places));
}

const REASONING_TOKENS = { off: 0, low: 24, high: 80, max: 240 } as const;

function compose(turn: Turn, request: ChatRequest, plan: Plan): Said {
  const wanted = untilStop(continuation(fullContent(turn, request), request.prefix), request.stop);
  const hostile = `${HOSTILE_TEXT}\n${wanted}\n${HOSTILE_TEXT}`;
  const whole = {
    whole: wanted,
    half: wanted.slice(0, Math.ceil(wanted.length / 2)),
    none: '',
    hostile,
    huge: plan.content === 'huge' ? wanted.repeat(Math.ceil(HUGE_CHARACTERS / wanted.length)) : '',
  }[plan.content];
  const thoughts = reasoningText(request.prompt, REASONING_TOKENS[request.thinking], turn.seed);
  // Reasoning counts against max_tokens: a small budget leaves no content at all.
  const budget = request.maxTokens * CHARACTERS_PER_TOKEN;
  const reasoning = thoughts.slice(0, budget);
  const content = whole.slice(0, Math.max(0, budget - reasoning.length));
  const isShort = content.length < whole.length;
  return { reasoning, content, finishReason: plan.finishReason ?? (isShort ? 'length' : 'stop') };
}

function usageOf(turn: Turn, request: ChatRequest, said: Said): unknown {
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

/** Blank lines, or comments in a stream, while the request waits for a machine. */
async function keepAlive(turn: Turn, plan: Plan, line: string): Promise<boolean> {
  const delayMs = turn.step?.delayMs ?? DEFAULT_DELAY_MS;
  if (plan.keepAlive !== 'before' && plan.keepAlive !== 'for_ever') return true;
  for (let sent = 0; plan.keepAlive === 'for_ever' || sent < 3; sent++) {
    await turn.exchange.write(line);
    await turn.exchange.wait(delayMs);
  }
  if (plan.afterKeepAlive === 'eof') turn.exchange.end();
  if (plan.afterKeepAlive === 'reset') turn.exchange.reset();
  return plan.afterKeepAlive === 'answer';
}

/** Emits `text` at the key's pace, in pieces that end on a token. */
async function emit(
  turn: Turn,
  plan: Plan,
  text: string,
  send: (piece: string) => Promise<void>,
): Promise<void> {
  const pace = turn.key.behaviour.tokensPerSecond ?? DEFAULT_TOKENS_PER_SECOND;
  const tokensPerMs = pace / 1000 / (stray(turn, 1) || 1);
  const perTick = Math.max(1, Math.round(tokensPerMs * TICK_MS));
  const pieceTokens = plan.content === 'huge' ? 4096 : Math.min(MAX_PIECE_TOKENS, perTick);
  let owedMs = 0;
  for (let at = 0; at < text.length; at += pieceTokens * CHARACTERS_PER_TOKEN) {
    const piece = text.slice(at, at + pieceTokens * CHARACTERS_PER_TOKEN);
    owedMs += countTokens(piece) / tokensPerMs + plan.pieceDelayMs;
    if (owedMs >= TICK_MS || plan.pieceDelayMs > 0) {
      await turn.exchange.wait(Math.round(owedMs));
      owedMs = 0;
    }
    await send(piece);
    turn.call.completionTokens += countTokens(piece);
  }
  await turn.exchange.wait(Math.round(owedMs));
}

/** Where the content breaks off under `plan`: all of it when it does not. */
function arriving(turn: Turn, plan: Plan, content: string): string {
  const isWhole = plan.end === 'done' || plan.end === 'no_done';
  return isWhole
    ? content
    : content.slice(0, Math.ceil(content.length * (turn.step?.after ?? 0.5)));
}

interface Frame {
  readonly id: string;
  readonly created: number;
  readonly fingerprint: string;
}

function frameOf(turn: Turn): Frame {
  const id = seededUuid(turn.random);
  turn.call.responseId = id;
  return {
    id,
    created: Math.floor(Date.now() / 1000),
    fingerprint: `fp_${seededHex(turn.random, 10)}_prod`,
  };
}

export async function answerWhole(turn: Turn, request: ChatRequest): Promise<void> {
  const { exchange } = turn;
  const plan = planOf(turn);
  const said = compose(turn, request, plan);
  const frame = frameOf(turn);
  // The status line leaves before inference starts, as the real one does under load.
  exchange.head(200, JSON_TYPE);
  if (!(await keepAlive(turn, plan, '\n'))) return;
  await exchange.wait(stray(turn, turn.key.behaviour.ttftMs ?? DEFAULT_TTFT_MS));
  await emit(turn, plan, said.reasoning + arriving(turn, plan, said.content), async () => {});
  const message = {
    role: 'assistant',
    content: said.content,
    ...(request.thinking === 'off' ? {} : { reasoning_content: said.reasoning }),
  };
  const body = JSON.stringify({
    id: frame.id,
    object: 'chat.completion',
    created: frame.created,
    model: request.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: said.finishReason }],
    usage: usageOf(turn, request, said),
    system_fingerprint: frame.fingerprint,
  });
  if (plan.end === 'error_event') return await finishBroken(turn, plan, inStreamError());
  if (plan.end !== 'done' && plan.end !== 'no_done') {
    return await finishBroken(turn, plan, body.slice(0, Math.ceil(body.length / 2)));
  }
  await exchange.write(body);
  exchange.end();
}

function inStreamError(): string {
  const message = 'Internal Server Error';
  return JSON.stringify({
    error: { message, type: 'server_error', param: null, code: 'server_error' },
  });
}

async function finishBroken(turn: Turn, plan: Plan, text: string): Promise<void> {
  await turn.exchange.write(text);
  if (plan.end === 'silent') await turn.exchange.silence();
  if (plan.end === 'reset') {
    // Let the bytes leave before the RST throws away what is still queued.
    await turn.exchange.wait(20);
    turn.exchange.reset();
  } else {
    turn.exchange.end();
  }
}

const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8' };

export async function answerStream(turn: Turn, request: ChatRequest): Promise<void> {
  const { exchange } = turn;
  const plan = planOf(turn);
  const said = compose(turn, request, plan);
  const frame = frameOf(turn);
  const event = async (delta: unknown, finishReason: string | null = null): Promise<void> => {
    const isLast = finishReason !== null;
    const chunk = {
      id: frame.id,
      object: 'chat.completion.chunk',
      created: frame.created,
      model: request.model,
      system_fingerprint: frame.fingerprint,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(isLast ? { usage: usageOf(turn, request, said) } : {}),
      ...(!isLast && request.includeUsage ? { usage: null } : {}),
    };
    const comment = plan.keepAlive === 'between' ? ': keep-alive\n\n' : '';
    await exchange.write(`data: ${JSON.stringify(chunk)}\n\n${comment}`);
  };

  exchange.head(200, EVENT_STREAM);
  if (!(await keepAlive(turn, plan, ': keep-alive\n\n'))) return;
  await exchange.wait(stray(turn, turn.key.behaviour.ttftMs ?? DEFAULT_TTFT_MS));
  const isThinking = request.thinking !== 'off';
  await event(
    isThinking
      ? { role: 'assistant', content: null, reasoning_content: '' }
      : { role: 'assistant', content: '' },
  );
  await emit(turn, plan, said.reasoning, (piece) =>
    event({ content: null, reasoning_content: piece }),
  );
  await emit(turn, plan, arriving(turn, plan, said.content), (piece) =>
    event(isThinking ? { content: piece, reasoning_content: null } : { content: piece }),
  );
  if (plan.end === 'error_event')
    return await finishBroken(turn, plan, `data: ${inStreamError()}\n\n`);
  if (plan.end === 'broken_json') return await finishBroken(turn, plan, 'data: {"id":"\n\n');
  if (plan.end !== 'done' && plan.end !== 'no_done') return await finishBroken(turn, plan, '');
  await event({ content: '', role: null }, said.finishReason);
  if (plan.end === 'done') await exchange.write('data: [DONE]\n\n');
  exchange.end();
}
