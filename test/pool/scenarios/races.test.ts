import { describe, expect, it } from 'vitest';
import { brokenBounds } from '../../../lab/pool/bounds.ts';
import { measureHerd } from '../../../lab/pool/measures.ts';
import { scenariosAt } from '../../../lab/pool/scenarios.ts';
import { simulate } from '../../../lab/pool/simulation/simulate.ts';

const SEEDS = [1, 2];

describe('on the virtual clock the pool keeps its bounds', () => {
  const scenarios = scenariosAt(1).map((each) => [each.name, each.title, each] as const);

  it.each(scenarios)(
    '%s: %s',
    async (name, _title, scenario) => {
      for (const seed of SEEDS) {
        const run = await simulate(scenario, 'keypool', seed);
        expect(brokenBounds(name, run)).toEqual([]);
        expect(run.leaked).toBe(0);
      }
    },
    60_000,
  );

  it('S11: one call to a key that comes back, with a hundred waiting', async () => {
    expect(await measureHerd()).toBe(1);
  }, 60_000);
});

describe('the bounds', () => {
  it.each(['round-robin', 'best-score'] as const)('are broken by %s', async (policy) => {
    const [burst] = scenariosAt(1);
    if (burst === undefined) throw new Error('no scenario');
    const run = await simulate(burst, policy, 1);
    expect(brokenBounds(burst.name, run).join()).toMatch(/success.*refusals/);
  });
});
