/**
 * `npm run bench:pool [-- --seeds 20 --scale 1 --only S1 --policies keypool --labelled]`: every
 * scenario on virtual time, the pool beside what people build instead, against a scheduler that
 * knows everything beforehand. Ends with 1 when a bound of lab/pool/bounds.ts is broken (at scale 1).
 * With `--labelled` as if somebody had said whose keys they are.
 */

import { parseArgs } from 'node:util';
import { brokenBounds } from '../../lab/pool/bounds.ts';
import { measureChoice, measureHerd, measureLeaks } from '../../lab/pool/measures.ts';
import { POLICY_NAMES } from '../../lab/pool/policies.ts';
import { scenariosAt } from '../../lab/pool/scenarios.ts';
import { type RunResult, simulate } from '../../lab/pool/simulation/simulate.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string' },
    labelled: { type: 'boolean', default: false },
    policies: { type: 'string', default: POLICY_NAMES.join(',') },
  },
});
const seeds = Number(values.seeds);
const policies = POLICY_NAMES.filter((name) => values.policies.split(',').includes(name));

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function spread(numbers: readonly number[]): string {
  return `${Math.min(...numbers).toFixed(2)}–${Math.max(...numbers).toFixed(2)}`;
}

function mediansOf(runs: readonly RunResult[]) {
  const of = (pick: (run: RunResult) => number): number => median(runs.map(pick));
  return {
    success: of((run) => run.success),
    score: of((run) => run.score),
    sends: of((run) => run.sends),
    refusals: of((run) => run.refusals),
    counts: { faults: of((run) => run.counts.faults) },
    slowest: of((run) => run.slowest),
    slowestOverMedian: of((run) => run.slowestOverMedian),
    mistakenMs: of((run) => run.mistakenMs),
  };
}

function row(name: string, runs: readonly RunResult[]): string {
  const of = (pick: (run: RunResult) => number): number => median(runs.map(pick));
  const makespan = runs.map((run) => run.makespanMs / run.optimumMs);
  return [
    name.padEnd(12),
    `${(100 * of((run) => run.success)).toFixed(1)} %`.padStart(8),
    of((run) => run.makespanMs / run.optimumMs)
      .toFixed(3)
      .padStart(9),
    spread(makespan).padStart(11),
    of((run) => run.p95Ms / run.optimumP95Ms)
      .toFixed(2)
      .padStart(8),
    of((run) => run.sends)
      .toFixed(2)
      .padStart(7),
    of((run) => run.counts.refused)
      .toFixed(0)
      .padStart(6),
    of((run) => run.refusals)
      .toFixed(2)
      .padStart(10),
    of((run) => run.counts.faults)
      .toFixed(0)
      .padStart(7),
    of((run) => run.score)
      .toFixed(3)
      .padStart(7),
  ].join('');
}

const HEAD =
  'policy       success makespan/opt (min–max) p95/opt  sends   429s  429s/call faults  score'.padEnd(
    80,
  );

const started = Date.now();
console.log(`virtual clock, ${seeds} seeds, time scale ${values.scale}; medians`);
console.log(
  'opt: a scheduler that knows capacities, speeds, lengths and faults beforehand; sends: per call;',
);
console.log('score: goodput × success over the optimum\n');
const scores: number[] = [];
const broken: string[] = [];
for (const scenario of scenariosAt(Number(values.scale))) {
  if (values.only !== undefined && scenario.name !== values.only) continue;
  const upstream = { ...scenario.upstream, ...(values.labelled ? { isUnlabelled: false } : {}) };
  console.log(`${scenario.name}: ${scenario.title}\n${HEAD}`);
  for (const policy of policies) {
    const runs: RunResult[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      runs.push(await simulate({ ...scenario, upstream }, policy, seed));
    }
    if (policy === 'keypool') {
      scores.push(median(runs.map((run) => run.score)));
      broken.push(...brokenBounds(scenario.name, mediansOf(runs)));
    }
    console.log(row(policy, runs));
    const mistaken = runs.filter(({ mistakenMs }) => mistakenMs > 0).length;
    if (mistaken > 0)
      console.log(`two accounts were taken for one in ${mistaken} of ${seeds} runs`);
  }
  console.log('');
}
console.log(
  `keypool over all scenarios: median score ${median(scores).toFixed(3)}, worst ${Math.min(...scores).toFixed(3)}`,
);
if (values.only === undefined) {
  console.log(`S10: slots leaked by 10,000 random cancels: ${await measureLeaks(10_000)}`);
  console.log(`S11: calls to a recovering key with 100 waiting: ${await measureHerd()}`);
  for (const keys of [4, 64, 1_000]) {
    const { p50Us, p99Us } = measureChoice(keys);
    console.log(`S14: choice among ${keys} keys: p50 ${p50Us} µs, p99 ${p99Us} µs`);
  }
  console.log('S12 (replicas over Redis) is not part of this program.');
}
for (const each of broken) console.error(`BROKEN ${each}`);
if (broken.length > 0) process.exitCode = 1;
console.log(`done in ${Math.round((Date.now() - started) / 1000)} s`);
