/**
 * What a call through the server costs over the same request made directly.
 *
 *   npm run bench:overhead [-- --calls N] [--rounds N]
 *
 * The upstreams are simulated in a process of their own and answer after a fixed time. Direct and
 * served rounds alternate in one run, so that a busy machine slows both; the direct request is the
 * very body that the server sent.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { processorMs, readyMs } from '../lab/program/processor.ts';
import { startSimulator } from '../src/simulator/simulator.ts';
import { LineClient } from './line-client.ts';

const SELF = fileURLToPath(import.meta.url);
const KEYS = { deepseek: 'sk-test-bench-overhead-0001', perplexity: 'pplx-test-bench-overhead-01' };
const AT_ONCE = [1, 8, 64];
/** The upstream's time for an answer. */
const TTFT_MS = 40;
/** Nothing is counted before so many calls: the figures are those of a server at work. */
const WARM_UP = { atOnce: 64, calls: 2_000 };
/** One at a time every call costs the upstream's whole time; fewer make no median. */
const LEAST_CALLS = 48;

const { values } = parseArgs({
  options: {
    simulate: { type: 'boolean', default: false },
    calls: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '7' },
  },
});

interface Upstream {
  readonly deepseekUrl: string;
  readonly perplexityUrl: string;
}

interface SentRequest {
  readonly path: string;
  readonly body: unknown;
}

/** The child: both upstreams; tells on demand what was asked last. */
async function simulate(): Promise<void> {
  const simulator = await startSimulator();
  const quick = { ttftMs: TTFT_MS, jitter: 0, tokensPerSecond: 1_000_000, answerTokens: 60 };
  simulator.addKey(KEYS.deepseek, { provider: 'deepseek', ...quick });
  simulator.addKey(KEYS.perplexity, { provider: 'perplexity', account: 'search', ...quick });
  simulator.setAccount('search', { ratePerSecond: 1_000_000 });
  process.on('message', (provider) => {
    const call = simulator.calls.findLast((each) => each.provider === provider);
    const request = { path: call?.path, body: call?.body };
    simulator.reset();
    process.send?.(request);
  });
  process.on('disconnect', () => process.exit(0));
  const { deepseekUrl, perplexityUrl } = simulator;
  process.send?.({ deepseekUrl, perplexityUrl } satisfies Upstream);
}

async function direct(url: string, secret: string, { path, body }: SentRequest): Promise<void> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text.slice(0, 500));
}

interface Round {
  readonly times: number[];
  readonly perSecond: number;
}

async function round(call: () => Promise<void>, atOnce: number, calls: number): Promise<Round> {
  const times: number[] = [];
  let left = calls;
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const begunAt = performance.now();
      await call();
      times.push(performance.now() - begunAt);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { times, perSecond: (calls / (performance.now() - startedAt)) * 1000 };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

interface Case {
  readonly tool: string;
  readonly served: () => Promise<void>;
  readonly direct: () => Promise<void>;
}

async function compare(
  server: LineClient,
  { tool, served, direct: straight }: Case,
): Promise<void> {
  for (const call of [served, straight]) await round(call, WARM_UP.atOnce, WARM_UP.calls);
  for (const atOnce of AT_ONCE) {
    const share = Math.round((Number(values.calls) * Math.min(atOnce, 16)) / 16);
    const calls = Math.max(LEAST_CALLS, share);
    await round(served, atOnce, atOnce);
    await round(straight, atOnce, atOnce);
    const rounds: Record<'served' | 'straight', Round[]> = { served: [], straight: [] };
    const processorBefore = processorMs(server.pid);
    const readyBefore = readyMs(server.pid);
    for (let count = 0; count < Number(values.rounds); count++) {
      rounds.straight.push(await round(straight, atOnce, calls));
      rounds.served.push(await round(served, atOnce, calls));
    }
    const processor = (processorMs(server.pid) - processorBefore) / calls / Number(values.rounds);
    const servedMs = rounds.served.reduce(
      (sum, { perSecond }) => sum + (calls / perSecond) * 1000,
      0,
    );
    const busy = (readyMs(server.pid) - readyBefore) / servedMs;
    const p50 = (all: readonly Round[]): number => median(all.flatMap(({ times }) => times));
    const rate = (all: readonly Round[]): number => median(all.map(({ perSecond }) => perSecond));
    const [fast, slow] = [p50(rounds.straight), p50(rounds.served)];
    const [most, ours] = [rate(rounds.straight), rate(rounds.served)];
    const cells = [
      tool.padEnd(22),
      String(atOnce).padStart(9),
      fast.toFixed(2).padStart(10),
      slow.toFixed(2).padStart(10),
      `${slow >= fast ? '+' : ''}${(slow - fast).toFixed(2)}`.padStart(9),
      most.toFixed(0).padStart(10),
      ours.toFixed(0).padStart(10),
      `${((ours / most) * 100).toFixed(0)} %`.padStart(6),
      processor.toFixed(2).padStart(10),
      `${(busy * 100).toFixed(0)} %`.padStart(6),
    ];
    process.stdout.write(`${cells.join('  ')}\n`);
  }
}

async function main(): Promise<void> {
  const simulator = fork(SELF, ['--simulate'], { execArgv: process.execArgv });
  const [upstream]: Upstream[] = await once(simulator, 'message');
  if (upstream === undefined) throw new Error('no simulator');
  const lastRequest = async (provider: string): Promise<SentRequest> => {
    simulator.send(provider);
    const [request]: SentRequest[] = await once(simulator, 'message');
    if (request === undefined) throw new Error('no request was seen');
    return request;
  };
  const home = mkdtempSync(join(tmpdir(), 'keypool-bench-'));
  const server = new LineClient({
    HOME: home,
    KEYPOOL_HOME: home,
    KEYPOOL_LOG_LEVEL: 'error',
    DEEPSEEK_API_KEY: KEYS.deepseek,
    PERPLEXITY_API_KEY: KEYS.perplexity,
    DEEPSEEK_BASE_URL: upstream.deepseekUrl,
    PERPLEXITY_BASE_URL: upstream.perplexityUrl,
  });
  try {
    await server.initialize();
    process.stdout.write(
      `Node ${process.version}, upstream answers after ${TTFT_MS} ms; times are p50 in ms, rates in calls per second, CPU the server's own in ms, busy the part of the time in which its main thread waited for nothing but a processor\n`,
    );
    process.stdout.write(
      'tool                    at once      direct      served      added  direct/s   served/s    ratio    CPU/call    busy\n',
    );
    const code = () => server.call('deepseek_generate_code', { prompt: 'A stack in TypeScript' });
    await code();
    const chat = await lastRequest('deepseek');
    await compare(server, {
      tool: 'deepseek_generate_code',
      served: code,
      direct: () => direct(upstream.deepseekUrl, KEYS.deepseek, chat),
    });
    const search = () => server.call('perplexity_search', { query: 'node.js', max_results: 5 });
    await search();
    const found = await lastRequest('perplexity');
    await compare(server, {
      tool: 'perplexity_search',
      served: search,
      direct: () => direct(upstream.perplexityUrl, KEYS.perplexity, found),
    });
  } finally {
    await server.close();
    simulator.disconnect();
    rmSync(home, { recursive: true, force: true });
  }
}

await (values.simulate ? simulate() : main());
