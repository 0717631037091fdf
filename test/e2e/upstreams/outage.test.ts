/** A lone call of the built program in an outage: it uses the time it has, and hammers nobody. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome } from '../../../lab/program/test-home.ts';
import { type Outage, type OutageKind, startOutage } from '../../../lab/servers/outage-upstream.ts';
import { watchStalls } from '../../../lab/stalls.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 11 });
});
afterAll(() => simulator.close());

const PROVIDERS = ['deepseek', 'perplexity'] as const;
type Provider = (typeof PROVIDERS)[number];

interface Trouble {
  readonly providers: readonly Provider[];
  readonly kind: OutageKind;
  readonly keys: number;
  readonly forMs: number;
  readonly callTimeoutMs?: number;
}

interface Ended {
  readonly isError: boolean;
  readonly text: string;
  readonly ms: number;
  /** For how long the machine stood still meanwhile. */
  readonly stalledMs: number;
  readonly sends: Outage['sends'];
}

const TOOLS = {
  deepseek: ['deepseek_generate_code', { prompt: 'Write a queue' }],
  perplexity: ['perplexity_search', { query: 'history of tea' }],
} as const;

function addKeys(provider: Provider, keys: number): Record<string, string> {
  const env: Record<string, string> = {};
  for (let number = 1; number <= keys; number++) {
    const secret = canarySecret(provider === 'deepseek' ? 'sk-fake' : 'pplx-fake');
    simulator.addKey(secret, { provider });
    env[`${provider.toUpperCase()}_API_KEY${number === 1 ? '' : `_${number}`}`] = secret;
  }
  return env;
}

/** One call to each of the providers, which know nothing of each other. */
async function callAlone(trouble: Trouble): Promise<Ended[]> {
  const { providers, kind, keys, forMs, callTimeoutMs } = trouble;
  const outages = new Map<Provider, Outage>();
  const env: Record<string, string> =
    callTimeoutMs === undefined ? {} : { KEYPOOL_CALL_TIMEOUT_MS: String(callTimeoutMs) };
  for (const provider of providers) {
    const behind = provider === 'deepseek' ? simulator.deepseekUrl : simulator.perplexityUrl;
    const outage = await startOutage({ kind, forMs, behind });
    outages.set(provider, outage);
    env[`${provider.toUpperCase()}_BASE_URL`] = outage.url;
    Object.assign(env, addKeys(provider, keys));
  }
  const home = await createHome({ env });
  const client = new RawClient(home.env);
  try {
    await client.initialize();
    const call = async ([provider, { sends }]: [Provider, Outage]): Promise<Ended> => {
      const from = performance.now();
      const stalled = watchStalls();
      const [tool, args] = TOOLS[provider];
      const { result } = await client.callTool(tool, args);
      const ms = performance.now() - from;
      const text = result?.content?.[0]?.text ?? '';
      return { isError: result?.isError === true, text, ms, stalledMs: stalled(), sends };
    };
    return await Promise.all([...outages].map(call));
  } finally {
    await client.close();
    home.remove();
    for (const outage of outages.values()) await outage.close();
  }
}

const KINDS: readonly OutageKind[] = [500, 502, 503, 521, 529, 'reset', 'refused'];
/** What may have been worked on and paid for. */
const BILLED: readonly OutageKind[] = [504, 524, 'reset-after-request', 'cut'];
const cases = (kinds: readonly OutageKind[]) =>
  kinds.flatMap((kind) => [1, 3].map((keys) => ({ providers: PROVIDERS, kind, keys })));
/**
 * From the end of an outage to the send that is served: pauses grow to twenty seconds where one is
 * long, and here they have not.
 */
const SOON_MS = 10_000;

describe.concurrent('a lone call in an outage of four seconds', () => {
  const forMs = 4_000;

  it.each(cases(KINDS))(
    'to either provider, $kind, keys: $keys: is served soon after it',
    async (lone) => {
      for (const { isError, text, sends, stalledMs } of await callAlone({ ...lone, forMs })) {
        expect(isError, text).toBe(false);
        const servedAtMs = sends.find(({ served }) => served)?.atMs ?? Number.NaN;
        expect(servedAtMs - stalledMs).toBeLessThan(forMs + SOON_MS);
        expect(sends.length).toBeLessThanOrEqual(9);
      }
    },
  );
});

describe.concurrent('a lone call that may be billed, in an outage of two seconds', () => {
  it.each(cases(BILLED))(
    'to either provider, $kind, keys: $keys: is served by the second send',
    async (lone) => {
      for (const { isError, text, sends } of await callAlone({ ...lone, forMs: 2_000 })) {
        expect(isError, text).toBe(false);
        expect(sends.length).toBe(2);
      }
    },
  );
});

describe.concurrent('a lone call in an outage that goes on', () => {
  const lone = {
    providers: ['deepseek'],
    forMs: Number.POSITIVE_INFINITY,
    callTimeoutMs: 7_000,
  } as const;

  it.each<[OutageKind, RegExp]>([
    [500, /error of its own \(500\)/],
    [503, /overloaded \(503\)/],
    ['refused', /refused/],
    ['reset', /network broke|connection .* lost/],
  ])('ends in time with what is the matter: %s', async (kind, words) => {
    for (const ended of await callAlone({ ...lone, kind, keys: 2 })) {
      const { isError, text, ms, stalledMs, sends } = ended;
      expect(isError).toBe(true);
      expect(text).toMatch(words);
      expect(ms - stalledMs).toBeLessThan(lone.callTimeoutMs + 10_000);
      expect(sends.length).toBeLessThanOrEqual(10);
    }
  });

  it.each(BILLED)('pays for no third send: %s', async (kind) => {
    for (const { isError, sends } of await callAlone({ ...lone, kind, keys: 3 })) {
      expect(isError).toBe(true);
      expect(sends.length).toBe(2);
    }
  });
});
