import { describe, expect, it } from 'vitest';
import { FLOORS } from '../../../lab/pool/bounds.ts';
import { closedLoops } from '../../../lab/pool/closed-loops.ts';
import { scenariosAt } from '../../../lab/pool/scenarios.ts';
import { simulate } from '../../../lab/pool/simulation/simulate.ts';

const SEEDS = [1, 2, 3, 4];

describe('each rule of the pool earns its place', () => {
  const all = [...scenariosAt(1), ...closedLoops()];

  it.each(FLOORS.map((each) => [each.rule, each] as const))(
    '%s',
    async (_rule, { scenarios, measure, atMost }) => {
      const seen: number[] = [];
      for (const scenario of all.filter(({ name }) => name.startsWith(scenarios))) {
        for (const seed of SEEDS) seen.push(measure(await simulate(scenario, 'keypool', seed)));
      }
      const mean = seen.reduce((sum, each) => sum + each, 0) / seen.length;
      expect(mean).toBeLessThanOrEqual(atMost);
    },
    60_000,
  );
});
