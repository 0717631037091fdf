/**
 * Several keys and nobody said whose they are, asked by callers who send their next call as soon as
 * their last one ended: what several agents do that share one program. Answers and refusals take as
 * long as they say; nothing is scaled.
 */

import type { Scenario } from './simulation/traffic.ts';
import type { RefusalSpec } from './simulation/virtual-upstream.ts';

interface Household {
  readonly name: string;
  readonly title: string;
  /** Account of each key. */
  readonly keys: readonly number[];
  /** Slots of each account. */
  readonly slots: readonly number[];
  readonly callers: number;
}

const HOUSEHOLDS: readonly Household[] = [
  { name: 'one5', title: 'one account of 5', keys: [0, 0, 0, 0], slots: [5], callers: 12 },
  { name: 'one8', title: 'one account of 8', keys: [0, 0, 0, 0], slots: [8], callers: 16 },
  { name: 'two5', title: 'two accounts of 5', keys: [0, 0, 1, 1], slots: [5, 5], callers: 20 },
];

/** From the request to anything that comes back. */
const ROUND_TRIP_MS = 3;
/** The pool's clients call a request taken so long after its headers. */
const SIGN_MS = 100;

function loop(household: Household, answerMs: number, refusal: RefusalSpec): Scenario {
  const { name, title, keys, slots, callers } = household;
  const turns = answerMs < 200 ? 16 : 8;
  return {
    name: `${name}/${answerMs}/${refusal.ms}/${refusal.wording}`,
    title: `${title}: answers of ${answerMs} ms, refused after ${refusal.ms} ms (${refusal.wording})`,
    upstream: {
      accounts: slots.map((capacity) => ({ capacity })),
      keys: keys.map((account) => ({ account })),
      answerMs: ROUND_TRIP_MS,
      firstByteMs: 0.95 * answerMs,
      tokenMs: 1,
      earlyHeaders: true,
      signMs: SIGN_MS,
      streams: true,
      idleMs: 45_000,
      refusal,
      isUnlabelled: true,
    },
    arrivals: (random) =>
      Array.from({ length: callers * turns }, () => ({
        at: 0,
        work: { tokens: Math.round(0.1 * answerMs * random()) },
        timeoutMs: 60_000,
      })),
    callers,
    maxConcurrent: 64,
  };
}

export function closedLoops(): Scenario[] {
  return HOUSEHOLDS.flatMap((household) =>
    [100, 500].flatMap((answerMs) =>
      [0, 60, 200].flatMap((ms) =>
        (['numbers', 'equal', 'bare'] as const).map((wording) =>
          loop(household, answerMs, { wording, ms }),
        ),
      ),
    ),
  );
}
