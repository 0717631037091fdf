/** Asks an upstream about one key: DeepSeek's balance costs nothing, Perplexity has no free way. */

import type { Provider } from '../base/errors.ts';
import { isSendable } from '../base/keys/key-values.ts';
import { parseRecord } from '../base/text/json.ts';
import type { KeyVerdict } from '../pool/lease.ts';
import { diagnoseAnswer, type UnreachableCause } from './failures/failure.ts';
import { diagnoseNetwork } from './failures/network-failure.ts';
import { cancelled } from './watch.ts';
import { type AnswerHeaders, readStart } from './wire/body.ts';
import { fieldsOf, listOf, textOf } from './wire/foreign-json.ts';
import { type Fetch, pinTo } from './wire/http.ts';

export interface KeyCheck {
  readonly verdict: KeyVerdict;
  /** Our words, lower case, no period: "balance 4.20 USD". */
  readonly detail: string;
  /** What the account has, by currency; nothing where the provider does not tell. */
  readonly balances?: readonly AccountBalance[];
}

export interface AccountBalance {
  /** Three capital letters. */
  readonly currency: string;
  readonly amount: number;
}

export interface ProbeOptions {
  readonly deepseekBaseUrl: string;
  readonly perplexityBaseUrl: string;
  readonly fetch: Fetch;
}

/** Never throws for what an upstream does; lets an abort pass. */
export type CheckKey = (
  provider: Provider,
  secret: string,
  signal: AbortSignal,
) => Promise<KeyCheck>;

const TIMEOUT_MS = 15_000;
const MAX_CHARS = 1024 * 1024;
const AMOUNT = /^-?\d{1,12}(\.\d{1,8})?$/;
const CURRENCY = /^[A-Z]{3}$/;

function requestOf(provider: Provider, options: ProbeOptions) {
  if (provider === 'deepseek') {
    return { baseUrl: options.deepseekBaseUrl, path: '/user/balance', method: 'GET' as const };
  }
  // One result of one short query is the cheapest thing that needs a valid key: half a cent.
  const body = JSON.stringify({ query: 'test', max_results: 1, max_tokens_per_page: 64 });
  return { baseUrl: options.perplexityBaseUrl, path: '/search', method: 'POST' as const, body };
}

interface Told extends AccountBalance {
  /** The amount as it was told. */
  readonly text: string;
}

function amountsOf(infos: unknown): Told[] {
  return listOf(infos).flatMap((entry) => {
    const info = fieldsOf(entry);
    const [text, currency] = [textOf(info.total_balance) ?? '', textOf(info.currency) ?? ''];
    const isAmount = AMOUNT.test(text) && CURRENCY.test(currency);
    return isAmount ? [{ text, currency, amount: Number(text) }] : [];
  });
}

function readBalance(body: string): KeyCheck {
  const balance = parseRecord(body);
  if (balance === null || typeof balance.is_available !== 'boolean') {
    return { verdict: 'unknown', detail: 'the answer was not a balance' };
  }
  const told = amountsOf(balance.balance_infos);
  const words = told.map(({ text, currency }) => `${text} ${currency}`).join(' and ');
  return {
    verdict: balance.is_available ? 'ok' : 'no_credit',
    detail: words === '' ? 'balance not told' : `balance ${words}`,
    balances: told.map(({ currency, amount }) => ({ currency, amount })),
  };
}

function readSearch(body: string): KeyCheck {
  return Array.isArray(parseRecord(body)?.results)
    ? { verdict: 'ok', detail: 'search works' }
    : { verdict: 'unknown', detail: 'the answer was not a search result' };
}

function readRefusal(status: number, headers: AnswerHeaders, body: string): KeyCheck {
  const { kind } = diagnoseAnswer(status, headers, body).failure;
  switch (kind) {
    case 'invalid_key':
      return { verdict: 'invalid_key', detail: `rejected (${status})` };
    case 'no_credit':
      return { verdict: 'no_credit', detail: `no balance left (${status})` };
    case 'forbidden':
      return { verdict: 'unknown', detail: `not allowed to do this (${status})` };
    case 'concurrency':
    case 'balance_limit':
      return { verdict: 'unknown', detail: `too many requests right now (${status})` };
    case 'redirect':
      return {
        verdict: 'unknown',
        detail: `answered with a redirect, which is refused (${status})`,
      };
    default:
      return { verdict: 'unknown', detail: `answered with an error (${status})` };
  }
}

const NOT_REACHABLE: Readonly<Record<UnreachableCause, string>> = {
  refused: 'the connection was refused',
  dns: 'its host name was not found',
  certificate: 'its certificate is not trusted here',
  timeout: 'no connection came about in time',
  network: 'the network broke the connection off',
};

function brokenWords(error: unknown): string {
  const { failure, unreachable } = diagnoseNetwork(error);
  if (failure.kind === 'local_shortage') return 'this machine has no more sockets to give';
  if (unreachable === null) return 'the connection was lost';
  if (typeof unreachable !== 'string') return unreachable.message;
  return `not reachable: ${NOT_REACHABLE[unreachable]}`;
}

export function createKeyProbe(options: ProbeOptions): CheckKey {
  return async (provider, secret, signal) => {
    if (!isSendable(secret)) {
      return { verdict: 'invalid_key', detail: 'holds spaces or characters that no key has' };
    }
    const { baseUrl, path, ...init } = requestOf(provider, options);
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
    try {
      const response = await pinTo(baseUrl, options.fetch)(`${baseUrl}${path}`, {
        ...init,
        headers,
        signal: AbortSignal.any([signal, timeout]),
      });
      const body = await readStart(response, MAX_CHARS);
      if (signal.aborted) throw cancelled();
      if (timeout.aborted) return { verdict: 'unknown', detail: 'no answer within 15 s' };
      if (!response.ok) return readRefusal(response.status, response.headers, body);
      return provider === 'deepseek' ? readBalance(body) : readSearch(body);
    } catch (error) {
      if (signal.aborted) throw cancelled();
      if (timeout.aborted) return { verdict: 'unknown', detail: 'no answer within 15 s' };
      return { verdict: 'unknown', detail: brokenWords(error) };
    }
  };
}
