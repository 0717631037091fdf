import { beforeAll, describe, expect, it } from 'vitest';
import { type ChaosReport, runChaos } from '../../../lab/chaos/chaos.ts';

const CALLS = 200;

describe.each(['v1', 'v2'] as const)(
  '200 calls by the %s client under random faults and cancels',
  (sdk) => {
    let report: ChaosReport;
    beforeAll(async () => {
      report = await runChaos({
        sdk,
        calls: CALLS,
        seed: 20_261_125,
        workers: 24,
        faultRate: 0.25,
        cancelRate: 0.1,
        deadlineMs: 12_000,
      });
      console.log(
        `chaos, ${sdk} client: ${report.ok} ok, ${report.cancelled} cancelled, errors ${JSON.stringify([...report.errors])}; ` +
          `${report.upstreamCalls} upstream calls in ${report.seconds.toFixed(1)} s, slowest ${Math.round(report.slowestMs)} ms`,
      );
    }, 120_000);

    it('are all answered within their deadline, or cancelled', () => {
      const errors = [...report.errors.values()].reduce((sum, count) => sum + count, 0);
      expect(report.late).toEqual([]);
      expect(report.ok + errors + report.cancelled + report.wrong.length).toBe(CALLS);
    });

    it('get their own answer, whole or marked as cut', () => {
      expect(report.wrong).toEqual([]);
    });

    it('mostly succeed: what strikes one key is made good on another', () => {
      expect(report.ok).toBeGreaterThan(CALLS * 0.7);
    });

    it('meet faults of many kinds', () => {
      expect(report.faults.size).toBeGreaterThan(20);
    });

    it('leave no noise on stdout', () => {
      expect(report.noise).toEqual([]);
    });

    it('leak no key', () => {
      expect(report.leaks).toEqual([]);
      expect(report.searched.map((name) => name.split(' ')[0])).toEqual(
        expect.arrayContaining(['stdout', 'stderr', '/proc/PID/cmdline', '/proc/PID/environ']),
      );
    });

    it('send upstream only what may be sent, and leave nothing running', () => {
      expect(report.violations).toEqual([]);
      expect(report.leftRunning).toBe(0);
      expect(report.exitCode).toBe(0);
    });
  },
);
