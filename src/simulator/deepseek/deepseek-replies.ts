/** DeepSeek's error answers, word for word as far as they have been seen. */

import type { RefusalWording } from '../behaviour.ts';
import type { DeepSeekFault } from '../faults.ts';
import { seededUuid } from '../random.ts';
import {
  htmlReply,
  jsonReply,
  loginReply,
  type Reply,
  retryAfterHeader,
  type Turn,
} from '../turn.ts';

export const MODELS = ['deepseek-flash', 'deepseek-v4-pro'] as const;
export const MAX_OUTPUT_TOKENS = 393_216;
export const CONTEXT_WINDOW = 1_048_576;
const TEXT_TYPE = { 'content-type': 'text/plain; charset=utf-8' };

export function envelope(
  status: number,
  message: string,
  type = 'invalid_request_error',
  code = 'invalid_request_error',
): Reply {
  return jsonReply(status, { error: { message, type, param: null, code } });
}

export function badModel(model: string): Reply {
  const names = MODELS.join(' or ');
  return envelope(400, `The supported API model names are ${names}, but you passed ${model}.`);
}

export function badMaxTokens(): Reply {
  return envelope(
    400,
    `Invalid max_tokens value, the valid range of max_tokens is [1, ${MAX_OUTPUT_TOKENS}]`,
  );
}

export function tooLong(prompt: number, completion: number): Reply {
  return envelope(
    400,
    `This model's maximum context length is ${CONTEXT_WINDOW} tokens. However, you requested ${prompt + completion} tokens (${prompt} in the messages, ${completion} in the completion). Please reduce the length of the messages or completion.`,
  );
}

/** Without a usable header, and on every endpoint that is not chat. */
export function unauthorizedPlain(): Reply {
  return { status: 401, body: 'Authentication Fails (governor)', headers: {} };
}

export function unauthorized(lastFour: string, requestId: string): Reply {
  return envelope(
    401,
    `Authentication Fails, Your api key: ****${lastFour} is invalid (request_id: ${requestId})`,
    'authentication_error',
  );
}

export function noBalance(): Reply {
  return envelope(402, 'Insufficient Balance', 'unknown_error');
}

export function rateLimit(headers: Readonly<Record<string, string>> = {}): Reply {
  const message =
    'Rate limit reached: the number of concurrent requests of this account is at its limit. Please slow down and try again.';
  const error = { message, type: 'rate_limit_error', param: null, code: 'invalid_request_error' };
  return jsonReply(429, { error }, headers);
}

const TOP_UP =
  ' based on your remaining balance. Please top up your balance to restore your concurrency.';

/** A refusal for too many in flight, this one among `current`. */
export function overLimit(wording: RefusalWording, current: number, limit: number): Reply {
  if (wording === 'plain') return rateLimit();
  if (wording === 'bare') return { status: 429, body: 'Too Many Requests', headers: TEXT_TYPE };
  const shown = wording === 'equal' ? current - 1 : current;
  const numbers = `Your current concurrency is ${shown}, which exceeds your concurrency limit of ${limit}`;
  const clause = wording === 'numbers' ? '' : TOP_UP;
  return envelope(429, `Too many requests. ${numbers}${clause}`, 'rate_limit_error');
}

const DESERIALIZE = 'Failed to deserialize the JSON body into the target type: ';

export function deserializeError(detail: string): Reply {
  return envelope(400, `${DESERIALIZE}${detail}`);
}

const REPLIES: Partial<Readonly<Record<DeepSeekFault, (turn: Turn) => Reply>>> = {
  bad_model: (turn) => badModel(String(turn.body.model)),
  bad_max_tokens: badMaxTokens,
  too_long: () => tooLong(CONTEXT_WINDOW, 32_768),
  moderation: () => envelope(400, 'Content Exists Risk'),
  bad_stream_options: () => envelope(400, 'stream_options should be set along with stream = true'),
  echo_authorization: (turn) =>
    envelope(400, `Bad request: authorization: ${turn.exchange.header('authorization')}`),
  invalid_key: (turn) => unauthorized(turn.key.lastFour, seededUuid(turn.random)),
  invalid_key_plain: unauthorizedPlain,
  no_balance: noBalance,
  forbidden: () => envelope(403, 'You do not have access to this model', 'permission_error'),
  blocked: () => htmlReply(403, 'Just a moment...'),
  login_page: loginReply,
  too_large: () => htmlReply(413, 'Request Entity Too Large'),
  invalid_422: () => envelope(422, 'Invalid parameters: temperature is out of range'),
  invalid_422_text: () => ({
    status: 422,
    body: 'Failed to deserialize the JSON body into the target type: temperature: invalid value',
    headers: TEXT_TYPE,
  }),
  rate_limit: () => rateLimit(),
  rate_limit_200: () => ({ ...rateLimit(), status: 200 }),
  balance_limit: () => overLimit('balance', 8, 5),
  retry_after: (turn) => rateLimit(turn.step === null ? {} : retryAfterHeader(turn.step)),
  server_error: () => envelope(500, 'Internal Server Error', 'internal_error', 'internal_error'),
  overloaded: () =>
    envelope(
      503,
      'Service is too busy. We advise users to temporarily switch to alternative LLM API service providers.',
      'service_unavailable_error',
      'service_unavailable_error',
    ),
  no_channel: (turn) =>
    envelope(
      503,
      `No available channel for model ${String(turn.body.model)}`,
      'new_api_error',
      'model_not_found',
    ),
  bad_gateway_html: () => htmlReply(502, 'Bad Gateway'),
  html_200: () => htmlReply(200, 'Welcome to the guest network'),
  redirect: (turn) => ({
    status: 307,
    body: '',
    headers: { location: `${turn.trapUrl}${turn.exchange.path}` },
  }),
};

const BY_NAME = new Map(Object.entries(REPLIES));

/** The whole answer that a fault is, or null when it strikes a successful one. */
export function deepseekFault(turn: Turn): Reply | null {
  return BY_NAME.get(turn.step?.fault ?? 'ok')?.(turn) ?? null;
}
