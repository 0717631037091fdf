/** A lone call of the built program in an outage: it uses the time it has, and hammers nobody. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canarySecret } from '../../../lab/canary.ts';
import { RawClient } from '../../../lab/program/test-client.ts';
import { createHome } from '../../../lab/program/test-home.ts';
import { type Outage, type OutageKind, startOutage } from '../../../lab/servers/outage-upstream.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ seed: 11 });
});
afterAll(() => simulator.close());

interface Lone {
  readonly provider: 'deepseek' | 'perplexity';
  readonly kind: OutageKind;
  readonly keys: number;
  readonly forMs: number;
  readonly callTimeoutMs?: number;
}

interface Ended {
  readonly isError: boolean;
  readonly text: string;
  readonly ms: number;
  readonly sends: Outage['sends'];
}

const TOOLS = {
  deepseek: ['deepseek_generate_code', { prompt: 'Write a queue' }],
  perplexity: ['perplexity_search', { query: 'history of tea' }],
} as const;

async function callAlone({ provider, kind, keys, forMs, callTimeoutMs }: Lone): Promise<Ended> {
  const isDeepSeek = provider === 'deepseek';
  const behind = isDeepSeek ? simulator.deepseekUrl : simulator.perplexityUrl;
  const outage = await startOutage({ kind, forMs, behind });
  const family = provider.toUpperCase();
  const env: Record<string, string> = {
    [`${family}_BASE_URL`]: outage.url,
    ...(callTimeoutMs === undefined ? {} : { KEYPOOL_CALL_TIMEOUT_MS: String(callTimeoutMs) }),
  };
  for (let number = 1; number <= keys; number++) {
    const secret = canarySecret(isDeepSeek ? 'sk-fake' : 'pplx-fake');
    simulator.addKey(secret, { provider });
    env[`${family}_API_KEY${number === 1 ? '' : `_${number}`}`] = secret;
  }
  const home = await createHome({ env });
  const client = new RawClient(home.env);
  try {
    await client.initialize();
    const from = performance.now();
    const [tool, args] = TOOLS[provider];
    const { result } = await client.callTool(tool, args);
    const ms = performance.now() - from;
    const text = result?.content?.[0]?.text ?? '';
    return { isError: result?.isError === true, text, ms, sends: outage.sends };
  } finally {
    await client.close();
    home.remove();
    await outage.close();
  }
}

const KINDS: readonly OutageKind[] = [500, 502, 503, 521, 529, 'reset', 'refused'];
/** What may have been worked on and paid for. */
const BILLED: readonly OutageKind[] = [504, 'reset-after-request', 'cut'];
const PROVIDERS = ['deepseek', 'perplexity'] as const;
const cases = (kinds: readonly OutageKind[]) =>
  PROVIDERS.flatMap((provider) =>
    kinds.flatMap((kind) => [1, 3].map((keys) => ({ provider, kind, keys }))),
  );

describe.concurrent('a lone call in an outage of four seconds', () => {
  it.each(cases(KINDS))('$provider, $kind, keys: $keys: is served soon after it', async (lone) => {
    const { isError, text, ms, sends } = await callAlone({ ...lone, forMs: 4_000 });
    expect(isError, text).toBe(false);
    expect(ms).toBeLessThan(9_000);
    expect(sends.length).toBeLessThanOrEqual(9);
  });

  it.each(cases(BILLED))(
    '$provider, $kind, keys: $keys: is served by the second send that may be billed',
    async (lone) => {
      const { isError, text, ms, sends } = await callAlone({ ...lone, forMs: 4_000 });
      expect(isError, text).toBe(false);
      expect(ms).toBeLessThan(9_000);
      expect(sends.length).toBe(2);
    },
  );
});

describe.concurrent('a lone call in an outage that goes on', () => {
  it.each<[OutageKind, RegExp]>([
    [500, /error of its own \(500\)/],
    [503, /overloaded \(503\)/],
    ['refused', /refused/],
    ['reset', /network broke|connection .* lost/],
  ])('ends in time with what is the matter: %s', async (kind, words) => {
    const forMs = Number.POSITIVE_INFINITY;
    const lone = { provider: 'deepseek', keys: 2, kind, forMs, callTimeoutMs: 7_000 } as const;
    const { isError, text, ms, sends } = await callAlone(lone);
    expect(isError).toBe(true);
    expect(text).toMatch(words);
    expect(ms).toBeLessThan(8_000);
    expect(sends.length).toBeLessThanOrEqual(10);
  });

  it.each(BILLED)('pays for no third send: %s', async (kind) => {
    const forMs = Number.POSITIVE_INFINITY;
    const lone = { provider: 'deepseek', keys: 3, kind, forMs, callTimeoutMs: 7_000 } as const;
    const { isError, sends } = await callAlone(lone);
    expect(isError).toBe(true);
    expect(sends.length).toBe(2);
  });
});
