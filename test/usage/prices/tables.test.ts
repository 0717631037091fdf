import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../lab/store.ts';
import { periodAt } from '../../../src/usage/prices/calendar.ts';
import { builtInPrices, loadPrices } from '../../../src/usage/prices/load-prices.ts';
import { priceAt, requestPrice } from '../../../src/usage/prices/price-table.ts';

const builtInText = readFileSync(
  new URL('../../../src/usage/prices/prices.json', import.meta.url),
  'utf8',
);

async function load(text: string) {
  const home = temporaryFolder();
  writeFileSync(join(home, 'prices.json'), text);
  return loadPrices(home);
}

/** The sentence about the built-in table with `from` replaced by `to`. */
async function problemWith(from: string | RegExp, to: string): Promise<string> {
  const text = builtInText.replace(from, to);
  expect(text).not.toBe(builtInText);
  const { problem, table } = await load(text);
  expect(table).toBe(builtInPrices());
  return problem ?? '';
}

function lineWith(part: string): number {
  return builtInText.slice(0, builtInText.indexOf(part)).split('\n').length;
}

describe('the price table', () => {
  it('is the built-in one without a file', async () => {
    expect(await loadPrices(temporaryFolder())).toEqual({ table: builtInPrices(), problem: null });
  });

  it('is replaced by prices.json of the home folder, with a byte order mark, too', async () => {
    const { table, problem } = await load(
      `\ufeff${builtInText.replace('"miss": 1,', '"miss": 3,')}`,
    );
    expect(problem).toBeNull();
    const at = Date.parse('2026-11-27T00:00:00Z');
    const lists = priceAt(table, 'deepseek', 'DeepSeek-Flash', Date.parse('2026-09-10T12:00:00Z'));
    expect(lists?.lists.cny?.offPeak.miss).toBe(3);
    expect(priceAt(table, 'perplexity', 'deepseek-flash', at)).toBeNull();
    expect(requestPrice(table, 'perplexity', 'search')?.usd).toBe(0.005);
  });

  it.each([
    ['"output": 1.32', '"output": "1.32"', 'has to be a number of 0 or more'],
    ['"output": 1.32', '"output": -1', 'has to be a number of 0 or more'],
    ['"output": 1.32', '"ouput": 1.32', 'ouput is unknown; known here are hit, miss, output'],
    ['"09:00-12:00", "14:00-18:00"', '"9-12"', 'has to be hours, as 09:00-12:00'],
    ['"Asia/Shanghai"', '"Asia/Shanghi"', 'is no time zone that is known here'],
    [
      '"valid_from": "2026-08-22T16:00:00Z"',
      '"valid_from": "2026-08-01T16:00:00Z"',
      'is not valid from later than the one before it',
    ],
    [
      '"valid_from": "2026-08-22T16:00:00Z"',
      '"valid_from": "2026-02-30T16:00:00Z"',
      'has to be an instant in UTC',
    ],
    [
      '"2026-10-05", "to": "2026-10-07"',
      '"2026-10-05", "to": "2026-10-03"',
      'comes before its from',
    ],
    ['"calendar": "every-day"', '"calendar": "everyday"', 'names no calendar of this file'],
    ['["deepseek-v4-pro"]', '["deepseek-flash"]', 'has a price twice'],
    ['"tue", "wed", "thu", "fri", "sat"', '"tue", "someday"', 'has to be one of mon, tue'],
  ])('with a mistake (%s → %s) is not used, and says where and what', async (from, to, what) => {
    const problem = await problemWith(from, to);
    const line = builtInText.slice(0, builtInText.indexOf(from)).split('\n').length;
    const said = Number(/line (\d+):/.exec(problem)?.[1]);
    expect(problem).toContain(what);
    expect(Math.abs(said - line)).toBeLessThanOrEqual(1);
    expect(problem).toMatch(/prices\.json is not used: .*; the built-in prices of 2026-11-27 are$/);
  });

  it('that is no JSON is named with line and column, and not quoted', async () => {
    const problem = await problemWith('"none": {', '"none": { sk-secretsecretsecret');
    expect(problem).toContain(`line ${lineWith('"none": {')}, column`);
    expect(problem).not.toContain('secret');
  });

  it.each([
    ['', 'not JSON'],
    ['[]', 'has to be an object'],
    ['{"format":"other"}', 'lacks read'],
    ['null', 'has to be an object'],
  ])('that holds %j is not used', async (text, what) => {
    const { table, problem } = await load(text);
    expect(table).toBe(builtInPrices());
    expect(problem).toContain(what);
  });

  it('that is a folder is not used', async () => {
    const home = temporaryFolder();
    mkdirSync(join(home, 'prices.json'));
    expect((await loadPrices(home)).problem).toContain('it cannot be read');
  });
});

const LITELLM = {
  sample_spec: { input_cost_per_token: 0, litellm_provider: 'one of them' },
  'deepseek/deepseek-flash': {
    input_cost_per_token: 3e-7,
    output_cost_per_token: 1.2e-6,
    cache_read_input_token_cost: 6e-9,
    litellm_provider: 'deepseek',
    off_peak_pricing: {
      windows: [
        { hours_utc: ['04:00-06:00', '10:00-01:00'], weekdays: [1, 2, 3, 4, 5] },
        { hours_utc: '00:00-00:00', weekdays: ['sat', 'sun'] },
      ],
      weekday_timezone: 'Asia/Shanghai',
      input_cost_per_token: 1.5e-7,
      output_cost_per_token: 6e-7,
      cache_read_input_token_cost: 3e-9,
    },
  },
  'gpt-6': { input_cost_per_token: 1, output_cost_per_token: 1, litellm_provider: 'openai' },
};

describe("LiteLLM's price file", () => {
  it('is read as it is: standard rates are peak, windows are off-peak', async () => {
    const { table, problem } = await load(JSON.stringify(LITELLM));
    expect(problem).toBeNull();
    const price = priceAt(table, 'deepseek', 'deepseek-flash', 0);
    expect(price?.lists.usd).toEqual({
      peak: { hit: 0.006, miss: 0.3, output: 1.2 },
      offPeak: { hit: 0.003, miss: 0.15, output: 0.6 },
    });
    const monday = Date.parse('2026-11-23T00:30:00Z');
    const peak = Array.from({ length: 168 }, (_, hour) => monday + hour * 3_600_000).filter(
      (at) => price !== null && periodAt(price.calendar, at) === 'peak',
    );
    expect(peak).toHaveLength(35);
    expect(priceAt(table, 'openai', 'gpt-6', 0)).toBeNull();
    expect(requestPrice(table, 'perplexity', 'search')?.usd).toBe(0.005);
  });

  it('with a malformed window is not used, and says which', async () => {
    const text = JSON.stringify(LITELLM, null, 2).replace('10:00-01:00', '10-01');
    const { problem } = await load(text);
    expect(problem).toMatch(
      /line \d+: deepseek\/deepseek-flash\.off_peak_pricing\.windows\[0\]\.hours_utc\[1\] has to be hours/,
    );
  });

  it('without either provider is not used', async () => {
    const { problem } = await load(JSON.stringify({ 'gpt-6': LITELLM['gpt-6'] }));
    expect(problem).toContain('holds no model of deepseek or perplexity');
  });
});
