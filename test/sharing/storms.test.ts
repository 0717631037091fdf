import { describe, expect, it } from 'vitest';
import { storm } from '../../lab/sharing/storm.ts';

/** The nightly run has a hundred thousand. */
const STORMS = 1_000;
const AT_ONCE = 100;
const firsts = Array.from({ length: STORMS / AT_ONCE }, (_, index) => 1 + index * AT_ONCE);

/** Each broke once: processes that waited for each other, rests of half a minute for nothing. */
const ONCE_BROKEN = [
  24_701, 28_827, 105_073, 108_186, 108_613, 116_434, 121_607, 129_521, 205_458, 221_107, 226_265,
  229_795,
];

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

  it.each(ONCE_BROKEN)('serve every call and lose no slot: storm %i', async (seed) => {
    const { broken } = await storm(seed);
    expect(broken).toEqual([]);
  });
});
