/**
 * The soak of the built HTTP server; prints what happened, ends with 1 when a promise was broken.
 * Arguments: minutes (10), seed (1), clients at once (12).
 */

import { runSoak } from '../lab/soak/soak.ts';

const minutes = Number(process.argv[2] ?? 10);
const seed = Number(process.argv[3] ?? 1);
const clients = Number(process.argv[4] ?? 12);
const report = await runSoak({ durationMs: minutes * 60_000, clients, seed, pauseMs: 300 });
const { tally, memory } = report;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const quarter = Math.floor(memory.length / 4);
const early = median(memory.slice(quarter, 2 * quarter));
const late = median(memory.slice(-quarter));

console.log(
  `${minutes} min, seed ${seed}: ${tally.calls} calls, ${tally.ok} ok, ${tally.cancelled} cancelled`,
);
console.log(`slowest ${tally.slowestMs | 0} ms beside the time that the process was stopped`);
for (const [text, count] of tally.errors) console.log(`  error ${count} × ${text}`);
for (const [name, count] of report.troubles) console.log(`  ${String(count).padStart(5)} ${name}`);
if (!report.hasOwnDisk) console.log('  no disk of its own could be mounted: it was never full');
console.log(
  `memory: ${early.toFixed(0)} MB in the second quarter, ${late.toFixed(0)} MB in the last`,
);

const broken: Readonly<Record<string, readonly string[]>> = {
  crashes: report.crashes,
  lost: tally.lost,
  wrong: tally.wrong,
  late: tally.late,
  leaks: report.leaks,
  'exit code': report.exitCode === 0 ? [] : [String(report.exitCode)],
  'growing memory': late > early * 1.25 + 10 ? [`${early} → ${late} MB`] : [],
};
for (const [what, found] of Object.entries(broken)) {
  console.log(`${what}: ${found.length} ${found.slice(0, 5).join(' | ')}`);
}
process.exitCode = Object.values(broken).some((found) => found.length > 0) ? 1 : 0;
