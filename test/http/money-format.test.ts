import { describe, expect, it } from 'vitest';
import type { BudgetView, HoursView, Spent } from '../../src/http/api/money-view.ts';
import {
  aboutText,
  balanceTone,
  bothClocks,
  budgetAlert,
  budgetTone,
  costText,
  hourMarks,
  lastsText,
  peakText,
  savingText,
  waitText,
} from '../../src/http/page/money/money-format.ts';

const NOTHING: Spent = {
  attempts: 0,
  tokens: 0,
  usd: 0,
  peakUsd: 0,
  offPeakUsd: 0,
  unpriced: 0,
};
const spent = (changes: Partial<Spent>): Spent => ({ ...NOTHING, attempts: 3, ...changes });

function budget(changes: Partial<BudgetView> = {}): BudgetView {
  const scope = { account: null, client: null, resets: '2026-11-28' };
  return { name: '5/day', usd: 5, per: 'day', spentUsd: 0, ...scope, ...changes };
}

describe("the page's sums", () => {
  it('never show a price that nobody knows', () => {
    expect(costText(spent({ unpriced: 3 }))).toBe('price not known');
    expect(costText(spent({ unpriced: 1, usd: 2 }))).toBe('$2.00');
    expect(aboutText(spent({ unpriced: 1, usd: 2, tokens: 1_234 }))).toBe(
      '3 attempts · 1.2k tokens · 1 attempt without a price',
    );
    expect([costText(NOTHING), costText(spent({ usd: 0.00001 }))]).toEqual(['$0.00', '<$0.0001']);
  });

  it('say what waiting would have saved', () => {
    expect(savingText(spent({ usd: 3, peakUsd: 2, offPeakUsd: 2 }))).toBe(
      'This month $2.00 of $3.00 were spent at peak prices. Off-peak all of it would have cost $2.00, 33 % less.',
    );
    expect(savingText(spent({ usd: 3, offPeakUsd: 3 }))).toContain('Nothing was spent at peak');
    expect(savingText(NOTHING)).toBe('');
  });
});

describe('a budget on the page', () => {
  it.each([
    [3.99, 'good'],
    [4, 'warn'],
    [4.999, 'warn'],
    [5, 'bad'],
    [6, 'bad'],
    [null, 'good'],
  ] as const)('of $5 with %s spent is %s', (spentUsd, tone) => {
    expect(budgetTone(budget({ spentUsd }))).toBe(tone);
  });

  it('is said above everything when it is nearly or wholly spent', () => {
    expect(budgetAlert(budget())).toBeNull();
    expect(budgetAlert(budget({ spentUsd: 4.2 }))).toBe(
      'The budget of $5.00 a day is spent to 84 %.',
    );
    expect(budgetAlert(budget({ spentUsd: 5.01, client: 'zed' }))).toBe(
      'The budget of $5.00 a day for client zed is spent: such calls are refused until 2026-11-28.',
    );
  });
});

describe('a balance on the page', () => {
  const balance = { account: 'main', currency: 'USD', readAt: '' };
  it.each([
    [0, 3, 'gone', 'bad'],
    [5, null, 'nothing spent lately', 'good'],
    [5, 0.4, 'less than a day', 'warn'],
    [5, 1.2, 'about 1 day', 'warn'],
    [5, 12, 'about 12 days', 'good'],
    [5, 4_000, 'more than a year', 'good'],
  ] as const)('of %s that lasts %s days', (amount, lastsDays, text, tone) => {
    const shown = { ...balance, amount, lastsDays };
    expect([lastsText(shown), balanceTone(shown)]).toEqual([text, tone]);
  });
});

describe("the page's hours", () => {
  const now = Date.parse('2026-11-26T02:10:00Z');
  const hours = (
    period: 'peak' | 'off_peak' | 'perhaps',
    factor: number | null = 2,
  ): HoursView => ({
    model: 'deepseek-flash',
    factor,
    spans: [
      { from: '2026-11-26T02:10:00Z', until: '2026-11-26T04:00:00Z', period },
      { from: '2026-11-26T04:00:00Z', until: '2026-11-27T02:10:00Z', period: 'off_peak' },
    ],
  });

  it('are those of UTC, with the clock of the place beside them', () => {
    expect(bothClocks('Europe/Berlin', '2026-11-26T04:00:00Z')).toBe(
      '04:00 UTC (05:00 in Europe/Berlin)',
    );
    expect(bothClocks('Europe/London', '2026-11-26T04:00:00Z')).toBe('04:00 UTC');
  });

  it('say what holds now and until when', () => {
    expect(peakText(hours('peak'), 'UTC', now)).toBe(
      'Peak prices now, twice as much as off-peak, until 04:00 UTC: for 1 h 50 min.',
    );
    expect(peakText(hours('peak', 1.5), 'UTC', now)).toContain('1.5 times as much');
    expect(peakText(hours('peak', null), 'UTC', now)).toContain('Peak prices now, until');
    expect(peakText(hours('off_peak'), 'UTC', now)).toContain('Off-peak prices now, until 04:00');
    expect(peakText(hours('perhaps'), 'UTC', now)).toMatch(/^Perhaps peak prices now/);
    const all = { ...hours('off_peak'), spans: hours('off_peak').spans.slice(1) };
    expect(peakText(all, 'UTC', now)).toBe('Off-peak prices now, and for the next 24 hours.');
  });

  it('are written as a person waits for them', () => {
    expect([1, 59_000, 61_000, 3_600_000, 7_800_000].map(waitText)).toEqual([
      '1 min',
      '1 min',
      '2 min',
      '1 h',
      '2 h 10 min',
    ]);
  });

  it('are marked where they lie on the day ahead', () => {
    const marks = hourMarks(now, 6);
    expect(marks.map(({ label }) => label)).toEqual(['06:00', '12:00', '18:00', '00:00']);
    expect(marks[0]?.at).toBeCloseTo(3.8333 / 24, 3);
  });
});
