/**
 * LiteLLM's price file, `model_prices_and_context_window.json`: its standard rates are the peak
 * ones, `off_peak_pricing` replaces them within its windows. It knows US dollars, no history and
 * no holidays: a holiday counts as what its weekday is, which is the dear side.
 */

import { type Calendar, type HoursWindow, isZone } from './calendar.ts';
import { hoursOf, weekdayNumber } from './parse-table.ts';
import {
  type PeriodRates,
  type PriceTable,
  priceKey,
  type Rates,
  type TokenPrice,
} from './price-table.ts';
import { TableValue } from './table-reader.ts';

const MILLION = 1_000_000;
const EVERY_DAY: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7]);
const PROVIDERS = ['deepseek', 'perplexity'];

const COSTS = {
  hit: 'cache_read_input_token_cost',
  miss: 'input_cost_per_token',
  output: 'output_cost_per_token',
} as const;

/** True when any entry of the object has the fields of LiteLLM's. */
export function isLiteLlm(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).some(
    (entry: unknown) => typeof entry === 'object' && entry !== null && COSTS.miss in entry,
  );
}

type Members = ReadonlyMap<string, TableValue>;

/** Per token there, per million here; the trailing digits of the multiplication are cut off. */
function perMillion(place: TableValue | undefined, otherwise: number | null): number | null {
  if (place === undefined || place.isNull) return otherwise;
  return Number((place.amount() * MILLION).toPrecision(12));
}

/** A cache hit without a price of its own costs what any input does. */
function ratesOf(members: Members, place: TableValue): Rates {
  const miss = perMillion(members.get(COSTS.miss), null);
  const output = perMillion(members.get(COSTS.output), null);
  if (miss === null || output === null) return place.fail(`lacks ${COSTS.miss} or ${COSTS.output}`);
  return { miss, output, hit: perMillion(members.get(COSTS.hit), miss) ?? miss };
}

function listed(place: TableValue | undefined): readonly TableValue[] {
  if (place === undefined || place.isNull) return [];
  return Array.isArray(place.value) ? place.list() : [place];
}

function weekdaysOf(place: TableValue | undefined): ReadonlySet<number> {
  if (place === undefined || place.isNull) return EVERY_DAY;
  const days = place.list().map((day) => {
    if (typeof day.value === 'number' && EVERY_DAY.has(day.value)) return day.value;
    return weekdayNumber(day.text()) ?? day.fail('has to be a weekday, 1 to 7 or "mon" to "sun"');
  });
  return new Set(days);
}

function spansOf(hours: TableValue | undefined, weekdays: ReadonlySet<number>): HoursWindow[] {
  return listed(hours).map((span) => ({
    weekdays,
    ...(hoursOf(span.text()) ?? span.fail('has to be hours in UTC, as 16:30-00:30')),
  }));
}

function calendarOf(offPeak: Members): Calendar {
  const zone = offPeak.get('weekday_timezone');
  const daysZone = zone === undefined || zone.isNull ? 'UTC' : zone.text();
  if (!isZone(daysZone)) zone?.fail('is no time zone that is known here');
  const windows = listed(offPeak.get('windows')).flatMap((window) => {
    const members = window.members();
    return spansOf(members.get('hours_utc'), weekdaysOf(members.get('weekdays')));
  });
  return {
    hoursZone: 'UTC',
    daysZone,
    windows: [...windows, ...spansOf(offPeak.get('hours_utc'), EVERY_DAY)],
    inside: 'off_peak',
    holidays: [],
    knownUntil: null,
  };
}

const ALWAYS: Calendar = {
  hoursZone: 'UTC',
  daysZone: 'UTC',
  windows: [],
  inside: 'peak',
  holidays: [],
  knownUntil: null,
};

function priceOf(members: Members, place: TableValue): TokenPrice {
  const peak = ratesOf(members, place);
  const special = members.get('off_peak_pricing');
  if (special === undefined || special.isNull) {
    return {
      validFrom: null,
      calendar: ALWAYS,
      lists: { usd: { peak, offPeak: peak }, cny: null },
    };
  }
  const offPeak = special.members();
  const usd: PeriodRates = {
    peak,
    offPeak: {
      hit: perMillion(offPeak.get(COSTS.hit), peak.hit) ?? peak.hit,
      miss: perMillion(offPeak.get(COSTS.miss), peak.miss) ?? peak.miss,
      output: perMillion(offPeak.get(COSTS.output), peak.output) ?? peak.output,
    },
  };
  return { validFrom: null, calendar: calendarOf(offPeak), lists: { usd, cny: null } };
}

/** `deepseek/deepseek-flash`, or a bare name beside `litellm_provider`. */
function nameOf(name: string, members: Members): readonly [string, string] | null {
  const told = members.get('litellm_provider')?.value;
  const [first = '', ...rest] = name.split('/');
  if (PROVIDERS.includes(first) && rest.length > 0) return [first, rest.join('/')];
  return typeof told === 'string' && PROVIDERS.includes(told) ? [told, name] : null;
}

/**
 * The two providers' models out of LiteLLM's file; everything that is charged by the request
 * stays as `base` has it.
 *
 * @throws PriceTableError for the first mistake in one of them
 */
export function parseLiteLlm(value: unknown, origin: string, base: PriceTable): PriceTable {
  const root = new TableValue(value);
  const tokens = new Map<string, readonly TokenPrice[]>();
  for (const [name, place] of root.members()) {
    if (typeof place.value !== 'object' || place.value === null) continue;
    const members = place.members();
    const named = nameOf(name, members);
    if (named === null || !members.has(COSTS.miss)) continue;
    tokens.set(priceKey(...named), [priceOf(members, place)]);
  }
  if (tokens.size === 0) root.fail(`holds no model of ${PROVIDERS.join(' or ')}`);
  return { read: base.read, origin, tokens, requests: base.requests };
}
