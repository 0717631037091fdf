/** Our own shape of a price table, read strictly: a misspelt field is a mistake, not a default. */

import { type Calendar, type Holidays, type HoursWindow, isZone } from './calendar.ts';
import {
  type Currency,
  type PeriodRates,
  type PriceTable,
  priceKey,
  type Rates,
  type RequestPrice,
  type TokenPrice,
} from './price-table.ts';
import { TableValue } from './table-reader.ts';

export const TABLE_FORMAT = 'keypool-mcp prices 1';

const WEEKDAYS: readonly string[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const HOURS = /^([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/;
const DAY_MINUTES = 24 * 60;
const PROVIDERS = ['deepseek', 'perplexity'];

/** 1 Monday … 7 Sunday, from a name. */
export function weekdayNumber(name: string): number | null {
  const at = WEEKDAYS.indexOf(name.trim().toLowerCase().slice(0, 3));
  return at === -1 ? null : at + 1;
}

/** `09:00-12:00` in minutes of the day; null when it is none. 24:00 is the end of a day. */
export function hoursOf(text: string): { readonly from: number; readonly to: number } | null {
  const found = HOURS.exec(text.trim());
  if (found === null) return null;
  const [h1, m1, h2, m2] = found.slice(1).map(Number);
  const from = (h1 ?? 0) * 60 + (m1 ?? 0);
  const to = (h2 ?? 0) * 60 + (m2 ?? 0);
  return from > DAY_MINUTES || to > DAY_MINUTES ? null : { from, to };
}

function windowsOf(place: TableValue): HoursWindow[] {
  return place.list().flatMap((each) => {
    const { weekdays, hours } = each.object(['weekdays', 'hours']);
    const days = weekdays.list().map((day) => {
      return weekdayNumber(day.text()) ?? day.fail(`has to be one of ${WEEKDAYS.join(', ')}`);
    });
    if (days.length === 0) weekdays.fail('names no day');
    return hours.list().map((span) => ({
      weekdays: new Set(days),
      ...(hoursOf(span.text()) ?? span.fail('has to be hours, as 09:00-12:00')),
    }));
  });
}

function holidaysOf(place: TableValue): Holidays[] {
  return place.list().map((each) => {
    const { from, to, sure } = each.object(['from', 'to', 'sure']);
    const span = { from: from.date(), to: to.date(), sure: sure.flag() };
    if (span.from > span.to) to.fail('comes before its from');
    return span;
  });
}

function calendarOf(place: TableValue): Calendar {
  const { timezone, peak, holidays, known_until, source } = place.object([
    'timezone',
    'peak',
    'holidays',
    'known_until',
    'source',
  ]);
  source.text();
  const zone = timezone.text();
  if (!isZone(zone)) timezone.fail('is no time zone that is known here');
  return {
    hoursZone: zone,
    daysZone: zone,
    windows: windowsOf(peak),
    inside: 'peak',
    holidays: holidaysOf(holidays),
    knownUntil: known_until.date(),
  };
}

function ratesOf(place: TableValue): Rates {
  const { hit, miss, output } = place.object(['hit', 'miss', 'output']);
  return { hit: hit.amount(), miss: miss.amount(), output: output.amount() };
}

function listOf(place: TableValue): PeriodRates | null {
  if (place.isNull) return null;
  const { off_peak, peak } = place.object(['off_peak', 'peak']);
  return { offPeak: ratesOf(off_peak), peak: ratesOf(peak) };
}

function tokenPriceOf(place: TableValue, calendars: ReadonlyMap<string, Calendar>): TokenPrice {
  const { valid_from, calendar, usd, cny } = place.object(['valid_from', 'calendar', 'usd', 'cny']);
  const named = calendars.get(calendar.text());
  if (named === undefined) return calendar.fail('names no calendar of this file');
  const lists: Record<Currency, PeriodRates | null> = { usd: listOf(usd), cny: listOf(cny) };
  if (lists.usd === null && lists.cny === null) place.fail('has neither usd nor cny');
  return { validFrom: valid_from.isNull ? null : valid_from.instant(), calendar: named, lists };
}

function providerOf(place: TableValue): string {
  const provider = place.text();
  return PROVIDERS.includes(provider)
    ? provider
    : place.fail(`has to be one of ${PROVIDERS.join(', ')}`);
}

/** Lists of one model, oldest first, each beginning later than the one before. */
function tokenPricesOf(place: TableValue, calendars: ReadonlyMap<string, Calendar>): TokenPrice[] {
  const prices: TokenPrice[] = [];
  for (const each of place.list()) {
    const price = tokenPriceOf(each, calendars);
    const before = prices.at(-1);
    if (before !== undefined && (price.validFrom ?? 0) <= (before.validFrom ?? 0)) {
      each.fail('is not valid from later than the one before it');
    }
    prices.push(price);
  }
  if (prices.length === 0) place.fail('holds no price');
  return prices;
}

function readTokens(
  place: TableValue,
  calendars: ReadonlyMap<string, Calendar>,
): Map<string, readonly TokenPrice[]> {
  const tokens = new Map<string, readonly TokenPrice[]>();
  for (const each of place.list()) {
    const fields = each.object(['provider', 'models', 'source', 'prices']);
    fields.source.text();
    const provider = providerOf(fields.provider);
    const prices = tokenPricesOf(fields.prices, calendars);
    for (const model of fields.models.list()) {
      const key = priceKey(provider, model.text());
      if (tokens.has(key)) model.fail('has a price twice');
      tokens.set(key, prices);
    }
  }
  return tokens;
}

function readRequests(place: TableValue): Map<string, RequestPrice> {
  const requests = new Map<string, RequestPrice>();
  for (const each of place.list()) {
    const fields = each.object(['provider', 'name', 'source', 'usd', 'usd_at_most']);
    fields.source.text();
    const key = priceKey(providerOf(fields.provider), fields.name.text());
    if (requests.has(key)) fields.name.fail('has a price twice');
    requests.set(key, {
      usd: fields.usd.isNull ? null : fields.usd.amount(),
      usdAtMost: fields.usd_at_most.amount(),
    });
  }
  return requests;
}

/**
 * @param value parsed JSON
 * @throws PriceTableError for the first mistake
 */
export function parsePriceTable(value: unknown, origin: string): PriceTable {
  const root = new TableValue(value);
  const fields = root.object(['format', 'read', 'calendars', 'tokens', 'requests']);
  if (fields.format.value !== TABLE_FORMAT) fields.format.fail(`has to be "${TABLE_FORMAT}"`);
  const calendars = new Map(
    [...fields.calendars.members()].map(([name, each]) => [name, calendarOf(each)]),
  );
  return {
    read: fields.read.date(),
    origin,
    tokens: readTokens(fields.tokens, calendars),
    requests: readRequests(fields.requests),
  };
}
