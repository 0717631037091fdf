import { describe, expect, it } from 'vitest';
import { brokenBounds } from '../../../lab/pool/bounds.ts';
import { closedLoops } from '../../../lab/pool/closed-loops.ts';
import { simulate } from '../../../lab/pool/simulation/simulate.ts';

const SEEDS = [1, 2];

describe('on the virtual clock the pool keeps its bounds, with callers that wait for their answers', () => {
  it.each(closedLoops().map((each) => [each.title, each] as const))(
    '%s, nobody said whose keys they are',
    async (_title, scenario) => {
      for (const seed of SEEDS) {
        const run = await simulate(scenario, 'keypool', seed);
        expect(brokenBounds(scenario.name, run)).toEqual([]);
      }
    },
    60_000,
  );
});
