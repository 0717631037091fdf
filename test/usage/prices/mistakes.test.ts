/** Mistakes that other programs made with these prices, each with its public report in mind. */

import { describe, expect, it } from 'vitest';
import type { Calendar } from '../../../src/usage/prices/calendar.ts';
import { offPeakFrom, periodAt, periodsBetween } from '../../../src/usage/prices/calendar.ts';
import { builtInPrices } from '../../../src/usage/prices/load-prices.ts';
import { priceTokens } from '../../../src/usage/prices/price-attempt.ts';
import { priceAt } from '../../../src/usage/prices/price-table.ts';

const table = builtInPrices();
const MILLION = 1_000_000;

/** Dollars of a flash call at an instant, by token kind. */
function flash(at: string, tokens: { hit?: number; miss?: number; output?: number }, endedAt = at) {
  const priced = priceTokens(table, {
    provider: 'deepseek',
    model: 'deepseek-flash',
    sentAt: Date.parse(at),
    endedAt: Date.parse(endedAt),
    tokens: { hit: 0, miss: 0, output: 0, ...tokens },
  });
  if (priced === null) throw new Error('no price');
  return priced;
}

function current(): Calendar {
  const price = priceAt(table, 'deepseek', 'deepseek-flash', Date.parse('2026-11-27T00:00:00Z'));
  if (price === null) throw new Error('no price');
  return price.calendar;
}

const PEAK = '2026-11-27T02:00:00Z';
const OFF = '2026-11-27T05:00:00Z';

describe('a price estimate does not', () => {
  it('charge the weekend at peak', () => {
    for (const day of ['2026-11-28', '2026-11-29']) {
      expect(flash(`${day}T02:00:00Z`, { miss: MILLION }).costs.usd?.estimate).toBe(0.15);
    }
    expect(flash('2026-11-30T02:00:00Z', { miss: MILLION }).costs.usd?.estimate).toBe(0.3);
  });

  it('know the off-peak price alone', () => {
    expect(flash(PEAK, { output: MILLION }).costs.usd?.estimate).toBe(1.2);
  });

  it('charge peak all day: 35 of 168 hours of a week are peak', () => {
    const monday = Date.parse('2026-11-23T00:00:00Z');
    const hours = Array.from({ length: 168 }, (_, hour) => monday + hour * 3_600_000);
    const peak = hours.filter((at) => periodAt(current(), at) === 'peak');
    expect(peak).toHaveLength(35);
  });

  it('charge the prompt twice, or take a price from a count', () => {
    const { costs } = flash(OFF, { hit: 600_000, miss: 400_000, output: 100_000 });
    expect(costs.usd?.estimate).toBeCloseTo(0.6 * 0.003 + 0.4 * 0.15 + 0.1 * 0.6, 12);
  });

  it('forget the discount of the cache', () => {
    expect(flash(OFF, { hit: MILLION }).costs.usd?.estimate).toBe(0.003);
  });

  it('charge a miss as a write to the cache on top of the prompt', () => {
    expect(flash(OFF, { hit: 0, miss: MILLION }).costs.usd?.estimate).toBe(0.15);
  });

  it('take the cache at a tenth of the price: it is a fiftieth for flash, a thirtieth for pro', () => {
    const at = Date.parse(OFF);
    const rates = (model: string) => priceAt(table, 'deepseek', model, at)?.lists.usd?.offPeak;
    expect((rates('deepseek-flash')?.hit ?? 0) / 0.15).toBeCloseTo(0.02, 6);
    expect((rates('deepseek-v4-pro')?.hit ?? 0) / 0.66).toBeCloseTo(0.0333, 4);
  });

  it('price a model that it does not know, however alike its name is', () => {
    for (const model of ['deepseek-v4.1-pro', 'deepseek-flash-2', 'deepseek-', 'gpt-6', '']) {
      const charge = {
        provider: 'deepseek',
        sentAt: 0,
        endedAt: 0,
        tokens: { hit: 1, miss: 1, output: 1 },
      };
      expect(priceTokens(table, { ...charge, model })).toBeNull();
      const at = Date.parse(OFF);
      expect(priceTokens(table, { ...charge, model, sentAt: at, endedAt: at })).toBeNull();
    }
  });

  it('convert between currencies: the lists are 6.667 to 1 for flash and 6.818 for pro', () => {
    const { costs } = flash(OFF, { miss: MILLION });
    expect([costs.usd?.estimate, costs.cny?.estimate]).toEqual([0.15, 1]);
    const at = Date.parse(OFF);
    const pro = priceTokens(table, {
      provider: 'deepseek',
      model: 'deepseek-v4-pro',
      sentAt: at,
      endedAt: at,
      tokens: { hit: 0, miss: MILLION, output: 0 },
    });
    expect([pro?.costs.usd?.estimate, pro?.costs.cny?.estimate]).toEqual([0.66, 4.5]);
  });

  it('count the last minute of a window twice: 12:00 and 18:00 in Beijing are off-peak', () => {
    expect(periodAt(current(), Date.parse('2026-11-27T03:59:59Z'))).toBe('peak');
    expect(periodAt(current(), Date.parse('2026-11-27T04:00:00Z'))).toBe('off_peak');
    expect(periodAt(current(), Date.parse('2026-11-27T06:00:00Z'))).toBe('peak');
    expect(periodAt(current(), Date.parse('2026-11-27T09:59:59Z'))).toBe('peak');
    expect(periodAt(current(), Date.parse('2026-11-27T10:00:00Z'))).toBe('off_peak');
    expect(periodAt(current(), Date.parse('2026-11-27T01:00:00Z'))).toBe('peak');
    expect(periodAt(current(), Date.parse('2026-11-27T00:59:59Z'))).toBe('off_peak');
  });

  it('take a year whose holidays are unknown for one without peaks', () => {
    // New Year 2027 is a Friday; nothing is announced in the table.
    expect(periodAt(current(), Date.parse('2027-01-01T02:00:00Z'))).toBe('peak');
  });

  it('price old usage with the prices of today', () => {
    const at = (when: string) => flash(when, { miss: MILLION }).costs.usd?.estimate;
    expect(at('2026-08-10T02:00:00Z')).toBe(0.14);
    expect(at('2026-08-16T16:00:00Z')).toBe(0.22);
    // A Saturday in Beijing while every day had its peaks, and one week later.
    expect(at('2026-08-22T02:00:00Z')).toBe(0.44);
    expect(at('2026-08-29T02:00:00Z')).toBe(0.22);
    expect(at('2026-09-10T03:59:59Z')).toBe(0.44);
    expect(at('2026-09-10T04:00:00Z')).toBe(0.15);
  });
});

describe('the period', () => {
  it('goes by the weekday of Beijing, not of UTC', () => {
    const calendar: Calendar = {
      ...current(),
      // 16:00 to 22:00 UTC is 00:00 to 06:00 of the next day in Beijing.
      windows: [{ weekdays: new Set([1, 2, 3, 4, 5]), from: 0, to: 6 * 60 }],
    };
    expect(periodAt(calendar, Date.parse('2026-08-28T16:30:00Z'))).toBe('off_peak');
    expect(periodAt(calendar, Date.parse('2026-08-30T16:30:00Z'))).toBe('peak');
  });

  it('is off-peak on a legal holiday, and perhaps on a bridge day', () => {
    expect(periodAt(current(), Date.parse('2026-10-01T02:00:00Z'))).toBe('off_peak');
    expect(periodAt(current(), Date.parse('2026-10-05T02:00:00Z'))).toBe('perhaps');
    expect(periodAt(current(), Date.parse('2026-10-05T05:00:00Z'))).toBe('off_peak');
    expect(periodAt(current(), Date.parse('2026-10-08T02:00:00Z'))).toBe('peak');
  });

  it('ends where a window does, whatever the zone of this machine', () => {
    const ends = offPeakFrom(current(), Date.parse('2026-11-27T02:30:10Z'));
    expect(new Date(ends ?? 0).toISOString()).toBe('2026-11-27T04:00:00.000Z');
    expect(offPeakFrom(current(), Date.parse(OFF))).toBe(Date.parse(OFF));
  });
});

describe('an attempt that straddles a border', () => {
  it('is perhaps, at the dearer price, with the cheaper one beside it', () => {
    const into = flash('2026-11-27T00:59:50Z', { output: MILLION }, '2026-11-27T01:00:10Z');
    expect(into.period).toBe('perhaps');
    expect(into.costs.usd).toEqual({ estimate: 1.2, least: 0.6, most: 1.2, offPeak: 0.6 });
    const out = flash('2026-11-27T03:59:50Z', { output: MILLION }, '2026-11-27T04:00:10Z');
    expect(out.costs.usd).toEqual({ estimate: 1.2, least: 0.6, most: 1.2, offPeak: 0.6 });
  });

  it('may lie on a change of prices', () => {
    const cost = flash('2026-09-10T03:59:00Z', { miss: MILLION }, '2026-09-10T04:01:00Z').costs.usd;
    expect(cost).toMatchObject({ estimate: 0.44, least: 0.15 });
  });

  it('does not end before it began when the clock was set back', () => {
    const set = flash('2026-11-27T02:00:00Z', { output: MILLION }, '2026-11-26T23:00:00Z');
    expect(set).toMatchObject({ period: 'peak', costs: { usd: { estimate: 1.2, least: 1.2 } } });
  });
});

describe('the hours ahead', () => {
  it('are told to the minute, and lie end to end', () => {
    const [from, until] = [Date.parse('2026-11-26T23:15:30Z'), Date.parse('2026-11-27T23:15:30Z')];
    const spans = periodsBetween(current(), from, until);
    const shown = spans.map(({ period, until: end }) => [
      period,
      new Date(end).toISOString().slice(11, 19),
    ]);
    expect(shown).toEqual([
      ['off_peak', '01:00:00'],
      ['peak', '04:00:00'],
      ['off_peak', '06:00:00'],
      ['peak', '10:00:00'],
      ['off_peak', '23:15:30'],
    ]);
    expect(spans[0]?.from).toBe(from);
    for (const [at, span] of spans.entries()) expect(span.from).toBe(spans[at - 1]?.until ?? from);
  });

  it('are one stretch on a weekend, and none where there is no time', () => {
    const saturday = Date.parse('2026-11-28T00:00:00Z');
    expect(periodsBetween(current(), saturday, saturday + 24 * 3_600_000)).toHaveLength(1);
    expect(periodsBetween(current(), saturday, saturday)).toEqual([]);
  });
});
