import { describe, expect, it } from 'vitest';
import { storm } from '../../lab/sharing/storm.ts';

/** The nightly run has a hundred thousand. */
const STORMS = 400;
const AT_ONCE = 100;
const firsts = Array.from({ length: STORMS / AT_ONCE }, (_, index) => 1 + index * AT_ONCE);

describe('one to eight processes on the same keys, with all that can go wrong between them', () => {
  it.each(firsts)(
    'serve every call and lose no slot: storms from %i',
    async (first) => {
      for (let seed = first; seed < first + AT_ONCE; seed++) {
        const { broken } = await storm(seed);
        expect(broken, `again: npm run storm:sharing -- --seed ${seed}`).toEqual([]);
      }
    },
    120_000,
  );
});
