/** A simulator, both clients on it over a real pool, and two keys each: the setting of these tests. */

import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { Provider } from '../../src/base/errors.ts';
import type { Logger } from '../../src/base/logger.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import type { CallContext } from '../../src/upstream/call.ts';
import type { DeepSeekClient, GenerateRequest } from '../../src/upstream/deepseek/chat.ts';
import { createDeepSeekClient } from '../../src/upstream/deepseek/deepseek.ts';
import { createPerplexityClient } from '../../src/upstream/perplexity/perplexity.ts';
import type { PerplexityClient, SearchRequest } from '../../src/upstream/perplexity/search.ts';
import { createFetch, type Fetch } from '../../src/upstream/wire/http.ts';
import { RecordingPool, type TestKey } from './recording-pool.ts';

export const DEEPSEEK_KEYS = [
  { name: 'DEEPSEEK_API_KEY', secret: 'sk-test-fake-first-000001' },
  { name: 'DEEPSEEK_API_KEY_2', secret: 'sk-test-fake-second-000002' },
] as const;
export const PERPLEXITY_KEYS = [
  { name: 'PERPLEXITY_API_KEY', secret: 'pplx-test-fake-first-000001' },
  { name: 'PERPLEXITY_API_KEY_2', secret: 'pplx-test-fake-second-000002' },
] as const;

export const directFetch: Fetch = createFetch({
  proxy: { httpsProxy: null, allProxy: null, httpProxy: null, noProxy: null },
});

export const GENERATE: GenerateRequest = {
  system: 'You write code.',
  user: 'Write a function that adds two numbers.',
  model: null,
  thinking: 'off',
  temperature: 0,
  maxTokens: 32_768,
};

export const SEARCH: SearchRequest = {
  queries: ['history of tea'],
  maxResults: 5,
  maxTokensPerPage: 512,
  country: null,
  domains: [],
  languages: [],
  recency: null,
  afterDate: null,
  beforeDate: null,
  mode: 'web',
  answer: null,
};

export interface Times {
  readonly callTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly fetch?: Fetch;
}

export interface Stage {
  readonly sim: Simulator;
  readonly log: string[];
  /** Progress messages of all calls. */
  readonly progress: string[];
  context(signal?: AbortSignal): CallContext;
  deepseek(times?: Times): { client: DeepSeekClient; lender: RecordingPool };
  perplexity(times?: Times): { client: PerplexityClient; lender: RecordingPool };
}

/** Starts one simulator for the file that calls it, fresh before every test. */
export function useStage(): Stage {
  let sim: Simulator | null = null;
  const log: string[] = [];
  const progress: string[] = [];
  const write = (message: string, fields: unknown): void => {
    log.push(`${message} ${JSON.stringify(fields)}`);
  };
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const pools: RecordingPool[] = [];
  const poolOf = (provider: Provider, keys: readonly TestKey[]): RecordingPool => {
    const pool = new RecordingPool(provider, keys);
    pools.push(pool);
    return pool;
  };
  const running = (): Simulator => {
    if (sim === null) throw new Error('the simulator runs inside tests only');
    return sim;
  };

  beforeAll(async () => {
    sim = await startSimulator();
    for (const { secret, name } of DEEPSEEK_KEYS) {
      sim.addKey(secret, { provider: 'deepseek', label: name });
    }
    for (const { secret, name } of PERPLEXITY_KEYS) {
      sim.addKey(secret, { provider: 'perplexity', label: name });
    }
  });
  beforeEach(() => {
    running().reset();
    log.length = 0;
    progress.length = 0;
  });
  afterEach(() => {
    for (const pool of pools.splice(0)) pool.close();
  });
  afterAll(async () => {
    await sim?.close();
  });

  const options = (times: Times) => ({
    callTimeoutMs: 10_000,
    idleTimeoutMs: 5_000,
    fetch: directFetch,
    ...times,
    logger,
  });
  return {
    get sim() {
      return running();
    },
    log,
    progress,
    context: (signal = new AbortController().signal) => ({
      signal,
      session: 'test',
      priority: 'interactive',
      onProgress: ({ message }) => void progress.push(message),
    }),
    deepseek: (times = {}) => {
      const lender = poolOf('deepseek', DEEPSEEK_KEYS);
      const client = createDeepSeekClient({
        ...options(times),
        lender,
        baseUrl: running().deepseekUrl,
        defaultModel: 'deepseek-flash',
      });
      return { client, lender };
    },
    perplexity: (times = {}) => {
      const lender = poolOf('perplexity', PERPLEXITY_KEYS);
      const baseUrl = running().perplexityUrl;
      return { client: createPerplexityClient({ ...options(times), lender, baseUrl }), lender };
    },
  };
}

/** What a promise that has to fail failed with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it did not fail');
}
