/**
 * `npm run bench:sharing [-- --seeds 7]`: what several processes on the same accounts cost each
 * other, on the virtual clock: as one process, with nothing shared, and sharing. Ends with 1 when a
 * goal is missed.
 */

import { parseArgs } from 'node:util';
import { runOracle } from '../../lab/pool/oracle.ts';
import { percentile } from '../../lab/pool/simulation/simulate.ts';
import { BURST_ROWS, type BurstRow, burstCase, dividedCase } from '../../lab/sharing/cases.ts';
import {
  type SharedRun,
  simulateShared,
  type Together,
} from '../../lab/sharing/simulate-shared.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '7' } } });
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => index + 1);
const WAYS: readonly Together[] = ['one', 'apart', 'shared'];
const TITLES: Readonly<Record<Together, string>> = {
  one: 'one process',
  apart: 'nothing shared',
  shared: 'shared',
};
const PROCESSES = 4;
const broken: string[] = [];

function atMost(what: string, seen: number, most: number): void {
  if (seen > most) broken.push(`${what}: ${seen.toFixed(2)}, at most ${most.toFixed(2)}`);
}

function mean(runs: readonly SharedRun[], pick: (run: SharedRun) => number): number {
  return runs.reduce((sum, run) => sum + pick(run), 0) / runs.length;
}

function allServed(what: string, runs: readonly SharedRun[]): void {
  const ends = runs.flatMap((run) => run.ends);
  const failed = ends.filter((end) => !end.ok).length;
  if (failed > 0) broken.push(`${what}: ${failed} of ${ends.length} calls failed`);
  const leaked = runs.reduce((sum, run) => sum + run.leaked, 0);
  if (leaked > 0) broken.push(`${what}: ${leaked} slots leaked`);
}

function othersMs(run: SharedRun): number[] {
  return run.ends.filter(({ client }) => client !== 0).map(({ latencyMs }) => latencyMs);
}

/** Each call's time over the one that the same call takes without the burst. */
function othersRatios(
  runs: readonly SharedRun[],
  undisturbed: readonly SharedRun[],
): readonly [number, number] {
  const ratios = runs.flatMap((run, index) => {
    const calm = undisturbed[index];
    const calmMs = calm === undefined ? [] : othersMs(calm);
    return othersMs(run).map((ms, call) => ms / (calmMs[call] ?? ms));
  });
  return [percentile(ratios, 0.5), percentile(ratios, 0.95)];
}

async function burst(row: BurstRow): Promise<void> {
  const cells: string[] = [];
  const found = new Map<Together, readonly [number, number]>();
  const spans = new Map<Together, number>();
  const calm: SharedRun[] = [];
  for (const seed of seeds) {
    calm.push(await simulateShared(burstCase(row, seed, false), 'one', seed));
  }
  for (const together of WAYS) {
    const runs: SharedRun[] = [];
    for (const seed of seeds) runs.push(await simulateShared(burstCase(row, seed), together, seed));
    const [p50, p95] = othersRatios(runs, calm);
    found.set(together, [p50, p95]);
    spans.set(
      together,
      mean(runs, (run) => run.makespanMs),
    );
    if (together === 'shared') allServed(row.title, runs);
    const refused = mean(runs, (run) => run.refused).toFixed(0);
    cells.push(`${p50.toFixed(2)} / ${p95.toFixed(2)} (${refused})`.padEnd(22));
  }
  console.log(`${row.title.padEnd(28)}${cells.join('')}`);
  const [p50, p95] = found.get('shared') ?? [0, 0];
  const [oneP50, oneP95] = found.get('one') ?? [0, 0];
  const slots = row.capacities.reduce((sum, each) => sum + each, 0);
  // With more processes than slots somebody waits in any case: no worse than in one process.
  const isTight = slots < 3;
  atMost(`${row.title}: p50 of the others`, p50, isTight ? oneP50 : 1.3);
  atMost(`${row.title}: p95 of the others`, p95, isTight ? oneP95 : 2);
  const slower = (spans.get('shared') ?? 0) / (spans.get('one') ?? 1);
  atMost(`${row.title}: end of the burst over that in one process`, slower, 1.06);
}

async function divided(name: string): Promise<void> {
  const runs = new Map<Together, SharedRun[]>();
  for (const together of WAYS) {
    const list: SharedRun[] = [];
    for (const seed of seeds) {
      list.push(await simulateShared(dividedCase(name, PROCESSES, seed), together, seed));
    }
    runs.set(together, list);
  }
  const optimum = seeds.flatMap((seed) => {
    const { upstream, arrivals } = dividedCase(name, PROCESSES, seed);
    return runOracle(upstream, arrivals).latenciesMs;
  });
  const cells = WAYS.map((together) => {
    const list = runs.get(together) ?? [];
    const p95 = percentile(
      list.flatMap((run) => run.ends.map((end) => end.latencyMs)),
      0.95,
    );
    const ratio = p95 / percentile(optimum, 0.95);
    if (together === 'shared' && name === 'S5') atMost('S5: p95 over the optimum', ratio, 1.15);
    return `${mean(list, (run) => run.refused).toFixed(0)} (${ratio.toFixed(2)})`.padEnd(22);
  });
  console.log(`${name.padEnd(28)}${cells.join('')}`);
  const one = mean(runs.get('one') ?? [], (run) => run.refused);
  const shared = mean(runs.get('shared') ?? [], (run) => run.refused);
  allServed(name, runs.get('shared') ?? []);
  atMost(`${name}: 429s`, shared, one < 10 ? 1.3 * one + 2 * PROCESSES : 1.3 * one);
}

console.log(`virtual clock, ${seeds.length} seeds\n`);
console.log(
  'Three processes, a burst in one: the other two clients’ time over their undisturbed one,',
);
console.log('p50 / p95, and 429s of all.\n');
const head = WAYS.map((together) => TITLES[together].padEnd(22)).join('');
console.log(`${''.padEnd(28)}${head}`);
for (const row of BURST_ROWS) await burst(row);
console.log(
  `\nThe pool's scenarios divided among ${PROCESSES} processes: 429s, and p95 over the optimum.\n`,
);
console.log(`${''.padEnd(28)}${head}`);
for (const name of ['S1', 'S5', 'S7', 'S9']) await divided(name);
for (const each of broken) console.error(`BROKEN ${each}`);
if (broken.length > 0) process.exitCode = 1;
