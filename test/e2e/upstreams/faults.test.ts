/**
 * docs/faults.md, held against the built program: every fault strikes one request of a server with
 * healthy keys left, and the official client must get what the document says, in time.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canarySecret, findLeaks, folderSinks } from '../../../lab/canary.ts';
import {
  callTool,
  connect,
  noise,
  type Session,
  textOf,
} from '../../../lab/program/test-client.ts';
import { createHome, type Home } from '../../../lab/program/test-home.ts';
import {
  type FaultStep,
  type Simulator,
  startSimulator,
} from '../../../src/simulator/simulator.ts';
import { FAULTS, type FaultGroup } from '../../upstream/fault-cases.ts';

const KEYS_EACH = 8;
const TIMES = { KEYPOOL_CALL_TIMEOUT_MS: '8000', KEYPOOL_IDLE_TIMEOUT_MS: '1000' } as const;

let simulator: Simulator;
let home: Home;
let session: Session;
const secrets: string[] = [];

beforeAll(async () => {
  simulator = await startSimulator({ seed: 11 });
  const env: Record<string, string> = { ...TIMES };
  for (const provider of ['deepseek', 'perplexity'] as const) {
    for (let number = 1; number <= KEYS_EACH; number++) {
      const secret = canarySecret(provider === 'deepseek' ? 'sk-fake' : 'pplx-fake');
      simulator.addKey(secret, { provider });
      secrets.push(secret);
      env[`${provider.toUpperCase()}_API_KEY${number === 1 ? '' : `_${number}`}`] = secret;
    }
  }
  home = await createHome({ simulator, env });
  session = await connect(home.env);
});
afterAll(async () => {
  await session.close();
  home.remove();
  await simulator.close();
});

interface Documented {
  readonly outcome: string;
  readonly error: string;
}

/** The document's rows by group and condition. */
function readDocument(): ReadonlyMap<string, Documented> {
  const text = readFileSync(new URL('../../../docs/faults.md', import.meta.url), 'utf8');
  const rows = new Map<string, Documented>();
  let title = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) title = line.slice(3);
    if (!line.startsWith('| ')) continue;
    const [condition, , outcome = '', error = ''] = line.slice(2).split(' | ');
    rows.set(`${title}: ${condition}`, { outcome, error });
  }
  return rows;
}

const PROVIDERS = ['deepseek', 'perplexity'] as const;
type Provider = (typeof PROVIDERS)[number];

function groupsOf(provider: Provider): FaultGroup[] {
  return FAULTS.filter(({ call }) => (call === 'generate') === (provider === 'deepseek'));
}

function call(group: FaultGroup) {
  if (group.call === 'generate') {
    return callTool(session.client, 'deepseek_generate_code', { prompt: 'Write a queue' });
  }
  const args = { query: 'history of tea', ...(group.call === 'answer' ? { answer: 'fast' } : {}) };
  return callTool(session.client, 'perplexity_search', args);
}

/**
 * Lets the fault strike the call. A key that an earlier case had rejected may be checked at the
 * same moment, and take the fault for itself: then once more.
 */
async function callStruck(provider: Provider, group: FaultGroup, step: FaultStep) {
  for (let round = 0; round < 5; round++) {
    const seen = simulator.calls.length;
    simulator.setProviderFaults(provider, [{ ...step, times: 1 }]);
    const result = await call(group);
    const struck = simulator.calls
      .slice(seen)
      .find((seen) => seen.provider === provider && seen.fault === step.fault);
    if (!JSON.stringify(struck?.body ?? '').includes('"query":"test"')) return result;
  }
  throw new Error('the fault never struck the call');
}

const documented = readDocument();

function casesOf(provider: Provider) {
  return groupsOf(provider).flatMap((group) =>
    group.cases.flatMap(({ condition, strike }) =>
      'fault' in strike ? [{ group, condition, step: strike, title: group.title }] : [],
    ),
  );
}

// One fault after the other strikes a provider; the two wait side by side.
describe.concurrent.each(PROVIDERS)('%s', (provider) => {
  describe.sequential('a call', () => {
    it.each(casesOf(provider))('$title: $condition', async ({ group, condition, step }) => {
      const row = documented.get(`${group.title}: ${condition}`);
      const result = await callStruck(provider, group, step);
      const text = textOf(result);
      if (row?.outcome === 'the error, at once') {
        expect(result.isError).toBe(true);
        expect(text).toContain(row.error.split('. ')[0]);
        expect(result.structuredContent).toBeUndefined();
      } else {
        expect(row?.outcome).toMatch(/^the answer/);
        expect(text).not.toMatch(/Internal error/);
        expect(result.isError, text).not.toBe(true);
        const attempts = row?.outcome === 'the answer' ? 1 : 2;
        expect(result.structuredContent?.attempts).toBeGreaterThanOrEqual(attempts);
      }
      expect(simulator.violations).toEqual([]);
    });
  });

  /** Twelve calls at once, of which the fault strikes one: the promise is the same for all. */
  describe.sequential('among twelve calls', () => {
    it.each(casesOf(provider))('$title: $condition', async ({ group, condition, step }) => {
      const row = documented.get(`${group.title}: ${condition}`);
      simulator.setProviderFaults(provider, [{ ...step, times: 1 }]);
      const results = await Promise.all(Array.from({ length: 12 }, () => call(group)));
      const errors = results.filter(({ isError }) => isError === true).map(textOf);
      // A key that is checked at the same moment may take the fault for itself.
      const most = row?.outcome === 'the error, at once' ? 1 : 0;
      expect(errors.length, errors.join()).toBeLessThanOrEqual(most);
      for (const error of errors) expect(error).toContain(row?.error.split('. ')[0]);
    });
  });
});

describe.concurrent('an upstream that cannot be reached', () => {
  async function closedPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  it.each([
    ['nobody listens', async () => `http://127.0.0.1:${await closedPort()}`, 'was refused'],
    ['its name is unknown', async () => 'https://upstream.invalid', 'host name was not found'],
  ])('%s: says so, with the next step', async (_name, baseUrl, words) => {
    const env = {
      ...TIMES,
      DEEPSEEK_API_KEY: canarySecret(),
      DEEPSEEK_BASE_URL: await baseUrl(),
    };
    const place = await createHome({ env });
    const other = await connect(place.env);
    try {
      const result = await callTool(other.client, 'deepseek_generate_code', { prompt: 'x' });
      expect(result.isError).toBe(true);
      expect(textOf(result)).toContain(words);
      expect(textOf(result)).toContain('DEEPSEEK_BASE_URL');
    } finally {
      await other.close();
      place.remove();
    }
  });
});

describe('after all of it', () => {
  it('stdout held JSON-RPC alone, and no sink any part of a key', () => {
    const { program } = session;
    expect(noise(program.lines)).toEqual([]);
    const { leaks, searched } = findLeaks(secrets, [
      { name: 'stdout', content: program.stdout },
      { name: 'stderr', content: program.stderr },
      ...folderSinks('tmp', home.tmp),
    ]);
    expect(searched).toContainEqual(expect.stringMatching(/^stderr \([1-9]/));
    expect(leaks).toEqual([]);
  });
});
