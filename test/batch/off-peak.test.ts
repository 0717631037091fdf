import { afterEach, describe, expect, it, vi } from 'vitest';
import { Gate, PeakHours } from '../../src/batch/off-peak.ts';
import { notBeforeOf, runBudgetOf } from '../../src/commands/batch/spending-flags.ts';
import { periodAt } from '../../src/usage/prices/calendar.ts';
import { builtInPrices } from '../../src/usage/prices/load-prices.ts';
import { priceAt } from '../../src/usage/prices/price-table.ts';

const zone = process.env.TZ;
afterEach(() => {
  vi.useRealTimers();
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const MINUTE_MS = 60_000;
const SUNDAY = Date.parse('2026-11-22T23:00:00Z');

function calendar() {
  const price = priceAt(builtInPrices(), 'deepseek', 'deepseek-flash', SUNDAY);
  if (price === null) throw new Error('no price');
  return price.calendar;
}

describe('a batch that keeps out of peak hours', () => {
  it('sends nothing at peak in a week, finishes what runs into a peak, and does every task', async () => {
    vi.useFakeTimers({ now: SUNDAY });
    const waits: number[] = [];
    const gate = new Gate({
      calendar: calendar(),
      notBefore: 0,
      now: () => Date.now(),
      onWait: (until) => waits.push(until),
    });
    const sentAt: number[] = [];
    const ran = { across: 0 };
    const done: number[] = [];
    const { signal } = new AbortController();
    /** A call that waited for a key for a while, and then takes some minutes. */
    const call = async (number: number): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, (number % 7) * MINUTE_MS));
      gate.check();
      sentAt.push(Date.now());
      await new Promise((resolve) => setTimeout(resolve, (number % 30) * MINUTE_MS));
      if (periodAt(calendar(), Date.now()) !== 'off_peak') ran.across += 1;
    };
    const task = async (number: number): Promise<void> => {
      for (;;) {
        try {
          await call(number);
          done.push(number);
          return;
        } catch (error) {
          if (!(error instanceof PeakHours)) throw error;
          await gate.open(signal);
        }
      }
    };
    let next = 0;
    let isOver = false;
    const worker = async (): Promise<void> => {
      while (next < 600) {
        const number = next++;
        await gate.open(signal);
        await task(number);
      }
    };
    const run = Promise.all([worker(), worker()]).then(() => {
      isOver = true;
    });
    for (let minute = 0; minute < 8 * 24 * 12 && !isOver; minute++) {
      await vi.advanceTimersByTimeAsync(5 * MINUTE_MS);
    }
    await run;
    expect(done).toHaveLength(600);
    expect(sentAt.filter((at) => periodAt(calendar(), at) !== 'off_peak')).toEqual([]);
    expect(ran.across).toBeGreaterThan(0);
    expect(waits.length).toBeGreaterThan(3);
    expect(new Set(waits).size).toBe(waits.length);
  }, 60_000);

  it('waits for a time that was named, and goes on at once after it', async () => {
    vi.useFakeTimers({ now: SUNDAY });
    const until = SUNDAY + 90 * MINUTE_MS;
    const gate = new Gate({
      calendar: null,
      notBefore: until,
      now: () => Date.now(),
      onWait: () => {},
    });
    let isOpen = false;
    void gate.open(new AbortController().signal).then(() => {
      isOpen = true;
    });
    await vi.advanceTimersByTimeAsync(89 * MINUTE_MS);
    expect(isOpen).toBe(false);
    await vi.advanceTimersByTimeAsync(2 * MINUTE_MS);
    expect(isOpen).toBe(true);
  });

  it('stops waiting when it is stopped', async () => {
    const controller = new AbortController();
    const gate = new Gate({
      calendar: null,
      notBefore: Date.now() + 60_000,
      now: Date.now,
      onWait: () => {},
    });
    const waiting = gate.open(controller.signal);
    controller.abort();
    await expect(waiting).rejects.toThrow();
  });
});

describe('the flags', () => {
  it('take a time of day, the next one, and an instant', () => {
    process.env.TZ = 'Europe/Berlin';
    const now = Date.parse('2026-11-27T20:00:00Z');
    expect(new Date(notBeforeOf('22:30', now)).toISOString()).toBe('2026-11-27T21:30:00.000Z');
    expect(new Date(notBeforeOf('9:05', now)).toISOString()).toBe('2026-11-28T08:05:00.000Z');
    expect(notBeforeOf('2026-11-28T04:00Z', now)).toBe(Date.parse('2026-11-28T04:00:00Z'));
    expect(notBeforeOf(undefined, now)).toBe(0);
    for (const text of ['', 'soon', '25:00', '2026-13-01', '7']) {
      expect(() => notBeforeOf(text, now)).toThrow(/no time/);
    }
  });

  it('take an amount of dollars above nothing', () => {
    expect(runBudgetOf('$2.50')).toMatchObject({ usd: 2.5, per: 'session' });
    for (const text of ['0', '-1', '5/day', '', 'much']) {
      expect(() => runBudgetOf(text)).toThrow(/above nothing/);
    }
  });
});
