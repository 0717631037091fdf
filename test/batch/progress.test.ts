import { describe, expect, it } from 'vitest';
import { KeyTally } from '../../src/batch/key-tally.ts';
import { duration, progressBar, progressText } from '../../src/batch/progress-line.ts';

const half = { total: 200, before: 20, finished: 80, failed: 3, elapsedMs: 40_000 };

describe('the progress of a batch', () => {
  it('counts what was done before, and judges speed by this run alone', () => {
    expect(progressText(half)).toBe('100/200  50 %  2.0/s  50 s left  3 failed');
  });

  it('promises nothing before the first result', () => {
    expect(progressText({ ...half, finished: 0, failed: 0 })).toBe('20/200  10 %');
  });

  it('tells slow work by the minute', () => {
    expect(progressText({ ...half, finished: 1, failed: 0, before: 0 })).toBe(
      '1/200  0 %  1.5/min  2 h 12 min left',
    );
  });

  it('fits the terminal, with a bar where there is room', () => {
    expect(progressBar(half, 80)).toBe(
      `[${'#'.repeat(15)}${'-'.repeat(15)}]  100/200  50 %  2.0/s  50 s left  3 failed`,
    );
    for (let columns = 1; columns < 120; columns++) {
      expect(progressBar(half, columns).length).toBeLessThan(columns);
    }
  });

  it('writes durations as a person would', () => {
    expect([0, 59_499, 60_000, 3_599_000, 7_500_000].map(duration)).toEqual([
      '0 s',
      '59 s',
      '1 min 0 s',
      '59 min 59 s',
      '2 h 5 min',
    ]);
  });
});

describe('the tally of keys', () => {
  it('counts calls, failures and tokens, and leaves cancelled calls out', () => {
    const tally = new KeyTally();
    const event = {
      provider: 'deepseek',
      keyId: 'abcdef',
      account: 'a',
      attempt: 1,
      durationMs: 1,
      promptTokens: 10,
      completionTokens: 5,
    } as const;
    tally.attemptEnded({ ...event, keyName: 'DEEPSEEK_API_KEY_10', outcome: 'ok' });
    tally.attemptEnded({ ...event, keyName: 'DEEPSEEK_API_KEY_2', outcome: 'ok' });
    tally.attemptEnded({ ...event, keyName: 'DEEPSEEK_API_KEY_2', outcome: 'key_error' });
    tally.attemptEnded({ ...event, keyName: 'DEEPSEEK_API_KEY_2', outcome: 'cancelled' });
    expect(tally.lines()).toEqual([
      'KEY                  CALLS  FAILURES  TOKENS IN  TOKENS OUT',
      'DEEPSEEK_API_KEY_2       2         1         20          10',
      'DEEPSEEK_API_KEY_10      1         0         10           5',
    ]);
  });
});
