/**
 * Every fault of both upstreams, and then every place where a key could come out: nothing of a
 * key but its id may be found anywhere, in any form.
 */

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canarySecret, findLeaks, processSinks, type Sink } from '../../../lab/canary.ts';
import { commandSinks, type HttpSinks, httpSinks } from '../../../lab/program/sinks.ts';
import { noise, RawClient } from '../../../lab/program/test-client.ts';
import { createHome, type Home, type KeyEntry } from '../../../lab/program/test-home.ts';
import {
  DEEPSEEK_FAULTS,
  type DeepSeekFault,
  PERPLEXITY_FAULTS,
  type PerplexityFault,
  type Simulator,
  startSimulator,
} from '../../../src/simulator/simulator.ts';

/** Homes, each with an upstream and keys of its own, that share the rounds between them. */
const LANES = 4;
/** One round is one fault on every key of DeepSeek, and one on every key of Perplexity. */
const ROUNDS = Math.max(DEEPSEEK_FAULTS.length, PERPLEXITY_FAULTS.length);

interface Lane {
  readonly simulator: Simulator;
  readonly home: Home;
  readonly keys: readonly KeyEntry[];
}

async function openLane(): Promise<Lane> {
  const simulator = await startSimulator({ seed: 5 });
  const keys = [
    { name: 'DEEPSEEK_API_KEY', secret: canarySecret('sk-fake') },
    { name: 'DEEPSEEK_API_KEY_2', secret: canarySecret('sk-fake') },
    { name: 'PERPLEXITY_API_KEY', secret: canarySecret('pplx-fake') },
    { name: 'PERPLEXITY_API_KEY_2', secret: canarySecret('pplx-fake') },
    // Kept in the store, used by no tool: it has no business anywhere at all.
    { name: 'BYBIT_SECRET', secret: canarySecret('fake') },
  ];
  const env = {
    KEYPOOL_CALL_TIMEOUT_MS: '2500',
    KEYPOOL_IDLE_TIMEOUT_MS: '1000',
    KEYPOOL_LOG_LEVEL: 'debug',
    // Under this the openai package would print requests to stdout.
    OPENAI_LOG: 'debug',
  };
  return { simulator, keys, home: await createHome({ keys, simulator, env }) };
}

interface Faults {
  readonly deepseek: DeepSeekFault;
  readonly perplexity: PerplexityFault;
}

function faultsOf(round: number): Faults {
  return {
    deepseek: DEEPSEEK_FAULTS[round % DEEPSEEK_FAULTS.length] ?? 'ok',
    perplexity: PERPLEXITY_FAULTS[round % PERPLEXITY_FAULTS.length] ?? 'ok',
  };
}

function strike(lane: Lane, { deepseek, perplexity }: Faults): void {
  for (const { name, secret } of lane.keys) {
    const times = Number.POSITIVE_INFINITY;
    if (name.startsWith('DEEPSEEK')) {
      lane.simulator.addKey(secret, { provider: 'deepseek', faults: [{ fault: deepseek, times }] });
    }
    if (name.startsWith('PERPLEXITY')) {
      const faults = [{ fault: perplexity, times }];
      lane.simulator.addKey(secret, { provider: 'perplexity', faults });
    }
  }
}

interface Round {
  readonly label: string;
  readonly sinks: Sink[];
  readonly answers: number;
  readonly noise: readonly string[];
}

/** A server under the faults of one round, and everything it put out. */
async function play(lane: Lane, round: number): Promise<Round> {
  const faults = faultsOf(round);
  strike(lane, faults);
  // What the round before found out about these keys is true no more.
  rmSync(join(lane.home.folder, 'run'), { recursive: true, force: true });
  const client = new RawClient(lane.home.env);
  await client.initialize();
  const call = (name: string, args: Record<string, unknown>, progressToken: string) =>
    client.request('tools/call', { name, arguments: args, _meta: { progressToken } });
  const [key] = lane.keys;
  const results = await Promise.all([
    call('deepseek_generate_code', { prompt: 'Write a debounce in TypeScript.' }, 'a'),
    call('perplexity_search', { query: 'node streams' }, 'b'),
    call('perplexity_search', { query: 'node streams', answer: 'fast' }, 'c'),
    // Pasted into the wrong place, a key must not come back in the complaint about it.
    call('perplexity_search', { query: 'x', country: key?.secret }, 'd'),
    call(key?.secret ?? '', {}, 'e'),
  ]);
  const status = await client.request('resources/read', { uri: 'keypool://status' });
  const running = processSinks(client.program.pid);
  await client.close();
  const { lines, stdout, stderr } = client.program;
  const progress = client.messages.filter((each) => each.method === 'notifications/progress');
  const label = `${faults.deepseek}/${faults.perplexity}`;
  return {
    label,
    answers: results.length,
    noise: noise(lines),
    sinks: [
      { name: `results [${label}]`, content: JSON.stringify(results) },
      { name: `progress [${label}]`, content: JSON.stringify(progress) },
      { name: `status resource [${label}]`, content: JSON.stringify(status) },
      { name: `stdout [${label}]`, content: stdout },
      { name: `stderr [${label}]`, content: stderr },
      ...running.map((sink) => ({ ...sink, name: `${sink.name} [${label}]` })),
    ],
  };
}

/** The home's generated master key; it may stand in the home's `.env` and nowhere else. */
function masterKey(home: Home): string {
  const dotenv = readFileSync(join(home.folder, '.env'), 'utf8');
  return /^MASTER_ENCRYPTION_KEY="?([^"\s]+)/m.exec(dotenv)?.[1] ?? '';
}

describe('a canary key', () => {
  let lanes: Lane[] = [];
  const rounds: Round[] = [];
  let others: Sink[] = [];
  let http: HttpSinks | undefined;

  /** Rounds of which a fault never met a request. */
  function unmet(): number[] {
    const met = new Set(lanes.flatMap((lane) => lane.simulator.calls.map((call) => call.fault)));
    return Array.from({ length: ROUNDS }, (_, round) => round).filter((round) => {
      const { deepseek, perplexity } = faultsOf(round);
      return !met.has(deepseek) || !met.has(perplexity);
    });
  }

  beforeAll(async () => {
    lanes = await Promise.all(Array.from({ length: LANES }, openLane));
    await Promise.all(
      lanes.map(async (lane, at) => {
        for (let round = at; round < ROUNDS; round += LANES) rounds.push(await play(lane, round));
      }),
    );
    const [lane] = lanes;
    // On a busy machine a cold start may eat a whole deadline: such a round is played again.
    for (const round of unmet()) {
      if (lane !== undefined) rounds.push(await play(lane, round));
    }
    if (lane !== undefined) {
      // Asked about, the keys are quoted by the upstream; the commands must not pass that on.
      const faults = [
        { fault: 'echo_authorization', times: 9 },
        { fault: 'echo_authorization', times: 9, endpoint: '/balance' },
      ] as const;
      for (const { name, secret } of lane.keys) {
        if (name !== 'BYBIT_SECRET') lane.simulator.setBehaviour(secret, { faults });
      }
      http = await httpSinks(lane.home, lane.keys);
      others = [...http.sinks, ...(await commandSinks(lane.home, lane.keys))];
    }
  }, 240_000);

  afterAll(async () => {
    await Promise.all(lanes.map((lane) => lane.simulator.close()));
    for (const lane of lanes) lane.home.remove();
  });

  it('is seen nowhere, in no form, whatever the upstream does', () => {
    const keys = lanes.flatMap((lane) => lane.keys.map((key) => key.secret));
    const secrets = [...keys, ...(http?.secrets ?? [])];
    const sinks = [...rounds.flatMap((round) => round.sinks), ...others];
    const report = findLeaks(secrets, sinks);
    console.log(`canary: ${report.searched.length} sinks searched for ${secrets.length} secrets:`);
    for (const [name, bytes] of sizes(sinks)) console.log(`  ${name}: ${bytes} bytes`);
    expect(report.leaks).toEqual([]);

    const masters = lanes.map((lane) => masterKey(lane.home));
    expect(masters.every((master) => master.length > 40)).toBe(true);
    const elsewhere = sinks.filter((sink) => sink.name !== 'home/.env');
    expect(findLeaks(masters, elsewhere).leaks).toEqual([]);
  });

  it('was really sent: every fault met a request that carried it', () => {
    expect(unmet()).toEqual([]);
    expect(rounds.every((round) => round.answers === 5)).toBe(true);
    for (const lane of lanes) {
      expect(lane.simulator.calls.length).toBeGreaterThan(0);
      expect(lane.simulator.violations).toEqual([]);
    }
  });

  it('was asked for over HTTP as well, on routes that are there', () => {
    const found = [...(http?.statuses ?? [])].filter(([, status]) => status.startsWith('2'));
    const routes = found.map(([name]) => name);
    expect(routes).toEqual(
      expect.arrayContaining([
        'HTTP GET /metrics',
        'HTTP GET /dashboard',
        'HTTP GET /api/status',
        'HTTP POST /api/keys/DEEPSEEK_API_KEY/verify',
      ]),
    );
  });

  it('is the cause of no noise on stdout, and of JSON alone on stderr', () => {
    expect(rounds.flatMap((round) => round.noise)).toEqual([]);
    const lines = rounds
      .flatMap((round) => round.sinks)
      .filter((sink) => sink.name.startsWith('stderr'))
      .flatMap((sink) => sink.content.toString().split('\n'))
      .filter((line) => line !== '');
    expect(lines.filter((line) => !line.startsWith('{'))).toEqual([]);
    expect(lines.length).toBeGreaterThan(ROUNDS);
  });

  it('lies in the store, which is no plain text', () => {
    for (const lane of lanes) {
      const store = readFileSync(join(lane.home.folder, 'store.json'), 'utf8');
      expect(store).toContain('DEEPSEEK_API_KEY_2');
    }
  });
});

/** Bytes searched by kind of sink, so that the printed list stays readable. */
function sizes(sinks: readonly Sink[]): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const { name, content } of sinks) {
    const kind = name.replace(/ \[.*\]$/, ' [each fault]');
    bytes.set(kind, (bytes.get(kind) ?? 0) + Buffer.byteLength(content));
  }
  return bytes;
}
