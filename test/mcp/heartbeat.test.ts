import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Heartbeat, type ProgressReport } from '../../src/mcp/heartbeat.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function beating(): { heartbeat: Heartbeat; reports: Array<ProgressReport & { at: number }> } {
  const reports: Array<ProgressReport & { at: number }> = [];
  const startedAt = Date.now();
  const heartbeat = new Heartbeat((report) =>
    reports.push({ ...report, at: Date.now() - startedAt }),
  );
  return { heartbeat, reports };
}

describe('progress', () => {
  it('is said at least every five seconds, strictly increasing', () => {
    const { heartbeat, reports } = beating();
    vi.advanceTimersByTime(3_000);
    heartbeat.update('generating');
    vi.advanceTimersByTime(57_000);
    heartbeat.stop();
    const times = [0, ...reports.map((report) => report.at), 60_000];
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_000);
    const values = reports.map((report) => report.progress);
    expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
  });

  it('says news at once, then twice a second at most, the latest last', () => {
    const { heartbeat, reports } = beating();
    vi.advanceTimersByTime(1_000);
    for (let token = 1; token <= 100; token++) {
      heartbeat.update(`${token} tokens`);
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(500);
    heartbeat.stop();
    expect(reports[0]).toMatchObject({ at: 1_000, message: '1 tokens' });
    expect(reports.length).toBeLessThanOrEqual(4);
    expect(reports.at(-1)?.message).toBe('100 tokens');
  });

  it('tells how long nothing new has happened', () => {
    const { heartbeat, reports } = beating();
    heartbeat.update('waiting for a free key');
    vi.advanceTimersByTime(4_500);
    heartbeat.stop();
    expect(reports.map((report) => report.message)).toEqual([
      'waiting for a free key',
      'waiting for a free key (4 s)',
    ]);
  });

  it('goes on when the clock is set back by an hour, and counts its seconds right', () => {
    const { heartbeat, reports } = beating();
    heartbeat.update('generating');
    vi.setSystemTime(Date.now() - 3_600_000);
    heartbeat.update('20 tokens');
    vi.advanceTimersByTime(5_000);
    heartbeat.stop();
    expect(reports.map((report) => report.message)).toEqual([
      'generating',
      '20 tokens',
      '20 tokens (5 s)',
    ]);
  });

  it('is silent after the end', () => {
    const { heartbeat, reports } = beating();
    heartbeat.stop();
    heartbeat.update('late');
    vi.advanceTimersByTime(60_000);
    expect(reports).toEqual([]);
  });
});
