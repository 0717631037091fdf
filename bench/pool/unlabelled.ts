/**
 * `npm run bench:pool:unlabelled [-- --only one5 --answer 100 --refusal 200 --seed 11]`: the built
 * program over stdio with keys from the environment and not one label, in every set of accounts,
 * answers, refusals and wordings. Ends with 1 when a bound is broken or a call failed.
 *
 * Real clocks: a busy machine makes every ratio larger, so this wants a quiet one.
 */

import { parseArgs } from 'node:util';
import { runUnlabelled, type UnlabelledResult } from '../../lab/pool/unlabelled.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    answer: { type: 'string' },
    refusal: { type: 'string' },
    seed: { type: 'string', default: '11' },
  },
});

interface AccountSet {
  readonly name: string;
  /** Account of each key. */
  readonly keys: readonly number[];
  /** Slots of each account. */
  readonly slots: readonly number[];
  readonly callers: number;
}

const SETS: readonly AccountSet[] = [
  { name: 'one5', keys: [0, 0, 0, 0], slots: [5], callers: 12 },
  { name: 'one8', keys: [0, 0, 0, 0], slots: [8], callers: 16 },
  { name: 'two5', keys: [0, 0, 1, 1], slots: [5, 5], callers: 20 },
];
const ANSWERS_MS = [100, 500, 1_000];
const REFUSALS_MS = [0, 60, 200];
const WORDINGS = ['balance', 'bare'] as const;
/** Short answers show what comes of it only after more of them. */
const CALLS_EACH = { short: 16, long: 8 } as const;

const BOUNDS = {
  refusalsPerCall: 1.5,
  laterRefusalsPerCall: 0.5,
  slowestOverMedian: 3,
  makespanOverOptimum: 1.15,
} as const;

function brokenBy(run: UnlabelledResult): string[] {
  const names = [
    'refusalsPerCall',
    'laterRefusalsPerCall',
    'slowestOverMedian',
    'makespanOverOptimum',
  ] as const;
  const over = names.filter((name) => run[name] > BOUNDS[name]);
  return [
    ...over.map((name) => `${name} ${run[name].toFixed(2)}, at most ${BOUNDS[name]}`),
    ...(run.failed > 0 ? [`${run.failed} calls failed`] : []),
  ];
}

async function runOne(set: AccountSet, answerMs: number, refusalMs: number, bare: boolean) {
  const simulator = await startSimulator({ seed: Number(values.seed) });
  try {
    return await runUnlabelled(simulator, {
      ...set,
      answerMs,
      refusalMs,
      wording: bare ? 'bare' : 'balance',
      callsEach: answerMs < 200 ? CALLS_EACH.short : CALLS_EACH.long,
    });
  } finally {
    await simulator.close();
  }
}

function isAsked(option: string | undefined, value: number | string): boolean {
  return option === undefined || option === String(value);
}

const HEAD =
  'set   answer refusal wording  429s/call later slowest/median makespan/optimum keys found';
const started = Date.now();
const broken: string[] = [];
console.log(`the built program, unlabelled keys; seed ${values.seed}\n${HEAD}`);
for (const set of SETS) {
  for (const answerMs of ANSWERS_MS) {
    for (const refusalMs of REFUSALS_MS) {
      if (!isAsked(values.only, set.name) || !isAsked(values.answer, answerMs)) continue;
      if (!isAsked(values.refusal, refusalMs)) continue;
      for (const wording of WORDINGS) {
        const run = await runOne(set, answerMs, refusalMs, wording === 'bare');
        const cells = [
          set.name.padEnd(5),
          String(answerMs).padStart(6),
          String(refusalMs).padStart(8),
          ` ${wording}`.padEnd(9),
          run.refusalsPerCall.toFixed(2).padStart(9),
          run.laterRefusalsPerCall.toFixed(2).padStart(6),
          run.slowestOverMedian.toFixed(2).padStart(15),
          run.makespanOverOptimum.toFixed(2).padStart(17),
          `  ${run.found.map((keys) => keys.length).join('+') || '–'}`,
        ];
        console.log(cells.join(''));
        const cell = `${set.name}, answers ${answerMs} ms, refused after ${refusalMs} ms, ${wording}`;
        broken.push(...brokenBy(run).map((each) => `${cell}: ${each}`));
      }
    }
  }
}
for (const each of broken) console.error(`BROKEN ${each}`);
if (broken.length > 0) process.exitCode = 1;
console.log(`done in ${Math.round((Date.now() - started) / 1000)} s`);
