/**
 * What a kill costs those that are left: processes that share, killed with SIGKILL at random
 * moments, each followed by a new one.
 *
 *     npm run bench:sharing:kills [-- kills, default 1000]
 *
 * Ends with 1 when slots were missing after ten seconds, or a process did not find the others.
 */

import { LinkWorkers } from '../../lab/sharing/link-workers.ts';

const kills = Number(process.argv[2] ?? 1_000);
const PROCESSES = 4;
/** Nothing may be missing after this time. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 50;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const times: number[] = [];
let coordinators = 0;
let wedged = 0;
const all = await LinkWorkers.create(PROCESSES);
try {
  await all.settled('all are there', PATIENCE_MS);
  for (let kill = 0; kill < kills; kill++) {
    await pause(Math.random() * PAUSE_MS);
    const victim = all.workers[Math.floor(Math.random() * all.workers.length)];
    if (victim === all.coordinator) coordinators += 1;
    await all.replace(victim);
    const tookMs = await all.settled(`kill ${kill}`, PATIENCE_MS).catch(() => null);
    if (tookMs === null) wedged += 1;
    else times.push(tookMs);
  }
} finally {
  await all.close();
}

times.sort((a, b) => a - b);
const at = (part: number): string =>
  `${Math.round(times[Math.floor((times.length - 1) * part)] ?? 0)} ms`;
console.log(
  `${kills} kills of one of ${PROCESSES} processes, ${coordinators} of the one that coordinated`,
);
console.log(`not whole again after ${PATIENCE_MS / 1_000} s: ${wedged}`);
console.log(
  `whole again, the new process's start included: p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)}`,
);
process.exitCode = wedged === 0 ? 0 : 1;
