/** Delivers a chat completion, streamed or whole, at the key's pace, and breaks it as planned. */

import { chatPrice } from '../bill/tariff.ts';
import { seededHex, seededUuid } from '../random.ts';
import { CHARACTERS_PER_TOKEN, countTokens, takeCharacters } from '../text.ts';
import { JSON_TYPE, stray, type Turn } from '../turn.ts';
import { compose, type Said, tokenUsageOf, type Usage } from './deepseek-content.ts';
import { isBroken, type Plan, planOf } from './deepseek-plan.ts';
import type { ChatRequest } from './deepseek-request.ts';

const DEFAULT_TTFT_MS = 5;
const DEFAULT_TOKENS_PER_SECOND = 20_000;
const DEFAULT_DELAY_MS = 50;
/**
 * Tokens leave together this often, rarer under load: a timer and a write for every token would
 * cost more than the product under test.
 */
const TICK_MS = 50;
const MAX_TICK_MS = 250;
/** Largest piece, in tokens, so that even an instant answer is several events. */
const MAX_PIECE_TOKENS = 64;
const SLOW_PIECES = 8;

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
  const isHuge = plan.content === 'huge';
  const tokensPerMs = isHuge ? Infinity : pace / 1000 / (stray(turn, 1) || 1);
  const tickMs = Math.min(MAX_TICK_MS, Math.max(TICK_MS, turn.account.inFlight() / 2));
  const perTick = Math.max(1, Math.round(tokensPerMs * tickMs));
  const pieceTokens = isHuge ? 4096 : Math.min(MAX_PIECE_TOKENS, perTick);
  let owedMs = 0;
  for (let rest = text, piece = ''; rest !== ''; rest = rest.slice(piece.length)) {
    piece = takeCharacters(rest, pieceTokens * CHARACTERS_PER_TOKEN);
    owedMs += countTokens(piece) / tokensPerMs + plan.pieceDelayMs;
    if (owedMs >= tickMs || plan.pieceDelayMs > 0) {
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
  if (!isBroken(plan)) return content;
  return takeCharacters(content, content.length * (turn.step?.after ?? 0.5));
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

interface Answer {
  readonly request: ChatRequest;
  readonly plan: Plan;
  readonly said: Said;
  readonly usage: Usage;
}

/** Answers, and bills what was generated, whatever became of it on the way. */
export async function answerChat(turn: Turn, request: ChatRequest): Promise<void> {
  const plan = planOf(turn);
  const said = compose(turn, request, plan);
  const answer = { request, plan, said, usage: tokenUsageOf(turn, request, said) };
  let isWhole = false;
  try {
    isWhole = await (request.stream ? answerStream(turn, answer) : answerWhole(turn, answer));
  } finally {
    bill(turn, answer, isWhole);
  }
}

function bill(turn: Turn, { request: { model }, usage }: Answer, isWhole: boolean): void {
  const output = isWhole ? usage.completion_tokens : turn.call.completionTokens;
  // Whoever only waited in the queue pays nothing.
  if (!isWhole && output === 0) return;
  const { prompt_cache_hit_tokens: hit, prompt_cache_miss_tokens: miss } = usage;
  const { purse } = turn.account;
  const { currency } = purse;
  const at = turn.wallNow();
  const amount = chatPrice(model, currency, { hit, miss, output }, at);
  purse.charge({ provider: 'deepseek', model, amount, currency, at });
}

/** @returns whether all of it was generated */
async function answerWhole(turn: Turn, answer: Answer): Promise<boolean> {
  const { exchange } = turn;
  const { request, plan, said, usage } = answer;
  const frame = frameOf(turn);
  // The status line leaves before inference starts, as the real one does under load.
  exchange.head(200, JSON_TYPE);
  if (!(await keepAlive(turn, plan, '\n'))) return false;
  await exchange.wait(stray(turn, turn.key.behaviour.ttftMs ?? DEFAULT_TTFT_MS));
  const paced = said.reasoning + arriving(turn, plan, said.content);
  await emit(turn, { ...plan, pieceDelayMs: 0 }, paced, async () => {});
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
    usage,
    system_fingerprint: frame.fingerprint,
  });
  if (plan.end === 'error_event') return await finishBroken(turn, plan, inStreamError());
  if (isBroken(plan)) {
    return await finishBroken(turn, plan, body.slice(0, Math.ceil(body.length / 2)));
  }
  const size = plan.pieceDelayMs > 0 ? Math.ceil(body.length / SLOW_PIECES) : body.length;
  for (let at = 0; at < body.length; at += size) {
    await exchange.write(body.slice(at, at + size));
    await exchange.wait(plan.pieceDelayMs);
  }
  exchange.end();
  return true;
}

function inStreamError(): string {
  const message = 'Internal Server Error';
  return JSON.stringify({
    error: { message, type: 'server_error', param: null, code: 'server_error' },
  });
}

async function finishBroken(turn: Turn, plan: Plan, text: string): Promise<false> {
  await turn.exchange.write(text);
  if (plan.end === 'silent') await turn.exchange.silence();
  if (plan.end === 'reset') {
    // Let the bytes leave before the RST throws away what is still queued.
    await turn.exchange.wait(20);
    turn.exchange.reset();
  } else {
    turn.exchange.end();
  }
  return false;
}

const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8' };

type SendChunk = (delta: unknown, finishReason?: string) => Promise<void>;

function chunkWriter(turn: Turn, { request, plan, usage: told }: Answer): SendChunk {
  const frame = frameOf(turn);
  const comment = plan.keepAlive === 'between' ? ': keep-alive\n\n' : '';
  const none = request.includeUsage ? { usage: null } : {};
  const write = async (choices: unknown[], usage: object): Promise<void> => {
    const chunk = {
      id: frame.id,
      object: 'chat.completion.chunk',
      created: frame.created,
      model: request.model,
      system_fingerprint: frame.fingerprint,
      choices,
      ...usage,
    };
    await turn.exchange.write(`data: ${JSON.stringify(chunk)}\n\n${comment}`);
  };
  return async (delta, finishReason) => {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finishReason ?? null };
    if (finishReason === undefined) return await write([choice], none);
    const usage = { usage: told };
    const isTrailing = plan.end === 'trailing_usage';
    await write([choice], isTrailing ? none : usage);
    if (isTrailing) await write([], usage);
  };
}

/** @returns whether all of it was generated */
async function answerStream(turn: Turn, answer: Answer): Promise<boolean> {
  const { exchange } = turn;
  const { request, plan, said } = answer;
  const event = chunkWriter(turn, answer);

  exchange.head(200, EVENT_STREAM);
  if (!(await keepAlive(turn, plan, ': keep-alive\n\n'))) return false;
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
  if (plan.end === 'error_event') {
    return await finishBroken(turn, plan, `data: ${inStreamError()}\n\n`);
  }
  if (plan.end === 'broken_json') return await finishBroken(turn, plan, 'data: {"id":"\n\n');
  if (isBroken(plan)) return await finishBroken(turn, plan, '');
  await event({ content: '', role: null }, said.finishReason);
  if (plan.end !== 'no_done') await exchange.write('data: [DONE]\n\n');
  exchange.end();
  return true;
}
