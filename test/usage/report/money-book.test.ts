import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../lab/store.ts';
import { dayStart, monthStart } from '../../../src/usage/days.ts';
import { balanceLine } from '../../../src/usage/ledger/balance-reading.ts';
import { lineOf } from '../../../src/usage/ledger/entry.ts';
import { usageFolder } from '../../../src/usage/ledger/ledger.ts';
import { FACETS, MoneyBook } from '../../../src/usage/report/money-book.ts';
import { reportUsage } from '../../../src/usage/report/usage-report.ts';
import { entryAt, homeWith } from '../entries.ts';

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const NOW = Date.parse('2026-11-27T12:00:00Z');

async function bookOf(home: string, now = NOW): Promise<MoneyBook> {
  const book = new MoneyBook(usageFolder(home));
  await book.refresh(now);
  return book;
}

const attempts = (book: MoneyBook, since: number, until: number): number =>
  book.span(since, until).total.attempts;

describe('the money book', () => {
  it('has today, the week and the month by the days of this machine', async () => {
    process.env.TZ = 'Asia/Tokyo';
    const home = homeWith([
      // The first of November there, and the day before.
      entryAt('2026-10-31T15:00:00Z'),
      entryAt('2026-10-31T14:59:59Z'),
      entryAt('2026-11-20T15:00:00Z'),
      entryAt('2026-11-26T15:00:00Z'),
      entryAt('2026-11-27T11:59:00Z'),
    ]);
    const book = await bookOf(home);
    expect(attempts(book, NOW, NOW)).toBe(2);
    expect(attempts(book, dayStart(NOW, -6), NOW)).toBe(3);
    expect(attempts(book, monthStart(NOW), NOW)).toBe(4);
    expect(book.hours(NOW).map((hour) => hour.attempts)).toEqual([
      ...[1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
    ]);
    const days = book.days(NOW);
    expect(days.map(({ day }) => day).slice(0, 2)).toEqual(['2026-10-29', '2026-10-30']);
    expect(days).toHaveLength(30);
    expect(days.at(-1)).toMatchObject({ day: '2026-11-27', tally: { attempts: 2 } });
  });

  it('says the same as the usage report, however the spending was spread', async () => {
    process.env.TZ = 'America/New_York';
    const spending = fc.record({
      hoursAgo: fc.integer({ min: 0, max: 24 * 40 }),
      model: fc.constantFrom('deepseek-flash', 'deepseek-v4-pro', 'search'),
      account: fc.constantFrom('main', 'work'),
      client: fc.constantFrom('cursor', 'zed', null),
      usd: fc.constantFrom(null, 0.25, 1),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(spending, { maxLength: 30 }), async (list) => {
        const entries = list.map(({ hoursAgo, usd, ...rest }, at) =>
          entryAt(new Date(NOW - hoursAgo * 3_600_000).toISOString(), {
            ...rest,
            id: `x.${at}`,
            usd: usd === null ? null : { estimate: usd, least: usd, most: usd, offPeak: usd },
          }),
        );
        const home = homeWith(entries);
        mkdirSync(usageFolder(home), { recursive: true });
        const book = await bookOf(home);
        const [since, until] = [monthStart(NOW), dayStart(NOW, 1)];
        for (const facet of FACETS) {
          const report = await reportUsage(usageFolder(home), { since, until }, facet, NOW);
          const { total, by } = book.span(since, NOW);
          expect(total).toEqual(report.total);
          expect(by[facet]).toEqual(report.groups);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('reads only what was added, and no line before its end is there', async () => {
    const home = homeWith([entryAt('2026-11-27T10:00:00Z')]);
    const path = join(usageFolder(home), 'ledger-2026-11.jsonl');
    const book = await bookOf(home);
    const line = `${lineOf(entryAt('2026-11-27T11:00:00Z'))}\n`;
    appendFileSync(path, line.slice(0, 40));
    await book.refresh(NOW);
    expect(attempts(book, NOW, NOW)).toBe(1);
    appendFileSync(path, `${line.slice(40)}not ours\n`);
    await Promise.all([book.refresh(NOW), book.refresh(NOW)]);
    expect([attempts(book, NOW, NOW), book.unreadableLines]).toEqual([2, 1]);
  });

  it('begins anew where a file was put in the place of another, cut short or taken away', async () => {
    const home = homeWith([entryAt('2026-11-27T10:00:00Z'), entryAt('2026-11-27T10:30:00Z')]);
    const path = join(usageFolder(home), 'ledger-2026-11.jsonl');
    const book = await bookOf(home);
    const line = `${lineOf(entryAt('2026-11-27T11:00:00Z'))}\n`;
    writeFileSync(path, line);
    await book.refresh(NOW);
    expect(attempts(book, NOW, NOW)).toBe(1);
    writeFileSync(`${path}.new`, line.repeat(5));
    renameSync(`${path}.new`, path);
    await book.refresh(NOW);
    expect(attempts(book, NOW, NOW)).toBe(5);
    rmSync(path);
    await book.refresh(NOW);
    expect(attempts(book, NOW, NOW)).toBe(0);
  });

  it('forgets what is older than it shows, when months go by', async () => {
    process.env.TZ = 'UTC';
    const home = homeWith([entryAt('2026-11-27T10:00:00Z')]);
    const book = await bookOf(home);
    const later = Date.parse('2027-01-02T00:00:00Z');
    await book.refresh(later);
    expect(attempts(book, 0, later)).toBe(0);
    expect(book.days(later).at(-1)?.day).toBe('2027-01-02');
  });

  it('knows the last word about each balance, and how long somebody has been spending', async () => {
    process.env.TZ = 'UTC';
    const home = homeWith([entryAt('2026-11-25T10:00:00Z')]);
    const reading = { provider: 'deepseek', account: 'main', currency: 'USD' };
    const text = [5, 4.5].map((amount, at) =>
      balanceLine({ ...reading, amount, at: NOW - 1000 + at }),
    );
    writeFileSync(join(usageFolder(home), 'balances-2026-11.jsonl'), `${text.join('\n')}\nno\n`);
    const book = await bookOf(home);
    expect(book.balances()).toMatchObject([{ account: 'main', amount: 4.5 }]);
    expect([book.activeDays(NOW, 7), book.activeDays(NOW, 2)]).toEqual([3, 1]);
  });

  it('is empty where nothing was ever spent', async () => {
    const book = await bookOf(temporaryFolder());
    expect(attempts(book, 0, NOW)).toBe(0);
    expect(book.balances()).toEqual([]);
  });
});
