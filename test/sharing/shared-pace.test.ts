import { describe, expect, it } from 'vitest';
import { type PacedScenario, pacedScenarios } from '../../lab/pool/paced.ts';
import { brokenPacedBounds } from '../../lab/pool/paced-bounds.ts';
import { runSharedPace } from '../../lab/sharing/shared-pace.ts';
import { packState, unpackState } from '../../src/sharing/coordination/packed-state.ts';

const SEED = 1;
const MINUTE = 60_000;
const PATIENCE = { timeout: 180_000 };

/** The first minute of it. */
function scenario(name: string): PacedScenario {
  const found = pacedScenarios().find((each) => each.name === name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return { ...found, arrivals: { ...found.arrivals, forMs: MINUTE } };
}

describe('processes on an account that limits requests per time', PATIENCE, () => {
  it.each([
    ['P1', 4],
    ['P1', 8],
    ['P1b', 4],
    ['P1c', 4],
    ['P3c', 4],
  ])('keep to its rate together, as one does: %s by %i', async (name, processes) => {
    const run = await runSharedPace(scenario(name), SEED, { processes });
    expect(brokenPacedBounds(name, run)).toEqual([]);
  });

  it.each([2, 4])('serve each burst before the next one comes: %i', async (processes) => {
    for (const seed of [1, 2, 3, 4]) {
      const [burst] = pacedScenarios().filter(({ name }) => name === 'P2');
      if (burst === undefined) throw new Error('no scenario P2');
      // Between two bursts each of them is alone for a while, and has seen only its own calls.
      const run = await runSharedPace(burst, seed, { processes });
      expect(brokenPacedBounds('P2', run)).toEqual([]);
    }
  });

  it('do so while what they say is late, lost and doubled', async () => {
    const weather = { delayMs: [0, 20], lost: 0.02, doubled: 0.1 } as const;
    const run = await runSharedPace(scenario('P1'), SEED, { processes: 4, weather });
    expect(run.failed).toBe(0);
    expect(run.laterRefusals).toBeLessThanOrEqual(0.1);
    expect(run.share).toBeGreaterThan(0.85);
  });

  it('go on at the rate that was found when another one coordinates, which knows nothing', async () => {
    const run = await runSharedPace(scenario('P1'), SEED, {
      processes: 4,
      trouble: async (hub, clock) => {
        await clock.sleep(25_000);
        hub.restart('another');
        await clock.sleep(25_000);
        hub.isUp = false;
        hub.restart('a third');
        await clock.sleep(200);
        hub.isUp = true;
      },
    });
    expect(brokenPacedBounds('P1', run)).toEqual([]);
  });
});

describe('processes that are started after the last one has ended', PATIENCE, () => {
  it.each([
    ['one', 1, 10 * MINUTE],
    ['four', 4, 2_000],
    ['four, hours later', 4, 300 * MINUTE],
  ])('begin at the rate that was found: %s', async (_name, processes, ageMs) => {
    const before = await runSharedPace(scenario('P1'), 1, { processes });
    const kept = JSON.parse(JSON.stringify(packState(before.known, 110_000)));
    const inherits = unpackState(kept, 0, ageMs);
    if (inherits === null) throw new Error('not believed');
    const short = { ...scenario('P1').arrivals, forMs: 15_000 };
    const again = { ...scenario('P1'), arrivals: short, foundMs: 0 };
    const run = await runSharedPace(again, 2, { processes, inherits });
    expect(run.failed).toBe(0);
    expect(Math.round(run.refusals * run.calls)).toBeLessThanOrEqual(2);
    expect(run.share).toBeGreaterThan(0.9);
  });
});
