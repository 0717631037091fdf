/**
 * `npm run storm:sharing -- --seed 7`: one storm of lab/sharing/storm.ts, with what it came to.
 * `-- --storms 100000 --from 1`: as many one after the other; ends with 1 when one of them breaks
 * what must hold, and says which.
 */

import { parseArgs } from 'node:util';
import { storm } from '../../lab/sharing/storm.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    storms: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
  },
});
/** A night's run says how far it is. */
const PROGRESS = 1_000;
const one = values.seed === undefined ? null : Number(values.seed);
const first = one ?? Number(values.from);
const last = one ?? first + Number(values.storms) - 1;
let calls = 0;
let refused = 0;
let broken = 0;
for (let seed = first; seed <= last; seed++) {
  const result = await storm(seed);
  calls += result.calls;
  refused += result.refused;
  const done = seed - first + 1;
  if (done % PROGRESS === 0) console.error(`${done} storms, ${broken} broken`);
  if (one !== null) console.log(JSON.stringify(result, null, 2));
  if (result.broken.length === 0) continue;
  broken += 1;
  console.error(`BROKEN by storm ${seed}: ${result.broken.join('; ')}`);
}
console.log(`${last - first + 1} storms, ${calls} calls, ${refused} refusals, ${broken} broken`);
if (broken > 0) process.exitCode = 1;
