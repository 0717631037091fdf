/** What calls go through in the real-clock run. */

import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, createPolicy, type PolicyName } from '../../lab/pool/policies.ts';
import type { Work } from '../../lab/pool/simulation/virtual-upstream.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createDeepSeekClient } from '../../src/upstream/deepseek/deepseek.ts';
import { createKeyProbe } from '../../src/upstream/verify.ts';
import { createFetch } from '../../src/upstream/wire/http.ts';
import { type Gateway, gatewayHeaders } from '../portkey.ts';
import { promptFor, type RealUpstream } from './real-upstream.ts';

export interface Way {
  /** Rejects unless it was answered in full. */
  call(work: Work, session: string, signal: AbortSignal): Promise<void>;
  close(): void;
}

const REAL_CLOCK: Clock = {
  get now() {
    return performance.now();
  },
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
};

const MODEL = 'deepseek-flash';
const CALL_TIMEOUT_MS = 60_000;
const IDLE_TIMEOUT_MS = 45_000;
/** What the program assumes of an upstream on this machine. */
const ANSWER_MS = 10;
const MAX_TOKENS = 100_000;
/** More than DeepSeek allows: a 400 that is the caller's own. */
const BAD_MAX_TOKENS = 400_000;

function maxTokensOf(work: Work): number {
  return work.isBad ? BAD_MAX_TOKENS : MAX_TOKENS;
}

/** The product's DeepSeek client over a policy: wired as the program wires it over its pool. */
export async function throughClient(
  name: PolicyName,
  upstream: RealUpstream,
  maxConcurrent: number,
): Promise<Way> {
  const proxy = { httpsProxy: null, allProxy: null, httpProxy: null, noProxy: null };
  const fetch = createFetch({ proxy });
  await fetch.prepare?.();
  const urls = { deepseekBaseUrl: upstream.url, perplexityBaseUrl: upstream.url };
  const checkKey = createKeyProbe({ ...urls, fetch });
  const policy = createPolicy(name, {
    keys: upstream.keys,
    clock: REAL_CLOCK,
    random: Math.random,
    maxConcurrent,
    answerMs: ANSWER_MS,
    ...(name === 'told-limit' ? { capacities: upstream.capacities } : {}),
    probe: async (key, signal) => (await checkKey(key.provider, key.secret, signal)).verdict,
  });
  const client = createDeepSeekClient({
    lender: policy,
    baseUrl: upstream.url,
    defaultModel: MODEL,
    callTimeoutMs: CALL_TIMEOUT_MS,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    fetch,
    logger: silentLogger,
  });
  return {
    call: async (work, session, signal) => {
      const request = {
        system: '',
        user: promptFor(work),
        model: null,
        thinking: 'off',
        temperature: 0,
        maxTokens: maxTokensOf(work),
      } as const;
      const context = { signal, session, priority: 'interactive', onProgress: () => {} } as const;
      const { text } = await client.generate(request, context);
      if (text.length < 4 * work.tokens - 1) throw new Error('half an answer');
    },
    close: () => policy.close(),
  };
}

export function throughGateway(gateway: Gateway, upstream: RealUpstream): Way {
  const secrets = upstream.keys.map(({ secret }) => secret);
  const headers = gatewayHeaders(upstream.url, secrets);
  return {
    call: async (work, _session, cancel) => {
      const body = JSON.stringify({
        model: MODEL,
        messages: [{ role: 'user', content: promptFor(work) }],
        max_tokens: maxTokensOf(work),
        stream: false,
      });
      const url = `${gateway.url}/v1/chat/completions`;
      const signal = AbortSignal.any([cancel, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
      const response = await fetch(url, { method: 'POST', headers, body, signal });
      const text = await response.text();
      if (!response.ok || !text.includes('finish_reason')) throw new Error('not an answer');
    },
    close: () => {},
  };
}
