/** A shorter run of bench/durability.ts: 200 kills, and eight writers at a time. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildWorker,
  concurrentAdds,
  type Mode,
  Scene,
  type Worker,
} from '../../lab/durability-rounds.ts';

let worker: Worker;
beforeAll(async () => {
  worker = await buildWorker();
});
afterAll(() => worker.remove());

const ROUNDS: ReadonlyArray<readonly [Mode, number]> = [
  ['add', 60],
  ['remove', 50],
  ['rotate', 50],
  ['migrate', 50],
];

describe('a writer that is killed at a random moment', () => {
  it.concurrent.each(ROUNDS)(
    'leaves a store that opens, with every confirmed key: %s, %i times',
    async (mode, rounds) => {
      const scene = await Scene.create(mode);
      try {
        let changes = 0;
        for (let round = 0; round < rounds; round++) {
          const result = await scene.killRound(worker, mode, round);
          expect(result.problems).toEqual([]);
          changes += result.changes;
        }
        expect(changes).toBeGreaterThan(0);
        expect(await scene.orphans()).toEqual([]);
      } finally {
        scene.remove();
      }
    },
    240_000,
  );
});

describe('eight processes that add 25 keys each', () => {
  it('lose none of the 200', async () => {
    expect(await concurrentAdds(worker, 8, 25)).toBe(200);
  }, 120_000);
});
