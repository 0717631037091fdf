import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../lab/store.ts';
import { BudgetError } from '../../../src/base/errors.ts';
import type { CallAsk } from '../../../src/base/spending.ts';
import { claim } from '../../../src/usage/alerts/claims.ts';
import type { Budget } from '../../../src/usage/budgets/budget.ts';
import type { BudgetAlert } from '../../../src/usage/budgets/budget-alerts.ts';
import { BudgetKeeper } from '../../../src/usage/budgets/budget-keeper.ts';
import { ReservationJournal } from '../../../src/usage/budgets/reservation-journal.ts';
import { SpentBook } from '../../../src/usage/budgets/spent-book.ts';
import { lineOf } from '../../../src/usage/ledger/entry.ts';
import { Ledger } from '../../../src/usage/ledger/ledger.ts';
import { entryAt } from '../entries.ts';

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const DAY: Budget = { usd: 1, per: 'day', account: null, client: null };

const cents = (number: number) => {
  const usd = number / 100;
  return { estimate: usd, least: usd, most: usd, offPeak: usd };
};

function ask(changes: Partial<CallAsk> = {}): CallAsk {
  return {
    provider: 'deepseek',
    model: 'deepseek-flash',
    promptBytes: 0,
    maxTokens: 1,
    tool: null,
    client: 'cursor',
    session: 'one',
    signal: new AbortController().signal,
    timeoutMs: 5_000,
    onWait: () => {},
    ...changes,
  };
}

/** One process of a home, with a clock of its own. */
function office(budgets: readonly Budget[], start = '2026-11-27T12:00:00Z') {
  const home = temporaryFolder();
  const clock = { now: Date.parse(start) };
  const now = () => clock.now;
  const folder = join(home, 'usage');
  const alerts: BudgetAlert[] = [];
  const ledger = new Ledger({ home, now, onTrouble: () => {} });
  const current = { budgets, hasLedger: true };
  const keeper = () =>
    new BudgetKeeper({
      budgets: () => current.budgets,
      book: new SpentBook(folder, 'mine.'),
      journal: new ReservationJournal({
        folder: join(folder, 'reservations'),
        now,
        onTrouble: () => {},
      }),
      hasLedger: current.hasLedger,
      now,
      claim: (what) => claim(join(folder, 'alerts'), what, now()),
      onAlert: (alert) => alerts.push(alert),
    });
  let calls = 0;
  const one = keeper();
  /** A call that costs `usd` and was reserved at most `mostUsd`. */
  const spend = async (
    usd: number,
    mostUsd = usd,
    changes: Partial<CallAsk> = {},
    account = 'main',
  ) => {
    const permit = await one.admit(ask(changes), mostUsd);
    // As the pool does with its only account.
    if (permit?.funds?.book(account) === false) {
      permit.end();
      throw permit.funds.refusal([account]);
    }
    permit?.useAccount(account);
    const cost = { estimate: usd, least: usd, most: usd, offPeak: usd };
    const client = changes.client === undefined ? 'cursor' : changes.client;
    const id = `mine.${calls++}`;
    const entry = entryAt(new Date(clock.now).toISOString(), { id, account, client, usd: cost });
    one.count(entry);
    permit?.spent(entry, ledger.append(entry));
    permit?.end();
    return permit;
  };
  return { home, clock, alerts, current, keeper: one, spend };
}

describe('calls under a budget', () => {
  it('go until it is spent, then are refused with what is spent, what may be, when and how', async () => {
    process.env.TZ = 'Europe/Berlin';
    const { spend } = office([DAY]);
    for (let call = 0; call < 10; call++) await spend(0.1);
    const error = await spend(0.1).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BudgetError);
    expect(error).toMatchObject({
      message:
        'the budget of $1.00 a day is spent: $1.00 by estimate, and it begins anew on 2026-11-28 at 00:00 (Europe/Berlin)',
      hint: 'whoever pays can raise it with: keypool-mcp budget set 2/day',
    });
  });

  it('are not refused for an estimate from above, however far above', async () => {
    const { spend } = office([DAY]);
    for (let call = 0; call < 20; call++) await spend(0.049, 500);
    await expect(spend(0.049, 500)).resolves.toBeTruthy();
    await expect(spend(0.1)).rejects.toThrow(BudgetError);
  });

  it('wait for those in flight where they do not fit beside them, and go when these have ended', async () => {
    const { keeper, spend } = office([DAY]);
    const first = await keeper.admit(ask(), 0.7);
    const said: string[] = [];
    let isThrough = false;
    const second = spend(0.1, 0.7, { onWait: (message) => said.push(message) }).then(() => {
      isThrough = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect([isThrough, said]).toEqual([
      false,
      ['waiting until other calls have told what they cost'],
    ]);
    first?.end();
    await second;
    expect(isThrough).toBe(true);
  });

  it('that wait leave the line when they are cancelled, and the next one moves up', async () => {
    const { keeper } = office([DAY]);
    const first = await keeper.admit(ask(), 0.7);
    const controller = new AbortController();
    const cancelled = keeper.admit(ask({ signal: controller.signal }), 0.7);
    const third = keeper.admit(ask(), 0.2);
    controller.abort();
    await expect(cancelled).rejects.toThrow(/abort/i);
    expect(await third).not.toBeNull();
    first?.end();
  });

  it('that wait in vain are told who holds the money', async () => {
    const { keeper } = office([DAY]);
    await keeper.admit(ask(), 0.9);
    await expect(keeper.admit(ask({ timeoutMs: 1 }), 0.2)).rejects.toThrow(
      /held by calls in flight/,
    );
  });

  it('of a model without a price are refused: nothing could be counted', async () => {
    const { keeper, current } = office([DAY]);
    await expect(keeper.admit(ask({ model: 'deepseek-v9' }), null)).rejects.toThrow(
      /deepseek-v9 has no price/,
    );
    current.budgets = [];
    expect(await keeper.admit(ask({ model: 'deepseek-v9' }), null)).toBeNull();
  });

  it('are counted for their client, account and session alone where the budget is for one', async () => {
    const { spend } = office([
      { ...DAY, client: 'cursor' },
      { ...DAY, account: 'team' },
      { ...DAY, per: 'session' },
    ]);
    await spend(1, 1, { client: 'zed', session: 'two' });
    await spend(1);
    await expect(spend(0.1, 0.1, { session: 'three' })).rejects.toThrow(/for client cursor/);
    await expect(spend(0.1, 0.1, { client: 'zed', session: 'two' })).rejects.toThrow(/a session/);
    await spend(1, 1, { client: 'zed', session: 'four' }, 'team');
    await expect(spend(0.1, 0.1, { client: 'zed', session: 'five' }, 'team')).rejects.toThrow(
      /for account team/,
    );
    await expect(spend(0.1, 0.1, { client: 'zed', session: 'five' }, 'main')).resolves.toBeTruthy();
  });

  it('count what was spent before there was a budget', async () => {
    const { spend, current } = office([]);
    await spend(0.9);
    current.budgets = [DAY];
    await spend(0.1);
    await expect(spend(0.1)).rejects.toThrow(BudgetError);
  });

  it('say at four fifths that it is near, once, and once that it is spent', async () => {
    const { spend, alerts } = office([DAY]);
    const notices = [];
    for (let call = 0; call < 10; call++) notices.push((await spend(0.1))?.notice ?? null);
    expect(notices.filter((notice) => notice !== null)).toHaveLength(1);
    expect(notices[7]).toMatch(/^Of the budget of \$1\.00 a day, \$0\.8/);
    for (let call = 0; call < 3; call++) await spend(0.1).catch(() => {});
    expect(alerts.map(({ state }) => state)).toEqual(['near', 'spent']);
  });
});

describe('a long month', () => {
  it('is read before the first decision, a piece at a time: others have their turn meanwhile', async () => {
    const { keeper, home } = office([DAY]);
    const line = `${lineOf(entryAt('2026-11-27T10:00:00Z', { usd: cents(0) }))}\n`;
    mkdirSync(join(home, 'usage'), { recursive: true });
    const last = `${lineOf(entryAt('2026-11-27T11:00:00Z', { usd: cents(100) }))}\n`;
    writeFileSync(join(home, 'usage', 'ledger-2026-11.jsonl'), line.repeat(2_000) + last);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    const calls = [keeper.admit(ask(), 0.1), keeper.admit(ask(), 0.1)];
    const ends = await Promise.allSettled(calls);
    clearImmediate(timer);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(turns).toBeGreaterThan(5);
  });
});

describe("an account's own budget", () => {
  const TEAM: Budget = { ...DAY, account: 'team' };
  const HOME: Budget = { ...DAY, usd: 2, account: 'home' };

  it('bars the account that has spent it, and no other one', async () => {
    const { spend, keeper } = office([TEAM]);
    await spend(1, 1, {}, 'team');
    const permit = await keeper.admit(ask(), 0.1);
    expect([permit?.funds?.state('team'), permit?.funds?.state('main')]).toEqual(['spent', 'free']);
  });

  it('holds a call back beside those in flight, and lets it go when they have ended', async () => {
    const { keeper } = office([TEAM]);
    const [first, second] = [await keeper.admit(ask(), 0.7), await keeper.admit(ask(), 0.7)];
    expect(first?.funds?.book('team')).toBe(true);
    expect(second?.funds?.state('team')).toBe('held');
    expect(second?.funds?.book('team')).toBe(false);
    // Who waits holds nothing: the first one keeps its place, and a third is not behind the second.
    expect(first?.funds?.state('team')).toBe('free');
    first?.end();
    await Promise.resolve();
    expect((await keeper.admit(ask(), 0.7))?.funds?.state('team')).toBe('free');
    expect(second?.funds?.book('team')).toBe(true);
  });

  it('moves with the call to the account of its next attempt', async () => {
    const { keeper } = office([TEAM, HOME]);
    const [first, second] = [await keeper.admit(ask(), 0.9), await keeper.admit(ask(), 0.9)];
    first?.funds?.book('team');
    first?.funds?.book('home');
    expect(second?.funds?.book('team')).toBe(true);
    expect(second?.funds?.state('home')).toBe('free');
    expect((await keeper.admit(ask(), 1.9))?.funds?.state('home')).toBe('held');
  });

  it('is said with the others when all are spent, and by itself when it alone is', async () => {
    process.env.TZ = 'UTC';
    const { spend, keeper } = office([TEAM, HOME]);
    await spend(1, 1, {}, 'team');
    await spend(2, 2, {}, 'home');
    const { funds } = (await keeper.admit(ask(), 0.1)) ?? {};
    expect(funds?.refusal(['team', 'home'])).toMatchObject({
      message:
        'every account has spent its budget: $1.00 a day for account team, $2.00 a day for account home; of the first it begins anew on 2026-11-28 at 00:00 (UTC)',
      hint: 'whoever pays can raise one with: keypool-mcp budget set 2/day --account team',
    });
    expect(funds?.refusal(['home']).message).toMatch(
      /^the budget of \$2\.00 a day for account home/,
    );
  });

  it('bars its account alone from a model without a price', async () => {
    const { keeper } = office([TEAM]);
    const permit = await keeper.admit(ask({ model: 'deepseek-v9' }), null);
    expect([permit?.funds?.state('team'), permit?.funds?.state('main')]).toEqual(['spent', 'free']);
    expect(permit?.funds?.refusal(['team']).message).toContain('deepseek-v9 has no price');
  });

  it('asks nothing of a call where there is none', async () => {
    const { keeper } = office([DAY]);
    expect((await keeper.admit(ask(), 0.1))?.funds).toBeNull();
  });
});

describe('time', () => {
  it('of a day begins anew at midnight of this machine, also when the clock jumps over it', async () => {
    process.env.TZ = 'Pacific/Auckland';
    // 23:00 of the 27th there.
    const { spend, clock } = office([DAY], '2026-11-27T10:00:00Z');
    await spend(1);
    clock.now += 59 * 60_000;
    await expect(spend(0.1)).rejects.toThrow(/anew on 2026-11-28/);
    clock.now += 60_000;
    await spend(1);
    clock.now += 49 * 3_600_000;
    await spend(1);
    // Set back: what was spent that day counts again.
    clock.now -= 49 * 3_600_000;
    await expect(spend(0.1)).rejects.toThrow(BudgetError);
  });

  it('of a month begins anew on its first day, leap years included', async () => {
    process.env.TZ = 'UTC';
    const { spend, clock } = office([{ ...DAY, per: 'month' }], '2028-02-29T23:59:00Z');
    await spend(1);
    await expect(spend(0.1)).rejects.toThrow(/anew on 2028-03-01/);
    clock.now += 60_000;
    await spend(1);
    await expect(spend(0.1)).rejects.toThrow(/anew on 2028-04-01/);
  });

  it('that passed from one hour to the next leaves the line as it was', async () => {
    const { keeper, clock } = office([DAY], '2026-11-27T12:59:59Z');
    const first = await keeper.admit(ask(), 0.7);
    clock.now += 2_000;
    let isThrough = false;
    const second = keeper.admit(ask(), 0.7).then(() => {
      isThrough = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(isThrough).toBe(false);
    first?.end();
    await second;
  });
});
