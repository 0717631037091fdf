import { describe, expect, it } from 'vitest';
import { misledOn } from '../../../lab/pool/misled.ts';
import { scenariosAt } from '../../../lab/pool/scenarios.ts';
import { simulate } from '../../../lab/pool/simulation/simulate.ts';

describe('keys of several accounts that another process took for one', () => {
  const scenarios = scenariosAt(1).filter(({ name }) => ['U2b', 'U4b'].includes(name));

  it.each(scenarios.map((each) => [each.title, each] as const))(
    'come apart again by their own refusals, numbers or none: %s',
    async (_title, scenario) => {
      for (const seed of [1, 2]) {
        const run = await simulate(scenario, 'keypool', seed, misledOn);
        expect(run.mistakenMs).toBeGreaterThan(0);
        // Five services; without the rule it is never given up, at a score of 0.86 to 0.91.
        expect(run.mistakenMs).toBeLessThan(40_000);
        expect(run.score).toBeGreaterThan(0.95);
      }
    },
    60_000,
  );
});
