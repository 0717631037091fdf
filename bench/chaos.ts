/**
 * 10,000 calls under random faults; prints what happened, ends with 1 when a promise was broken.
 * Arguments: number of calls, seed, client (v1 or v2).
 */

import { runChaos } from '../lab/chaos/chaos.ts';

const calls = Number(process.argv[2] ?? 10_000);
const seed = Number(process.argv[3] ?? 1);
const sdk = process.argv[4] === 'v2' ? 'v2' : 'v1';
const report = await runChaos({
  sdk,
  calls,
  seed,
  workers: 64,
  faultRate: 0.2,
  cancelRate: 0.1,
  deadlineMs: 20_000,
});

console.log(`${calls} calls by the ${sdk} client, seed ${seed}, ${report.seconds.toFixed(1)} s`);
console.log(`ok ${report.ok} · cancelled ${report.cancelled} · slowest ${report.slowestMs | 0} ms`);
for (const [text, count] of report.errors) console.log(`  error ${count} × ${text}…`);
console.log(`upstream requests ${report.upstreamCalls}, by what struck them:`);
for (const [fault, count] of report.faults) console.log(`  ${String(count).padStart(6)} ${fault}`);
console.log(`sinks searched for keys: ${report.searched.join(', ')}`);

const broken = {
  late: report.late,
  wrong: report.wrong,
  noise: report.noise,
  leaks: report.leaks,
  violations: report.violations,
  'left running': report.leftRunning === 0 ? [] : [String(report.leftRunning)],
};
for (const [what, found] of Object.entries(broken)) {
  console.log(
    `${what}: ${found.length}${found.length > 0 ? ` ${found.slice(0, 5).join(' | ')}` : ''}`,
  );
}
process.exitCode = Object.values(broken).some((found) => found.length > 0) ? 1 : 0;
