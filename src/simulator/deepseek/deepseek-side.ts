/** The DeepSeek side: routes, and what each answers. */

import type { ProviderSide, Route } from '../provider-side.ts';
import { seededRandom, seededUuid } from '../random.ts';
import { jsonReply, type Reply, type Turn } from '../turn.ts';
import { answerChat } from './deepseek-chat.ts';
import {
  CONTEXT_WINDOW,
  deepseekFault,
  deserializeError,
  MAX_OUTPUT_TOKENS,
  MODELS,
  noBalance,
  overLimit,
  unauthorized,
  unauthorizedPlain,
} from './deepseek-replies.ts';
import { readChat, unlistedField } from './deepseek-request.ts';

const CHAT = '/chat/completions';
const BETA_CHAT = '/beta/chat/completions';

/** `/v1` still answers; current documentation does not mention it, so it is a violation, too. */
function routeOf(method: string, path: string): Route | null {
  const plain = path.replace(/^\/v1\//, '/');
  const isGet = method === 'GET';
  if (method === 'POST' && (plain === CHAT || path === BETA_CHAT)) {
    return { kind: 'inference', answer: (turn) => chat(turn, path === BETA_CHAT) };
  }
  if (isGet && plain === '/models') return { kind: 'lookup', answer: models };
  if (isGet && plain === '/user/balance') return { kind: 'lookup', answer: balance };
  return null;
}

async function chat(turn: Turn, isBeta: boolean): Promise<void> {
  const reply = deepseekFault(turn);
  if (reply !== null) {
    await turn.exchange.wait(turn.key.behaviour.ttftMs ?? 0);
    await turn.exchange.send(reply.status, reply.body, reply.headers);
    return;
  }
  const read = readChat(turn.body, isBeta);
  if ('refusal' in read) {
    turn.call.fault = 'refused';
    await turn.exchange.send(read.refusal.status, read.refusal.body, read.refusal.headers);
    return;
  }
  await answerChat(turn, read.request);
}

async function lookup(turn: Turn, ok: Reply): Promise<void> {
  const fault = turn.step?.fault;
  const isFine = fault === 'no_balance';
  const failed = fault === 'invalid_key' ? unauthorizedPlain() : deepseekFault(turn);
  const reply = isFine ? ok : (failed ?? ok);
  await turn.exchange.send(reply.status, reply.body, reply.headers);
}

async function models(turn: Turn): Promise<void> {
  const data = MODELS.map((id) => ({
    id,
    object: 'model',
    owned_by: 'deepseek',
    name: id === 'deepseek-flash' ? 'DeepSeek-V4.1-Flash' : 'DeepSeek-V4-Pro',
    context_window: CONTEXT_WINDOW,
    max_output_tokens: MAX_OUTPUT_TOKENS,
    input_modalities: id === 'deepseek-flash' ? ['text', 'image'] : ['text'],
    output_modalities: ['text'],
    effort: { supported_levels: ['low', 'high', 'max'], default_level: 'high' },
    api_capabilities: { chat_completions: true, responses: true, fim: true },
  }));
  await lookup(turn, jsonReply(200, { object: 'list', data }));
}

async function balance(turn: Turn): Promise<void> {
  // An empty account still answers this one: that it is empty is the answer.
  const { purse } = turn.account;
  const isEmpty = turn.step?.fault === 'no_balance' || purse.isEmpty;
  const { currency, total, granted, toppedUp } = purse.balance();
  const shown = (amount: number): string => (isEmpty ? 0 : amount).toFixed(2);
  const info = {
    currency,
    total_balance: shown(total),
    granted_balance: shown(granted),
    topped_up_balance: shown(toppedUp),
  };
  const body = { is_available: !isEmpty, balance_infos: [info] };
  await lookup(turn, jsonReply(200, body));
}

export const DEEPSEEK: ProviderSide = {
  provider: 'deepseek',
  maxBodyBytes: 48 * 1024 * 1024,
  routeOf,
  modelOf: (body) => String(body.model ?? 'unknown'),
  unitsOf: () => null,
  responseHeaders: (random) => ({ 'x-ds-trace-id': seededUuid(random).replaceAll('-', '') }),
  unknownKey: (route, lastFour) => {
    if (lastFour === null || route.kind === 'lookup') return unauthorizedPlain();
    return unauthorized(lastFour, seededUuid(seededRandom(lastFour.charCodeAt(0))));
  },
  refuse: (admission) => {
    if (admission.verdict === 'no_balance') return noBalance();
    if (!('wording' in admission)) return overLimit('plain', 1, 1);
    return overLimit(admission.wording, admission.inFlight, admission.limit);
  },
  notFound: () =>
    jsonReply(404, { error: { message: 'Not Found', type: 'invalid_request_error' } }),
  tooLarge: () => ({ status: 413, body: 'Payload Too Large', headers: {} }),
  badJson: () => deserializeError('expected a JSON object'),
  violationsOf: (path, body) => {
    const unlisted = unlistedField(body);
    return [
      ...(path.startsWith('/v1/') ? ['path with /v1'] : []),
      ...(unlisted === null ? [] : [`unlisted field ${unlisted}`]),
    ];
  },
};
