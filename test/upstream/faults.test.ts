/**
 * Strikes one of two keys with every fault, once, and writes down what came of it. The table is
 * docs/faults.md; UPDATE_DOCS=1 accepts a change.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { undisturbed } from '../../lab/stalls.ts';
import { UpstreamError } from '../../src/base/errors.ts';
import type { KeySnapshot } from '../../src/pool/snapshot.ts';
import type { Fetch } from '../../src/upstream/wire/http.ts';
import { refusedByProxy } from '../../src/upstream/wire/proxy-error.ts';
import { FAULTS, type FaultCase, type FaultGroup } from './fault-cases.ts';
import type { RecordingPool } from './recording-pool.ts';
import {
  DEEPSEEK_KEYS,
  directFetch,
  GENERATE,
  PERPLEXITY_KEYS,
  SEARCH,
  useStage,
} from './stage.ts';

const stage = useStage();
const DOCUMENT = new URL('../../docs/faults.md', import.meta.url);
/** Of the test; the document shows the product's default. */
const IDLE_MS = 600;
const CALL_MS = 4_000;
const SILENT = new Set(['never_answers', 'keep_alive_for_ever', 'silent']);
const DEFAULT_IDLE = '45 s';

interface Row {
  readonly condition: string;
  readonly kind: string;
  readonly sees: string;
  readonly requests: number;
  readonly key: string;
}

const rows = new Map<FaultGroup, Row[]>(FAULTS.map((group) => [group, []]));

const PROXY = { address: 'proxy.example:3128', setting: 'HTTPS_PROXY' };

/** What the network throws; null: the simulator strikes. */
function thrownBy(strike: FaultCase['strike'], host: string): Error | null {
  if ('socket' in strike) return Object.assign(new Error('x'), { code: strike.socket });
  if (!('proxyStatus' in strike)) return null;
  return refusedByProxy(PROXY, `${host}:443`, strike.proxyStatus);
}

/** Answers of the first key are replaced by an error, once. */
function strickenFetch(secret: string, error: Error): Fetch {
  let left = 1;
  return async (url, init) => {
    if (left > 0 && init.headers.authorization === `Bearer ${secret}`) {
      left -= 1;
      throw error;
    }
    return await directFetch(url, init);
  };
}

function firstKey(pool: RecordingPool, name: string): KeySnapshot | undefined {
  return pool
    .snapshot()
    .providers.flatMap(({ keys }) => keys)
    .find((key) => key.name === name);
}

/** How the fault left the key, in the pool's own words. */
function stateOf(key: KeySnapshot | undefined): string {
  if (key === undefined) return 'gone';
  if (key.state !== 'ready') return `${key.state}: ${key.reason ?? ''}`;
  if (key.breaker !== 'closed') return `breaker ${key.breaker}`;
  return key.lastError === null ? 'unchanged' : `ready; noted: ${key.lastError.text}`;
}

async function run(group: FaultGroup, { strike, condition }: FaultCase): Promise<Row> {
  const isDeepSeek = group.call === 'generate';
  const [key] = isDeepSeek ? DEEPSEEK_KEYS : PERPLEXITY_KEYS;
  if ('fault' in strike) stage.sim.setBehaviour(key.secret, { faults: [strike] });
  const thrown = thrownBy(strike, isDeepSeek ? 'api.deepseek.com' : 'api.perplexity.ai');
  const times = {
    // What may be billed is sent again after a third of it at most.
    callTimeoutMs: CALL_MS,
    ...('fault' in strike && SILENT.has(strike.fault) ? { idleTimeoutMs: IDLE_MS } : {}),
    ...(thrown === null ? {} : { fetch: strickenFetch(key.secret, thrown) }),
  };
  const context = stage.context();
  const { client, lender } = isDeepSeek ? stage.deepseek(times) : stage.perplexity(times);
  // Before the next attempt, for a cool-down may be over in no time.
  let state: string | null = null;
  lender.onAttempt = (attempt) => {
    if (attempt === 2) state = stateOf(firstKey(lender, key.name));
  };
  const call =
    'generate' in client
      ? client.generate(GENERATE, context)
      : client.search({ ...SEARCH, answer: group.call === 'answer' ? 'fast' : null }, context);
  const ended = await call.then(
    (result) => ({ result, error: null }),
    (error: unknown) => ({ result: null, error }),
  );
  const failure = lender.leases[0]?.error ?? null;
  if (ended.error !== null) expect(ended.error).toBe(failure);
  const said =
    failure instanceof UpstreamError
      ? `${failure.message}. ${failure.hint}.`.replaceAll(`${IDLE_MS / 1000} s`, DEFAULT_IDLE)
      : '';
  return {
    condition,
    kind: failure instanceof UpstreamError ? failure.failure.kind : '–',
    sees: said === '' ? 'the answer' : said,
    requests: lender.leases.length,
    key: state ?? stateOf(firstKey(lender, key.name)),
  };
}

function outcome(row: Row): string {
  if (row.requests > 1) return 'the answer, by the next key';
  return row.kind === '–' ? 'the answer' : 'the error, at once';
}

function table(group: FaultGroup): string {
  const lines = (rows.get(group) ?? []).map((row) => {
    const sees = row.kind === '–' ? '–' : row.sees;
    const cells = [row.condition, row.kind, outcome(row), sees, row.key];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return [
    `## ${group.title}`,
    '',
    '| What happens | Kind | With another key at hand the caller gets | The error, where it cannot be helped | The key afterwards |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

function documentText(): string {
  return `# What happens when something goes wrong

Generated by \`test/upstream/faults.test.ts\`: every fault strikes one of two healthy keys once, on a
simulated upstream, through the real clients and the real key pool. Do not edit; run the test with
\`UPDATE_DOCS=1\` to accept a change.

- An error that is the caller's own is returned at once and touches no key.
- Everything else is tried again, on another key first, until the call's time
  (\`KEYPOOL_CALL_TIMEOUT_MS\`) is spent; two attempts that may have been billed are the most.
  Going on at \`/beta\` belongs to its attempt: an upstream that does not know how may bill that, too.
- One call alone in an outage does the same as twelve: its pauses begin with a third of a second and
  grow with the time that the upstream has failed, up to 20 s, so that it is served within about two
  seconds of an outage of four, after six sends or so. The second attempt that may be billed (504, 524, a
  connection lost after the request was sent) waits until five seconds after the first, or a third of
  the call's time, unless somebody was answered meanwhile.
- Where nothing was served yet, an address that does not answer, and a page that something on the way answers with, are given up
  after 15 s: time seldom mends those.
- Too many requests per time (Perplexity's 429) pause that account for search or for answers alone;
  from then on its calls take turns at the rate that it was found to take (\`perSecond\` in the status).
- A DeepSeek answer that broke off in the middle goes on where it stopped, on the next key; where
  the upstream cannot do that it starts over, and no key is judged by the attempt.
- An ending of the model's own making, such as a call of tools that nobody offered, is tried once
  more with another key and is no key's fault.
- A cancelled call ends at once, upstream too, and leaves no trace on any key.

${[...rows.keys()].map(table).join('\n\n')}
`;
}

// The packages are loaded at the first call, which must not look like silence of the upstream.
beforeAll(async () => {
  await stage.deepseek().client.generate(GENERATE, stage.context());
});

for (const group of FAULTS) {
  describe(group.title, () => {
    it.each(group.cases)('$condition', async (each) => {
      // In a stall a fault looks like silence, or leaves no time for the next key.
      const row = await undisturbed(() => run(group, each), IDLE_MS / 2);
      rows.get(group)?.push(row);
      // Whatever happens: no error is vague, none is cut short, no key is shown.
      expect(row.sees).not.toMatch(/undefined|\[object|NaN|-test-/);
      expect(row.requests).toBeLessThanOrEqual(2);
      expect(stage.sim.violations).toEqual([]);
    });
  });
}

describe('docs/faults.md', () => {
  it('says what really happens', () => {
    if (process.env.UPDATE_DOCS === '1') writeFileSync(DOCUMENT, documentText());
    expect(readFileSync(DOCUMENT, 'utf8')).toBe(documentText());
  });
});
