/** A burst in one of three clients, and the scenarios of the pool divided among four processes. */

import { seededRandom } from '../../src/simulator/random.ts';
import { scenariosAt } from '../pool/scenarios.ts';
import { exponential } from '../pool/simulation/exponential.ts';
import type { Scenario } from '../pool/simulation/traffic.ts';
import { drawTokens, type UpstreamSpec, USUAL } from '../pool/simulation/virtual-upstream.ts';
import type { SharedArrival, SharedCase } from './simulate-shared.ts';

const TIMEOUT_MS = 600_000;
const MEAN_TOKENS = 360;
const BURST_AT_MS = 15_000;
/** About half of the other clients' calls meet the burst, which takes some 100 s. */
const END_MS = 200_000;

export interface BurstRow {
  readonly title: string;
  readonly capacities: readonly number[];
  /** Account of each key. */
  readonly keys: readonly number[];
  readonly burst: number;
  /** Mean time between two calls of each other client. */
  readonly gapMs: number;
}

export const BURST_ROWS: readonly BurstRow[] = [
  { title: '1 account of 5 slots', capacities: [5], keys: [0], burst: 60, gapMs: 20_000 },
  { title: '2 keys of 1 account of 8', capacities: [8], keys: [0, 0], burst: 100, gapMs: 15_000 },
  {
    title: '4 accounts of 8',
    capacities: [8, 8, 8, 8],
    keys: [0, 1, 2, 3],
    burst: 300,
    gapMs: 5_000,
  },
  { title: '1 account of 2 slots', capacities: [2], keys: [0], burst: 25, gapMs: 40_000 },
];

function upstreamOf({ capacities, keys }: BurstRow): UpstreamSpec {
  return {
    accounts: capacities.map((capacity) => ({ capacity })),
    keys: keys.map((account) => ({ account })),
    ...USUAL,
  };
}

/** @param hasBurst false: what the others have undisturbed */
export function burstCase(row: BurstRow, seed: number, hasBurst = true): SharedCase {
  const random = seededRandom(seed);
  const arrivals: SharedArrival[] = [];
  const add = (client: number, at: number): void => {
    arrivals.push({
      client,
      at,
      work: { tokens: drawTokens(MEAN_TOKENS, random) },
      timeoutMs: TIMEOUT_MS,
    });
  };
  for (const client of [1, 2]) {
    for (
      let at = exponential(row.gapMs, random);
      at < END_MS;
      at += exponential(row.gapMs, random)
    ) {
      add(client, at);
    }
  }
  if (hasBurst) for (let call = 0; call < row.burst; call++) add(0, BURST_AT_MS);
  arrivals.sort((a, b) => a.at - b.at);
  return { upstream: upstreamOf(row), clients: 3, arrivals, maxConcurrent: 64 };
}

/** A scenario of the pool with its calls divided among so many processes. */
export function dividedCase(name: string, clients: number, seed: number): SharedCase {
  const scenario: Scenario | undefined = scenariosAt(1).find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  const arrivals = scenario
    .arrivals(seededRandom(seed))
    .map(({ at, work, timeoutMs }, index) => ({ client: index % clients, at, work, timeoutMs }));
  return { upstream: scenario.upstream, clients, arrivals, maxConcurrent: scenario.maxConcurrent };
}
