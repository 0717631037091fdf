/** `--off-peak`, `--not-before` and `--budget` of a batch, read and put into words. */

import { ConfigError } from '../../base/errors.ts';
import { Gate } from '../../batch/off-peak.ts';
import type { Config } from '../../config.ts';
import type { Budget } from '../../usage/budgets/budget.ts';
import { dayStart } from '../../usage/days.ts';
import { loadPrices } from '../../usage/prices/load-prices.ts';
import { priceAt, type TokenPrice } from '../../usage/prices/price-table.ts';
import { type CommandInput, type CommandOptions, tell } from '../command.ts';

export const SPENDING_OPTIONS = {
  'off-peak': {
    type: 'boolean',
    about: "send nothing while DeepSeek's prices are at their peak; it goes on by itself",
  },
  'not-before': {
    type: 'string',
    value: 'TIME',
    about: 'begin at 22:30, or at 2026-11-28T04:00Z',
  },
  budget: {
    type: 'string',
    value: 'AMOUNT',
    about: 'stop when this run has cost so many dollars, by estimate',
  },
} as const satisfies CommandOptions;

const DAY_MS = 24 * 3_600_000;

/** `22:30`, the next one, or an instant as `2026-11-28T04:00Z`. @throws ConfigError */
export function notBeforeOf(value: unknown, now: number): number {
  if (typeof value !== 'string') return 0;
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(value.trim());
  if (clock !== null) {
    const today = new Date(dayStart(now)).setHours(Number(clock[1]), Number(clock[2]));
    return today > now
      ? today
      : new Date(today + DAY_MS).setHours(Number(clock[1]), Number(clock[2]));
  }
  const at = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)?)?$/.test(value.trim())
    ? Date.parse(value.trim())
    : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new ConfigError('--not-before is no time', {
    hint: 'write it as 22:30, or as 2026-11-28T04:00Z',
  });
}

/** A cap on this run alone. @throws ConfigError */
export function runBudgetOf(value: unknown): Budget | null {
  if (value === undefined) return null;
  const text = typeof value === 'string' ? value.trim() : '';
  const usd = /^\$?\d{1,7}(\.\d{1,6})?$/.test(text) ? Number(text.replace('$', '')) : 0;
  if (usd > 0) return { usd, per: 'session', account: null, client: null };
  throw new ConfigError('--budget has to be an amount of dollars above nothing', {
    hint: 'for instance --budget 2.50',
  });
}

async function priceOf({ home, deepseekModel }: Config, now: number): Promise<TokenPrice> {
  const { table } = await loadPrices(home);
  const price = priceAt(table, 'deepseek', deepseekModel, now);
  if (price !== null) return price;
  throw new ConfigError(`the peak hours of ${deepseekModel} are not known`, {
    hint: 'add its price to prices.json in the home folder, or leave --off-peak out',
  });
}

/** By how much of the peak price an answer is cheaper off-peak, in words; nothing where it is not. */
function cheaper(price: TokenPrice | null): string {
  const list = price?.lists.usd ?? price?.lists.cny ?? null;
  const share = list === null ? 0 : 1 - list.offPeak.output / list.peak.output;
  return share > 0 ? `, ${Math.round(100 * share)} % cheaper` : '';
}

function localTime(at: number): string {
  return new Date(at).toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'short' });
}

/** @throws ConfigError */
export async function gateOf({ values }: CommandInput, config: Config): Promise<Gate> {
  const now = Date.now();
  const price = values['off-peak'] === true ? await priceOf(config, now) : null;
  return new Gate({
    calendar: price?.calendar ?? null,
    notBefore: notBeforeOf(values['not-before'], now),
    now: Date.now,
    onWait: (until, isPeak) => {
      const utc = new Date(until).toISOString().slice(11, 16);
      const why = isPeak ? 'prices are at their peak: nothing is sent' : 'nothing is sent';
      const saved = isPeak ? cheaper(price) : '';
      tell(`${why} until ${localTime(until)} (${utc} UTC), then it goes on by itself${saved}`);
    },
  });
}
