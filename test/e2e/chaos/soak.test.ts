import { expect, it } from 'vitest';
import { runSoak } from '../../../lab/soak/soak.ts';

/** The long run is `npm run bench:chaos`; this one sees that nothing of it is broken. */
it('twenty seconds of everything at once: nothing crashes, is lost, wrong, late or leaks', async () => {
  const report = await runSoak({ durationMs: 20_000, clients: 6, seed: 7, pauseMs: 150 });
  expect(report.crashes).toEqual([]);
  expect(report.tally.lost).toEqual([]);
  expect(report.tally.wrong).toEqual([]);
  expect(report.tally.late).toEqual([]);
  expect(report.leaks).toEqual([]);
  expect(report.exitCode).toBe(0);
  expect(report.tally.ok).toBeGreaterThan(20);
  expect(report.troubles.size).toBeGreaterThan(6);
}, 120_000);
