/** Perplexity's error answers. `code` is a number and equals the status. */

import type { PerplexityFault } from '../faults.ts';
import {
  htmlReply,
  jsonReply,
  loginReply,
  type Reply,
  retryAfterHeader,
  type Turn,
} from '../turn.ts';

export function perplexityError(
  status: number,
  type: string,
  message: string,
  extra: Readonly<Record<string, string>> = {},
): Reply {
  return jsonReply(status, { error: { message, type, code: status, ...extra } });
}

export function invalidRequest(message: string): Reply {
  return perplexityError(400, 'invalid_request', message);
}

/** Strict mode, word for word. */
export function unknownFieldReply(name: string): Reply {
  const message = `invalid request body: json: unknown field "${name}"`;
  return perplexityError(400, 'invalid_request', message, { param: name });
}

export function invalidKey(): Reply {
  const message = 'Invalid API key provided. Ensure your API key is correct and active.';
  return perplexityError(401, 'invalid_api_key', message);
}

/** Out of credit is a 401 here, not a 402. */
export function noCredit(): Reply {
  const message =
    'You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs.';
  return perplexityError(401, 'insufficient_quota', message);
}

export function rateLimited(headers: Readonly<Record<string, string>> = {}): Reply {
  const message = 'Request rate limit exceeded, please try again later.';
  const reply = perplexityError(429, 'request_rate_limit_exceeded', message);
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

const REPLIES: Partial<Readonly<Record<PerplexityFault, (turn: Turn) => Reply>>> = {
  bad_filter: () =>
    perplexityError(
      400,
      'invalid_search_domain_filter',
      'search_domain_filter: at most 20 domains are allowed',
    ),
  echo_authorization: (turn) =>
    invalidRequest(`bad request, authorization: ${turn.exchange.header('authorization')}`),
  invalid_key: invalidKey,
  no_credit: noCredit,
  html_401: () => htmlReply(401, 'Authorization Required'),
  forbidden: () => perplexityError(403, 'forbidden', 'Access to this resource is forbidden.'),
  blocked: () => htmlReply(403, 'Just a moment...'),
  login_page: loginReply,
  retired: () =>
    perplexityError(
      403,
      'chat_completions_not_available',
      'Chat Completions is no longer available. Use /v1/responses.',
    ),
  invalid_422: () =>
    jsonReply(422, {
      detail: [{ loc: ['body', 'query'], msg: 'field required', type: 'value_error.missing' }],
    }),
  rate_limit: () => rateLimited(),
  retry_after: (turn) => rateLimited(turn.step === null ? {} : retryAfterHeader(turn.step)),
  server_error: () => htmlReply(500, 'Internal Server Error'),
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
export function perplexityFault(turn: Turn): Reply | null {
  return BY_NAME.get(turn.step?.fault ?? 'ok')?.(turn) ?? null;
}
