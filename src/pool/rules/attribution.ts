/**
 * Whose fault a failure is. Pure and total: a new kind does not compile without a
 * line here.
 */

import type { FailureKind } from '../../base/errors.ts';

/** The closed vocabulary of attempt outcomes: `ok`, `caller_*`, `key_*`, `account_*`,
 * `provider_*`, `cancelled`. */
export type Outcome =
  | 'ok'
  | 'caller_error'
  | 'caller_timeout'
  | 'key_rejected'
  | 'key_forbidden'
  | 'key_error'
  | 'account_no_credit'
  | 'account_limited'
  | 'account_rate_limited'
  | 'provider_error'
  | 'cancelled';

export type Fault =
  /** The caller's request: returned as it is, touches nothing. */
  | 'caller'
  /** The key is dead until the upstream says otherwise. */
  | 'key'
  /** The key may not use this model. */
  | 'key_model'
  /** The account's money. */
  | 'account'
  /** The account's concurrency or rate limit. */
  | 'limit'
  /** Key or provider: decided by what the other keys saw meanwhile. */
  | 'upstream'
  /** What the model made of it: worth another try, and nobody's good name. */
  | 'answer'
  /** The whole time was spent. */
  | 'deadline'
  /** The set-up: trying again cannot help. */
  | 'setup';

export const FAULT_OF: Readonly<Record<FailureKind, Fault>> = {
  invalid_key: 'key',
  no_credit: 'account',
  forbidden: 'key_model',
  blocked: 'upstream',
  concurrency: 'limit',
  balance_limit: 'limit',
  bad_request: 'caller',
  unknown_model: 'caller',
  too_long: 'caller',
  moderation: 'caller',
  empty: 'caller',
  no_answer: 'answer',
  server_error: 'upstream',
  overloaded: 'upstream',
  unreachable: 'upstream',
  connection_lost: 'upstream',
  malformed: 'upstream',
  cut: 'upstream',
  idle: 'upstream',
  // No other key would fare better, and none is to blame.
  proxy: 'setup',
  local_shortage: 'setup',
  redirect: 'setup',
  deadline: 'deadline',
};

/** Kinds that no request can provoke by itself: one call is enough to suspect the provider. */
const OUTAGE_KINDS: ReadonlySet<FailureKind> = new Set(['overloaded', 'unreachable']);

export function speaksOfOutage(kind: FailureKind): boolean {
  return OUTAGE_KINDS.has(kind);
}

/** The outcome counted for an attempt, where the kind alone decides. */
export const OUTCOME_OF: Readonly<Record<Exclude<Fault, 'limit' | 'upstream'>, Outcome>> = {
  caller: 'caller_error',
  key: 'key_rejected',
  key_model: 'key_forbidden',
  account: 'account_no_credit',
  answer: 'provider_error',
  deadline: 'caller_timeout',
  setup: 'provider_error',
};

/** Our words for the state that a failure leaves on a key. */
export function reasonFor(kind: FailureKind, provider: string): string {
  const words: Readonly<Record<FailureKind, string>> = {
    invalid_key: `rejected by ${provider} (401)`,
    no_credit: `no balance left at ${provider} (402)`,
    forbidden: `not allowed to use this model (403)`,
    blocked: `refused on the way to ${provider}`,
    concurrency: `rate limited by ${provider} (429)`,
    balance_limit: `limited by ${provider} because of its balance (429)`,
    bad_request: 'the request was refused',
    unknown_model: 'the model is unknown',
    too_long: 'the request was too long',
    moderation: 'the content was refused',
    empty: 'the answer was empty',
    no_answer: 'the answer held no content',
    server_error: `server errors from ${provider} (5xx)`,
    overloaded: `${provider} is overloaded (503)`,
    unreachable: `${provider} could not be reached`,
    connection_lost: 'the connection was lost',
    malformed: 'the answer could not be read',
    cut: 'the answer broke off',
    idle: 'no answer came',
    proxy: 'the proxy lets nothing through',
    local_shortage: 'this machine ran out of sockets',
    redirect: `${provider} answered with a redirect`,
    deadline: 'the time was spent',
  };
  return words[kind];
}
