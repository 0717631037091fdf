import { describe, expect, it } from 'vitest';
import { brokenBounds, FLOORS } from '../../lab/pool/bounds.ts';
import { closedLoops } from '../../lab/pool/closed-loops.ts';
import { measureHerd } from '../../lab/pool/measures.ts';
import { pacedScenarios, runPaced } from '../../lab/pool/paced.ts';
import { brokenPacedBounds } from '../../lab/pool/paced-bounds.ts';
import { scenariosAt } from '../../lab/pool/scenarios.ts';
import { simulate } from '../../lab/pool/simulation/simulate.ts';

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

  it('S11: one call to a key that comes back, with a hundred waiting', async () => {
    expect(await measureHerd()).toBe(1);
  }, 60_000);
});

describe('where requests per time are limited the pool finds the rate and keeps to it', () => {
  const scenarios = pacedScenarios().map((each) => [each.name, each.title, each] as const);

  it.each(scenarios)(
    '%s: %s',
    async (name, _title, scenario) => {
      for (const seed of SEEDS) {
        expect(brokenPacedBounds(name, await runPaced(scenario, seed))).toEqual([]);
      }
    },
    60_000,
  );
});

describe('each rule earns its place', () => {
  const all = [...scenariosAt(1), ...closedLoops()];

  it.each(FLOORS.map((each) => [each.rule, each] as const))(
    '%s',
    async (_rule, { scenarios, measure, atMost }) => {
      const seen: number[] = [];
      for (const scenario of all.filter(({ name }) => name.startsWith(scenarios))) {
        for (const seed of [1, 2, 3, 4])
          seen.push(measure(await simulate(scenario, 'keypool', seed)));
      }
      const mean = seen.reduce((sum, each) => sum + each, 0) / seen.length;
      expect(mean).toBeLessThanOrEqual(atMost);
    },
    60_000,
  );
});

describe('the bounds', () => {
  it.each(['round-robin', 'best-score'] as const)('are broken by %s', async (policy) => {
    const [burst] = scenariosAt(1);
    if (burst === undefined) throw new Error('no scenario');
    const run = await simulate(burst, policy, 1);
    expect(brokenBounds(burst.name, run).join()).toMatch(/success.*refusals/);
  });
});
