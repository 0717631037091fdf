import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { styleFor, widthOf } from '../../../src/commands/terminal/style.ts';
import { csvText, reportJson } from '../../../src/commands/usage/report-forms.ts';
import { spanOf } from '../../../src/commands/usage/span.ts';
import { usageText } from '../../../src/commands/usage/usage-view.ts';
import { dayOf, dayStart, monthStart } from '../../../src/usage/days.ts';
import { usageFolder } from '../../../src/usage/ledger/ledger.ts';
import { type Grouping, reportUsage } from '../../../src/usage/report/usage-report.ts';
import { entryAt, homeWith } from '../entries.ts';

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const NOW = Date.parse('2026-11-27T12:00:00Z');
const PLAIN = styleFor({ isTTY: false }, {});

function report(home: string, by: Grouping = 'day', since?: string, until?: string) {
  return reportUsage(usageFolder(home), spanOf(since, until, NOW), by, NOW);
}

const peak = {
  usd: { estimate: 1, least: 0.5, most: 1, offPeak: 0.5 },
  period: 'perhaps',
  isPerhaps: true,
} as const;

describe('a day', () => {
  it('is that of the time zone of this machine', async () => {
    const home = homeWith([entryAt('2026-11-26T23:30:00Z'), entryAt('2026-11-27T00:30:00Z')]);
    const days = async () => (await report(home)).groups.map(({ name }) => name);
    process.env.TZ = 'UTC';
    expect(await days()).toEqual(['2026-11-26', '2026-11-27']);
    process.env.TZ = 'Pacific/Auckland';
    expect(await days()).toEqual(['2026-11-27']);
    process.env.TZ = 'America/Los_Angeles';
    expect(await days()).toEqual(['2026-11-26']);
  });

  it('is in the span at both ends', async () => {
    process.env.TZ = 'Asia/Kolkata';
    const home = homeWith(
      [
        '2026-10-31T18:29:59Z',
        '2026-10-31T18:30:00Z',
        '2026-11-01T18:29:59Z',
        '2026-11-01T18:30:00Z',
      ].map((at) => entryAt(at)),
    );
    const { total } = await report(home, 'day', '2026-11-01', '2026-11-01');
    expect(total.attempts).toBe(2);
  });

  it('begins where it should at the end of a month, on a leap day and in summer time', () => {
    process.env.TZ = 'Europe/Berlin';
    const at = (text: string) => new Date(text).getTime();
    expect(dayOf(dayStart(at('2028-02-28T12:00:00Z'), 1))).toBe('2028-02-29');
    expect(dayOf(dayStart(at('2028-02-29T12:00:00Z'), 1))).toBe('2028-03-01');
    expect(dayOf(monthStart(at('2026-12-31T23:30:00Z'), 1))).toBe('2027-02-01');
    expect(new Date(dayStart(at('2026-03-29T12:00:00Z'), 1)).toISOString()).toBe(
      '2026-03-29T22:00:00.000Z',
    );
    expect(new Date(dayStart(at('2026-10-25T12:00:00Z'))).toISOString()).toBe(
      '2026-10-24T22:00:00.000Z',
    );
  });

  it.each(['2026-02-30', '27.11.2026', 'tomorrow', '', '0d', '2026-13-01'])(
    'is not %j',
    (since) => {
      expect(() => {
        const span = spanOf(since, undefined, NOW);
        if (span.since > NOW) throw new Error('in the future');
      }).toThrow();
    },
  );
});

describe('a report', () => {
  it('adds up by what is asked for, the dearest first', async () => {
    const home = homeWith([
      entryAt('2026-11-02T10:00:00Z', { client: 'a' }),
      entryAt('2026-11-03T10:00:00Z', { client: 'b', ...peak }),
      entryAt('2026-11-04T10:00:00Z', { client: null, outcome: 'cut' }),
      entryAt('2026-10-04T10:00:00Z', { client: 'of last month' }),
    ]);
    const { groups, total } = await report(home, 'client');
    expect(groups.map(({ name, tally }) => [name, tally.usd])).toEqual([
      ['b', 1],
      ['a', 0.5],
      ['unknown', 0.5],
    ]);
    expect(total).toMatchObject({
      attempts: 3,
      served: 2,
      usd: 2,
      offPeakUsd: 1.5,
      peakUsd: 1,
      perhapsUsd: 1,
      leastUsd: 1.5,
    });
  });

  it('invents no sum for a model without a price, and says which', async () => {
    const home = homeWith([
      entryAt('2026-11-02T10:00:00Z', { model: 'deepseek-v9', usd: null, cny: null }),
    ]);
    const made = await report(home, 'model');
    expect(made.total).toMatchObject({ usd: 0, unpriced: 1 });
    const text = usageText(made, NOW, PLAIN);
    expect(text).toMatch(/deepseek-v9\s+1\s+1\.5 k\s+\?$/m);
    expect(text).toContain('No price is known for any of it; days in ');
    expect(text).toMatch(
      /1 attempt of models without a price, which no sum counts:\n {2}deepseek-v9$/m,
    );
  });

  it("stands beside the provider's own balance, in the currency of the account", async () => {
    const home = homeWith([
      entryAt('2026-11-02T10:00:00Z'),
      entryAt('2026-11-04T10:00:00Z'),
      entryAt('2026-11-04T11:00:00Z', { account: 'other' }),
      entryAt('2026-11-20T10:00:00Z'),
    ]);
    const readings = [
      ['2026-11-03T00:00:00Z', 20],
      ['2026-11-05T00:00:00Z', 16.4],
      ['2026-11-06T00:00:00Z', 116.4],
    ].map(([at, amount]) =>
      JSON.stringify({ v: 1, at, provider: 'deepseek', account: 'main', currency: 'CNY', amount }),
    );
    writeFileSync(
      join(home, 'usage', 'balances-2026-11.jsonl'),
      `${readings.join('\n')}\n{"v":2}\nx\n`,
    );
    const { balances } = await report(home);
    expect(balances).toMatchObject([
      {
        account: 'main',
        currency: 'CNY',
        first: 20,
        last: 116.4,
        spent: expect.closeTo(3.6, 9),
        paidIn: 100,
        estimate: 3.5,
      },
    ]);
    const text = usageText(await report(home), NOW, PLAIN);
    expect(text).toContain('Balance of main, 2026-11-03 to 2026-11-06: 20.00 → 116.40 CNY.');
    expect(text).toContain('By it 3.60 spent and 100.00 paid in; by this ledger 3.50 spent.');
  });

  it('counts lines that it cannot read', async () => {
    const home = homeWith([entryAt('2026-11-02T10:00:00Z')], 'junk\n{"v":3}\n');
    expect(usageText(await report(home), NOW, PLAIN)).toContain(
      '2 lines of the ledger could not be read',
    );
  });

  it('of nothing says so', async () => {
    process.env.TZ = 'UTC';
    const text = usageText(await report(homeWith([])), NOW, PLAIN);
    expect(text).toBe(
      'Nothing was spent from 2026-11-01 to 2026-11-27: the ledger has no attempt.',
    );
  });
});

describe('the page', () => {
  const entries = Array.from({ length: 60 }, (_, at) =>
    entryAt(new Date(NOW - at * 9 * 3_600_000).toISOString(), {
      client: `客户端${at % 3} with a name that is far too long for a column`,
      usd: { estimate: at * 13.7, least: at, most: at * 20, offPeak: at * 7 },
      period: at % 2 === 0 ? 'peak' : 'off_peak',
      isPerhaps: at % 5 === 0,
    }),
  );

  it.each(['day', 'client', 'key', 'model', 'account', 'tool'] as const)(
    'by %s fits eighty columns',
    async (by) => {
      const text = usageText(await report(homeWith(entries), by, '60d'), NOW, PLAIN);
      for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(80);
    },
  );

  it('has no colour in a pipe, with NO_COLOR and on a dumb terminal, and the same words with', async () => {
    const made = await report(homeWith(entries));
    const text = (isTTY: boolean, env: Record<string, string>) =>
      usageText(made, NOW, styleFor({ isTTY }, env));
    const coloured = text(true, { TERM: 'xterm' });
    for (const plain of [
      text(false, {}),
      text(true, { NO_COLOR: '1' }),
      text(true, { TERM: 'dumb' }),
    ]) {
      expect(plain).not.toContain('\u001B');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are the subject
      expect(coloured.replace(/\u001B\[\d+m/g, '')).toBe(plain);
    }
    expect(coloured).toContain('\u001B[36m█');
  });

  it('shows nothing that a terminal would obey, and CSV nothing that a spreadsheet would run', async () => {
    const client = '=HYPERLINK("http://x")\u001B[31m,\nred';
    const made = await report(homeWith([entryAt('2026-11-02T10:00:00Z', { client })]), 'client');
    expect(usageText(made, NOW, PLAIN)).not.toContain('\u001B');
    const [, row] = csvText(made).split('\r\n');
    expect(row?.startsWith(`"'=HYPERLINK(""http://x"")`)).toBe(true);
    expect(JSON.parse(reportJson(made)).groups[0]).toMatchObject({ attempts: 1, cost_usd: 0.5 });
  });
});
