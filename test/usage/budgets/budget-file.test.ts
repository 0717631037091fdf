import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../lab/store.ts';
import { ConfigError } from '../../../src/base/errors.ts';
import { type Budget, parseBudget } from '../../../src/usage/budgets/budget.ts';
import {
  BudgetWatch,
  budgetsPath,
  readBudgets,
  removeBudget,
  setBudget,
} from '../../../src/usage/budgets/budget-file.ts';

const DAY: Budget = { usd: 1, per: 'day', account: null, client: null };

describe('a budget', () => {
  it.each([
    ['5/day', { usd: 5, per: 'day' }],
    [' $0.5 / MONTH ', { usd: 0.5, per: 'month' }],
    ['1/session', { usd: 1, per: 'session' }],
  ])('is written as %j', (text, budget) => {
    expect(parseBudget(text)).toEqual(budget);
  });

  it.each([
    ['0/day', 'nothing would refuse every call'],
    ['0.00/month', 'nothing would refuse every call'],
    ['-1/day', 'cannot be below nothing'],
    ['5/fortnight', 'is for a day, a month, a session'],
    ['5', 'is dollars and a period'],
    ['', 'is dollars and a period'],
    ['five/day', 'is dollars and a period'],
    ['1e3/day', 'is dollars and a period'],
    ['5/day/month', 'is dollars and a period'],
    ['Infinity/day', 'is dollars and a period'],
    ['99999999/day', 'caps nothing'],
  ])('is not %j', (text, why) => {
    expect(parseBudget(text)).toContain(why);
  });

  it('is kept in a file, and the same one again replaces it', async () => {
    const home = join(temporaryFolder(), 'new');
    await setBudget(home, DAY);
    await setBudget(home, { ...DAY, client: 'cursor' });
    await setBudget(home, { ...DAY, usd: 3 });
    expect(readBudgets(home)).toEqual([
      { ...DAY, client: 'cursor' },
      { ...DAY, usd: 3 },
    ]);
    expect(await removeBudget(home, { per: 'day', account: null, client: null })).toBe(true);
    expect(await removeBudget(home, { per: 'day', account: null, client: null })).toBe(false);
    expect(readBudgets(home)).toHaveLength(1);
  });

  it.each([
    '',
    '{',
    '[]',
    '{"v":2,"budgets":[]}',
    '{"v":1,"budgets":[{"usd":-1,"per":"day","account":null,"client":null}]}',
    '{"v":1,"budgets":[{"usd":5}]}',
  ])('that cannot be read still stands: %j is an error, not no budget', (text) => {
    const home = temporaryFolder();
    writeFileSync(budgetsPath(home), text);
    expect(() => readBudgets(home)).toThrow(ConfigError);
    const watch = new BudgetWatch(home);
    expect(() => watch.current()).toThrow(ConfigError);
    expect(() => watch.current()).toThrow(ConfigError);
  });

  it('that is a folder is an error, too', () => {
    const home = temporaryFolder();
    mkdirSync(budgetsPath(home));
    expect(() => readBudgets(home)).toThrow(ConfigError);
  });

  it('holds from the next call on when it is changed', async () => {
    const home = temporaryFolder();
    const watch = new BudgetWatch(home);
    expect(watch.current()).toEqual([]);
    await setBudget(home, DAY);
    expect(watch.current()).toEqual([DAY]);
    await setBudget(home, { ...DAY, usd: 2 });
    expect(watch.current()).toEqual([{ ...DAY, usd: 2 }]);
  });
});
