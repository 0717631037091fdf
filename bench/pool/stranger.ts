/**
 * `npm run bench:pool:stranger [-- --seeds 20 --only U6c]`: what can be had beside a stranger, on the
 * virtual clock: whoever knows the account and stays shut for so long after a refusal, and the pool.
 */

import { parseArgs } from 'node:util';
import { Asker } from '../../lab/pool/asker.ts';
import { scenariosAt } from '../../lab/pool/scenarios.ts';
import { type MakePolicy, type RunResult, simulate } from '../../lab/pool/simulation/simulate.ts';
import type { Scenario } from '../../lab/pool/simulation/traffic.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    only: { type: 'string', default: 'U6c' },
  },
});
const scenario = scenariosAt(1).find(({ name }) => name === values.only);
if (scenario === undefined) throw new Error(`no scenario ${values.only}`);
const [{ capacity } = { capacity: 0 }] = scenario.upstream.accounts;
const slots = typeof capacity === 'number' ? capacity : capacity(0);
const labelled = { ...scenario, upstream: { ...scenario.upstream, isUnlabelled: false } };

function median(runs: readonly RunResult[], pick: (run: RunResult) => number): string {
  const sorted = runs.map(pick).sort((a, b) => a - b);
  return (sorted[sorted.length >> 1] ?? 0).toFixed(2);
}

async function show(who: string, of: Scenario, policy: MakePolicy | 'keypool'): Promise<void> {
  const runs: RunResult[] = [];
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    runs.push(await simulate(of, policy, seed));
  }
  const refusals = median(runs, (run) => run.refusals);
  console.log(`| ${who} | ${refusals} | ${median(runs, (run) => run.score)} |`);
}

console.log(`${scenario.name}: ${scenario.title}; medians of ${values.seeds} seeds\n`);
console.log('| who asks | refusals a call | score |\n|---|---|---|');
for (const seconds of [0.5, 1, 2, 3, 4]) {
  const who = `knows that all keys are one account of ${slots}, stays shut for ${seconds} s`;
  await show(who, scenario, (context) => new Asker(context, slots, 1_000 * seconds));
}
await show('the pool, keys labelled', labelled, 'keypool');
await show('the pool, nobody said whose keys they are', scenario, 'keypool');
