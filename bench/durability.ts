/**
 * How much a crash costs: writers killed with SIGKILL at random moments, and eight at a time.
 *
 *     npm run bench:durability [-- rounds per operation, default 250]
 */

import {
  buildWorker,
  concurrentAdds,
  DurabilityScene,
  MODES,
  type Mode,
} from '../lab/chaos/durability-rounds.ts';
import type { BundledProgram } from '../lab/program/bundled.ts';

const PARALLEL = 2;

interface Tally {
  rounds: number;
  changes: number;
  orphans: number;
  readonly problems: string[];
}

async function runScene(
  worker: BundledProgram,
  mode: Mode,
  rounds: number,
  tally: Tally,
): Promise<void> {
  const scene = await DurabilityScene.create(mode);
  try {
    for (let round = 0; round < rounds; round++) {
      const { changes, problems } = await scene.killRound(worker, mode, round);
      tally.rounds++;
      tally.changes += changes;
      tally.problems.push(...problems);
    }
    tally.orphans += (await scene.orphans()).length;
  } finally {
    scene.remove();
  }
}

async function benchMode(worker: BundledProgram, mode: Mode, rounds: number): Promise<Tally> {
  const tally: Tally = { rounds: 0, changes: 0, orphans: 0, problems: [] };
  const share = Math.ceil(rounds / PARALLEL);
  await Promise.all(Array.from({ length: PARALLEL }, () => runScene(worker, mode, share, tally)));
  return tally;
}

const rounds = Number(process.argv[2] ?? 250);
const worker = await buildWorker();
let hasFailed = false;
try {
  console.log('operation  kills  changes done  unreadable or lost  orphans after the next write');
  for (const mode of MODES) {
    const tally = await benchMode(worker, mode, rounds);
    const cells = [
      mode.padEnd(9),
      String(tally.rounds).padStart(5),
      String(tally.changes).padStart(12),
      String(tally.problems.length).padStart(18),
      String(tally.orphans).padStart(28),
    ];
    console.log(cells.join('  '));
    for (const problem of tally.problems.slice(0, 5)) console.log(`  ${problem}`);
    hasFailed ||= tally.problems.length > 0 || tally.orphans > 0;
  }
  const [writers, each] = [8, 25];
  const kept = await concurrentAdds(worker, writers, each);
  console.log(
    `\n${writers} processes × ${each} keys at the same time: ${kept} of ${writers * each} kept`,
  );
  hasFailed ||= kept !== writers * each;
} finally {
  worker.remove();
}
process.exitCode = hasFailed ? 1 : 0;
