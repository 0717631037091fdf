import { describe, expect, it } from 'vitest';
import { pacedScenarios, runPaced } from '../../../lab/pool/paced.ts';
import { brokenPacedBounds } from '../../../lab/pool/paced-bounds.ts';

const SEEDS = [1, 2];

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
