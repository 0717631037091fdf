/**
 * `npm run bench:pool:real [-- --seed 1 --only S1 --ways keypool --no-peer]`: the scenarios that
 * mean something in real time, over HTTP, on answers of 0.3 s. The product's DeepSeek client over
 * its pool and over three other policies, and @portkey-ai/gateway, on the same calls; beside each
 * the time of a scheduler that knows everything beforehand and needs no time itself.
 */

import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { runOracle } from '../../lab/pool/oracle.ts';
import { POLICY_NAMES, type PolicyName } from '../../lab/pool/policies.ts';
import { scenariosAt } from '../../lab/pool/scenarios.ts';
import { percentile } from '../../lab/pool/simulation/simulate.ts';
import type { Arrival, Scenario } from '../../lab/pool/simulation/traffic.ts';
import { seededRandom } from '../../src/simulator/random.ts';
import { type Gateway, startGateway } from '../portkey.ts';
import { throughProgram } from './program.ts';
import { type RealUpstream, UpstreamProcess } from './real-upstream.ts';
import type { Arrived } from './real-upstream-process.ts';
import { throughClient, throughGateway, type Way } from './ways.ts';

/** Scenarios, and how many of their calls: enough to pass through the fault and out again. */
const CHOSEN: Readonly<Record<string, number>> = {
  S1: 200,
  S1b: 200,
  S1c: 500,
  S2: 120,
  S2b: 200,
  S3: 200,
  S4: 200,
  S4b: 200,
  S4c: 200,
  S4d: 200,
  S4f: 200,
  S5: 150,
  S5b: 300,
  S6: 250,
  S7: 200,
  S8: 60,
  S9: 250,
  S9b: 400,
  S10: 200,
  S13: 250,
};

/** Where the others run as well; their back-offs and time-outs make the rest an affair of hours. */
const SHARED: ReadonlySet<string> = new Set(['S1', 'S2', 'S3', 'S4', 'S5', 'S7', 'S8', 'S13']);
const OWN: ReadonlySet<string> = new Set(['program', 'keypool']);

/** Without faults and slow keys, who is told the capacities shows what the machine itself costs. */
const TOLD: ReadonlySet<string> = new Set(['S1', 'S7', 'S13']);

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    ways: { type: 'string' },
    // Answers of eight seconds become answers of 0.3 s.
    scale: { type: 'string', default: '0.0375' },
    peer: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const seed = Number(values.seed);
const scale = Number(values.scale);

const upstreams = new UpstreamProcess();

type WayName = PolicyName | 'program' | 'portkey';

interface Ended {
  readonly ok: boolean;
  readonly counts: boolean;
  readonly latencyMs: number;
  readonly at: number;
}

function runCall(arrival: Arrival, index: number, way: Way, startedAt: number): Promise<Ended> {
  return new Promise((resolve) => {
    setTimeout(() => {
      const { cancelAfterMs } = arrival;
      const controller = new AbortController();
      if (cancelAfterMs !== undefined) setTimeout(() => controller.abort(), cancelAfterMs);
      const end = (ok: boolean): void => {
        const at = performance.now() - startedAt;
        const counts = arrival.work.isBad !== true && cancelAfterMs === undefined;
        resolve({ ok, counts, at, latencyMs: at - arrival.at });
      };
      way.call(arrival.work, `session-${index % 3}`, controller.signal).then(
        () => end(true),
        () => end(false),
      );
    }, arrival.at);
  });
}

function open(
  name: WayName,
  upstream: RealUpstream,
  maxConcurrent: number,
  gateway: Gateway | null,
): Promise<Way> {
  if (name === 'program') return throughProgram(upstream, maxConcurrent);
  if (name !== 'portkey') return throughClient(name, upstream, maxConcurrent);
  if (gateway === null) throw new Error('no gateway');
  return Promise.resolve(throughGateway(gateway, upstream));
}

interface Run {
  readonly ended: readonly Ended[];
  readonly arrived: Arrived;
}

async function run(
  name: WayName,
  scenario: Scenario,
  arrivals: readonly Arrival[],
  gateway: Gateway | null,
): Promise<Run> {
  const upstream = await upstreams.open(scenario.upstream);
  const way = await open(name, upstream, scenario.maxConcurrent, gateway);
  try {
    upstreams.begin();
    const startedAt = performance.now();
    const calls = arrivals.map((arrival, index) => runCall(arrival, index, way, startedAt));
    return { ended: await Promise.all(calls), arrived: await upstreams.end() };
  } finally {
    way.close();
  }
}

function row(name: string, scenario: Scenario, arrivals: readonly Arrival[], done: Run): string {
  // The simulator refuses at once, and the network takes no time for the scheduler.
  const oracle = runOracle({ ...scenario.upstream, answerMs: 0 }, arrivals);
  const counted = done.ended.filter(({ counts }) => counts);
  const served = counted.filter(({ ok }) => ok);
  const success = served.length / counted.length;
  const makespanMs = Math.max(...counted.map(({ at }) => at)) - (arrivals[0]?.at ?? 0);
  const latencies = served.map(({ latencyMs }) => latencyMs);
  const p95 = percentile(latencies, 0.95) / percentile(oracle.latenciesMs, 0.95);
  const { sent, refused, faults } = done.arrived;
  const cells = [
    scenario.name.padEnd(4),
    name.padEnd(11),
    `${(100 * success).toFixed(1)} %`.padStart(7),
    (makespanMs / oracle.makespanMs).toFixed(2).padStart(8),
    p95.toFixed(2).padStart(7),
    (sent / arrivals.length).toFixed(2).padStart(5),
    String(refused).padStart(4),
    String(faults).padStart(6),
    ((success * success * oracle.makespanMs) / makespanMs).toFixed(2).padStart(5),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The first calls of a process pay for loading and compiling. */
async function warm(gateway: Gateway | null): Promise<void> {
  const [scenario] = scenariosAt(scale);
  if (scenario === undefined) return;
  const arrivals = scenario.arrivals(seededRandom(seed)).slice(0, 100);
  for (const name of [
    'keypool',
    'round-robin',
    ...(gateway ? ['portkey' as const] : []),
  ] as const) {
    await run(name, scenario, arrivals, gateway);
  }
}

const startedAt = Date.now();
const gateway = values.peer ? await startGateway() : null;
const peers: WayName[] = gateway === null ? [] : ['portkey'];
const names: WayName[] = ['told-limit', 'program', ...POLICY_NAMES, ...peers];
const wanted = values.ways?.split(',') ?? names;
try {
  await warm(gateway);
  const machine = `node ${process.version}, ${availableParallelism()} cores`;
  console.log(`real clock over HTTP, answers of 0.3 s, seed ${seed}; ${machine}`);
  console.log('opt: a scheduler that knows everything beforehand; sends: per call; faults: calls');
  console.log(
    'that met the scenario’s fault, in S4 the dead key; score: goodput × success over opt',
  );
  console.log(
    'A way that gives up early has a short makespan and a short p95: read success first.',
  );
  for (const scenario of scenariosAt(scale)) {
    const count = CHOSEN[scenario.name];
    if (count === undefined || (values.only ?? scenario.name) !== scenario.name) continue;
    const arrivals = scenario.arrivals(seededRandom(seed)).slice(0, count);
    console.log(`\n${scenario.name}: ${scenario.title}; ${arrivals.length} calls`);
    console.log(
      '|      | way         | success | makespan/opt | p95/opt | sends | 429s | faults | score |',
    );
    for (const name of names.filter((each) => wanted.includes(each))) {
      if (!OWN.has(name) && !SHARED.has(scenario.name)) continue;
      if (name === 'told-limit' && !TOLD.has(scenario.name)) continue;
      console.log(row(name, scenario, arrivals, await run(name, scenario, arrivals, gateway)));
    }
  }
} finally {
  gateway?.stop();
  upstreams.stop();
}
const seconds = Math.round((Date.now() - startedAt) / 1000);
const load = loadavg().map((each) => each.toFixed(1));
console.log(`\ndone in ${seconds} s; load average over 1, 5, 15 minutes: ${load.join(', ')}`);
