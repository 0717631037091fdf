/**
 * What the caller is told: one sentence of ours and the next step, per kind of failure. Nothing of
 * the upstream's text gets in; names of models do, after they were checked to be names.
 */

import {
  type FailureKind,
  PROVIDER_NAMES,
  type Provider,
  UpstreamError,
} from '../../base/errors.ts';
import type { Diagnosis, UnreachableCause } from './failure.ts';

/** What is known about the call that failed. */
export interface About {
  readonly provider: Provider;
  readonly keyName: string;
  /** Model or endpoint that was asked for. */
  readonly model: string;
  readonly defaultModel?: string;
  readonly maxTokens?: number;
  readonly callTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Generated so far; null when nothing was. */
  readonly partial?: string | null;
}

interface Sentence {
  readonly message: string;
  readonly hint: string;
}

type Explain = (who: string, about: About, found: Diagnosis) => Sentence;

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

/** ` (503)`; nothing when no answer came, or when the failure was inside a success. */
function statusOf({ failure }: Diagnosis): string {
  return failure.status === null || failure.status < 300 ? '' : ` (${failure.status})`;
}

function prefixOf(provider: Provider): string {
  return provider.toUpperCase();
}

/** The most that DeepSeek generates in one answer. */
const MAX_TOKENS = 393_216;
const TRY_LATER = 'Try again in a minute; if it stays like this, look at the status page of';

const UNREACHABLE: Readonly<Record<UnreachableCause, (who: string, prefix: string) => Sentence>> = {
  refused: (who, prefix) => ({
    message: `${who} could not be reached: the connection was refused`,
    hint: `Check the network and, if it is set, ${prefix}_BASE_URL`,
  }),
  dns: (who, prefix) => ({
    message: `${who} could not be reached: its host name was not found`,
    hint: `Check the network connection and, if it is set, ${prefix}_BASE_URL; behind a proxy, set HTTPS_PROXY`,
  }),
  certificate: (who) => ({
    message: `${who} could not be reached: its certificate is not trusted here`,
    hint: 'If a company proxy inspects traffic, point NODE_EXTRA_CA_CERTS at its CA certificate',
  }),
  timeout: (who) => ({
    message: `${who} could not be reached: no connection came about in time`,
    hint: 'Check the network connection; behind a proxy, set HTTPS_PROXY',
  }),
  network: (who) => ({
    message: `${who} could not be reached: the network broke the connection off`,
    hint: 'Check the network connection; behind a proxy, set HTTPS_PROXY',
  }),
};

function badRequest(who: string, { provider }: About, found: Diagnosis): Sentence {
  const status = statusOf(found);
  if (found.isWrongAddress) {
    return {
      message: `${who} does not serve the address that was called${status}`,
      hint: `Check ${prefixOf(provider)}_BASE_URL`,
    };
  }
  const fields = found.fields.join(' and ');
  return {
    message: `${who} did not accept the request${status}${fields === '' ? '' : `: ${fields} is not as it wants it`}`,
    hint: `Change ${fields === '' ? 'the arguments' : fields}; the log on stderr holds the reason that was given`,
  };
}

function unknownModel(who: string, about: About, found: Diagnosis): Sentence {
  if (about.provider === 'perplexity') {
    return {
      message: `${who} does not offer this kind of answer${statusOf(found)}`,
      hint: 'Leave answer out, or choose another effort',
    };
  }
  const known = found.models.length > 0 ? `; it offers ${found.models.join(' and ')}` : '';
  const fallback = about.defaultModel ?? 'the default';
  const isDefault = about.model === fallback;
  return {
    message: `${who} does not know the model that was asked for${known}`,
    hint: isDefault
      ? `Set DEEPSEEK_MODEL to ${found.models[0] ?? 'a model that DeepSeek offers'}`
      : `Leave model out to use ${fallback}, or name one that ${who} offers`,
  };
}

function deadline(who: string, about: About): Sentence {
  const limit = seconds(about.callTimeoutMs);
  const amount = about.partial?.length ?? 0;
  const soFar =
    amount > 0 ? `; ${amount.toLocaleString('en-US')} characters had arrived by then` : '';
  return {
    message: `${who} did not finish within the ${limit} that a call may take${soFar}`,
    hint: 'Ask for less at once, lower the effort or max_tokens, or raise KEYPOOL_CALL_TIMEOUT_MS',
  };
}

/** A success without content; nearly always reasoning that left no room for the answer. */
function empty(who: string, { provider, maxTokens }: About): Sentence {
  if (provider === 'perplexity' || maxTokens === undefined) {
    return {
      message: `${who} ended before it had written anything`,
      hint: 'Ask for less at once, or choose another effort',
    };
  }
  return {
    message: `${who} used up max_tokens (${maxTokens}) before any content came, most likely with reasoning`,
    hint: `Raise max_tokens to ${Math.min(MAX_TOKENS, maxTokens * 4)}, or lower the thinking effort`,
  };
}

function tooLong(who: string, { provider }: About, found: Diagnosis): Sentence {
  const status = statusOf(found);
  if (provider === 'perplexity') {
    return {
      message: `The request is too long for ${who}${status}`,
      hint: 'Shorten the query, or ask for fewer results',
    };
  }
  return {
    message: `The request is too long for ${who}: prompt and max_tokens exceed the model's limits${status}`,
    hint: 'Shorten prompt and context, or lower max_tokens',
  };
}

/** A success that answers nothing, which the model itself brought about. */
function noAnswer(who: string, { provider }: About, found: Diagnosis): Sentence {
  const hint =
    provider === 'perplexity'
      ? 'Try again, or put the question in other words'
      : 'Try again with the task in other words or in smaller parts, or with another thinking effort';
  return { message: `${who} ${found.deed ?? 'ended without having written anything'}`, hint };
}

function noCredit(who: string, { keyName }: About): Sentence {
  return {
    message: `${who} has no balance left on ${keyName}`,
    hint: 'Top up the account, or add a key of another account with: keypool-mcp keys add',
  };
}

/** What is wrong on the way, also for who asks without a call. */
export function unreachable(provider: Provider, found: Diagnosis): Sentence {
  const who = PROVIDER_NAMES[provider];
  const cause = found.unreachable ?? 'network';
  if (typeof cause === 'string') return UNREACHABLE[cause](who, prefixOf(provider));
  return { message: `${who} could not be reached: ${cause.message}`, hint: cause.hint };
}

const EXPLANATIONS: Readonly<Record<FailureKind, Explain>> = {
  invalid_key: (who, { keyName }, found) => ({
    message: `${who} rejected ${keyName}${statusOf(found)}`,
    hint: `Check that the key is still active, then replace it: keypool-mcp keys add ${keyName}`,
  }),
  no_credit: noCredit,
  forbidden: (who, { keyName }, found) => ({
    message: `${who} does not let ${keyName} do this${statusOf(found)}`,
    hint: 'Use another model, or a key of an account that may use this one',
  }),
  blocked: (who, { provider }, found) => ({
    message: `Something between here and ${who} refused the request with a page of its own${statusOf(found)}`,
    hint: `Check the network, VPN, firewall or proxy on the way and, if it is set, ${prefixOf(provider)}_BASE_URL; the key is not at fault`,
  }),
  concurrency: (who, { keyName }) => ({
    message: `${who} takes no more requests for the account of ${keyName} right now (429)`,
    hint: 'Try again in a moment, with fewer calls at once; keys of other accounts add room',
  }),
  balance_limit: (who, { keyName }, { failure }) => ({
    message: `${who} lowered the number of concurrent calls for ${keyName}${
      failure.namedLimit === null ? '' : ` to ${failure.namedLimit}`
    }, because its balance runs low (429)`,
    hint: 'Top up the account to get the full number of concurrent calls back',
  }),
  bad_request: badRequest,
  unknown_model: unknownModel,
  too_long: tooLong,
  moderation: (who) => ({
    message: `${who} declined to answer: its content filter objects`,
    hint: 'Rephrase the request, and leave out what the filter may object to',
  }),
  empty,
  no_answer: noAnswer,
  server_error: (who, _about, found) => ({
    message: `${who} failed with an error of its own${statusOf(found)}`,
    hint: `${TRY_LATER} ${who}`,
  }),
  overloaded: (who, _about, found) => ({
    message: `${who} is overloaded${statusOf(found)}`,
    hint: `${TRY_LATER} ${who}`,
  }),
  unreachable: (_who, { provider }, found) => unreachable(provider, found),
  proxy: (_who, { provider }, found) => unreachable(provider, found),
  local_shortage: (who) => ({
    message: `${who} was not asked: this machine has no more sockets or open files to give`,
    hint: 'Close what uses them, or raise the limit of open files (ulimit -n), and try again',
  }),
  connection_lost: (who) => ({
    message: `The connection to ${who} was lost before the answer was complete`,
    hint: 'Try again; if it happens often, check the network or the proxy between',
  }),
  malformed: (who, { provider }, found) => ({
    message: `${who} sent no usable answer${statusOf(found)}`,
    hint: `Try again; if it stays like this, check ${prefixOf(provider)}_BASE_URL and what lies between, such as a proxy's login page`,
  }),
  cut: (who, _about, found) => ({
    message: `${who} ${found.deed ?? 'ended the answer in the middle'}`,
    hint: 'Try again; ask for less at once if it happens again',
  }),
  idle: (who, { idleTimeoutMs }) => ({
    message: `${who} sent nothing for ${seconds(idleTimeoutMs)}`,
    hint: 'Try again, or raise KEYPOOL_IDLE_TIMEOUT_MS if long silences are normal for this request',
  }),
  redirect: (who, { provider }, found) => ({
    message: `${who} answered with a redirect${statusOf(found)}, which is refused: a key is never sent to another host`,
    hint: `Set ${prefixOf(provider)}_BASE_URL to the final address, if you trust it`,
  }),
  deadline,
};

/** The error of one failed attempt, in our words. */
export function upstreamError(found: Diagnosis, about: About): UpstreamError {
  const { kind } = found.failure;
  const who = PROVIDER_NAMES[about.provider];
  const { message, hint } = EXPLANATIONS[kind](who, about, found);
  return new UpstreamError(about.provider, found.failure, message, {
    hint,
    partial: about.partial ?? null,
  });
}

/** A key that would end or split the header it goes into; it is never sent. */
export function unsendableKey(found: Diagnosis, about: About): UpstreamError {
  const message = `${about.keyName} holds characters that no key of ${PROVIDER_NAMES[about.provider]} has`;
  const hint = `Store it again, without spaces or line breaks: keypool-mcp keys add ${about.keyName}`;
  return new UpstreamError(about.provider, found.failure, message, { hint });
}
