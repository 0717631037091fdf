import { describe, expect, it } from 'vitest';
import { storm } from '../../lab/sharing/storm.ts';

/** The nightly run has a hundred thousand. */
const STORMS = 400;
const AT_ONCE = 100;
/** Found by night: who had a key's trial waited for who had the provider's, and the other way round. */
const FOUND = [24_701];
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

  it.each(FOUND)('and what broke once does not break again: storm %i', async (seed) => {
    expect((await storm(seed)).broken).toEqual([]);
  });
});
