/** Peak and off-peak hours. Pure: an instant in, a period out. */

/** `perhaps`: nobody outside the provider knows, for instance on a bridge day. */
export type Period = 'peak' | 'off_peak' | 'perhaps';

/** Hours on certain days; from inclusive, to exclusive, in minutes of the day. */
export interface HoursWindow {
  /** 1 Monday … 7 Sunday. */
  readonly weekdays: ReadonlySet<number>;
  readonly from: number;
  /** Below `from`: over midnight. Equal to it: the whole day. */
  readonly to: number;
}

/** Days that are off-peak as a whole, as `YYYY-MM-DD`, both ends included. */
export interface Holidays {
  readonly from: string;
  readonly to: string;
  /** False where the provider's rule can be read either way. */
  readonly sure: boolean;
}

export interface Calendar {
  /** The zone that hours are given in. */
  readonly hoursZone: string;
  /** The zone that weekdays and holidays are given in. */
  readonly daysZone: string;
  readonly windows: readonly HoursWindow[];
  /** What holds inside the windows; outside of them it is the other. */
  readonly inside: 'peak' | 'off_peak';
  readonly holidays: readonly Holidays[];
  /** Holidays after this day are not announced, and count as peak; null: there are none at all. */
  readonly knownUntil: string | null;
}

export interface WallTime {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** 1 Monday … 7 Sunday. */
  readonly weekday: number;
  /** Of the day. */
  readonly minute: number;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter costs fifty times as much as using it. */
function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  formatters.set(zone, made);
  return made;
}

/** 1 Monday … 7 Sunday, of a date as `YYYY-MM-DD`. */
function weekdayOf(date: string): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay() || 7;
}

function readClock(zone: string, at: number): WallTime {
  const parts = new Map(
    formatterOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const date = `${parts.get('year')?.padStart(4, '0')}-${parts.get('month')}-${parts.get('day')}`;
  const minute = Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
  return { date, weekday: weekdayOf(date), minute };
}

const MINUTE_MS = 60_000;

/** The minute that was asked for last, by zone: reading a clock costs more than pricing a call. */
const lastRead = new Map<string, { readonly minute: number; readonly time: WallTime }>();

/** What a clock on the wall shows. @param at epoch milliseconds; @param zone IANA name */
export function wallTime(zone: string, at: number): WallTime {
  // Zones have moved by whole minutes since long before there was anything to price.
  const minute = Math.floor(at / MINUTE_MS);
  const last = lastRead.get(zone);
  if (last?.minute === minute) return last.time;
  const time = readClock(zone, at);
  lastRead.set(zone, { minute, time });
  return time;
}

/** True for a name that this runtime has the zone of. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function covers({ from, to }: HoursWindow, minute: number): boolean {
  if (from === to) return true;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** The period at one instant, in epoch milliseconds. */
export function periodAt(calendar: Calendar, at: number): Period {
  const days = wallTime(calendar.daysZone, at);
  const { minute } =
    calendar.hoursZone === calendar.daysZone ? days : wallTime(calendar.hoursZone, at);
  const isInside = calendar.windows.some(
    (window) => window.weekdays.has(days.weekday) && covers(window, minute),
  );
  const isPeak = isInside === (calendar.inside === 'peak');
  if (!isPeak) return 'off_peak';
  const { date } = days;
  const holiday = calendar.holidays.find(({ from, to }) => date >= from && date <= to);
  if (holiday === undefined) return 'peak';
  return holiday.sure ? 'off_peak' : 'perhaps';
}

/** The longest time without a border of any calendar that makes sense. */
const LOOK_AHEAD_MS = 8 * 24 * 60 * MINUTE_MS;

/** The next instant at which the period is surely off-peak, `at` itself included; null: never. */
export function offPeakFrom(calendar: Calendar, at: number): number | null {
  if (periodAt(calendar, at) === 'off_peak') return at;
  const start = Math.ceil((at + 1) / MINUTE_MS) * MINUTE_MS;
  for (let next = start; next < at + LOOK_AHEAD_MS; next += MINUTE_MS) {
    if (periodAt(calendar, next) === 'off_peak') return next;
  }
  return null;
}

/** A stretch of time with one period. Epoch milliseconds; `until` is not part of it. */
export interface PeriodSpan {
  readonly from: number;
  readonly until: number;
  readonly period: Period;
}

/** The periods between two instants, in their order, to the minute. */
export function periodsBetween(calendar: Calendar, from: number, until: number): PeriodSpan[] {
  const spans: PeriodSpan[] = [];
  let next = from;
  while (next < until) {
    const start = next;
    const period = periodAt(calendar, start);
    do next = (Math.floor(next / MINUTE_MS) + 1) * MINUTE_MS;
    while (next < until && periodAt(calendar, next) === period);
    spans.push({ from: start, until: Math.min(next, until), period });
  }
  return spans;
}
