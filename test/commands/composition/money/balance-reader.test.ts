import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BalanceReader } from '../../../../src/commands/composition/money/balance-reader.ts';
import type { PoolKey } from '../../../../src/pool/lease.ts';
import type { BalanceReading } from '../../../../src/usage/ledger/balance-reading.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const HOUR_MS = 3_600_000;

function key(
  name: string,
  account: string | null,
  provider: PoolKey['provider'] = 'deepseek',
): PoolKey {
  return { provider, name, account, secret: `fake-${name}` };
}

/** What programs of one home write down. */
class HomeBooks {
  readonly claims = new Set<string>();
  readonly readings: BalanceReading[] = [];
}

function reader(balances = [{ currency: 'CNY', amount: 47.44 }], home = new HomeBooks()) {
  const heard: BalanceReading[] = [];
  const asked: string[] = [];
  const readings: BalanceReading[] = [];
  const rounds: number[] = [];
  const made = new BalanceReader({
    check: ({ name }) => {
      asked.push(name);
      return Promise.resolve({ verdict: 'ok' as const, detail: '', balances });
    },
    now: () => Date.now(),
    onReading: (reading) => {
      readings.push(reading);
      home.readings.push(reading);
    },
    recent: (since) => Promise.resolve(home.readings.filter(({ at }) => at >= since)),
    onHeard: (reading) => heard.push(reading),
    claim: (what) => !home.claims.has(what) && home.claims.add(what) !== null,
    release: (what) => void home.claims.delete(what),
    onRead: () => {
      rounds.push(readings.length);
      return Promise.resolve();
    },
  });
  made.setKeys([
    key('DEEPSEEK_API_KEY', 'team'),
    key('DEEPSEEK_API_KEY_2', 'team'),
    key('DEEPSEEK_API_KEY_3', null),
    key('PERPLEXITY_API_KEY', null, 'perplexity'),
  ]);
  return { made, asked, readings, rounds, heard };
}

describe('the balance', () => {
  it('is asked for once for each account that has one, in its own currency', async () => {
    const { made, asked, readings, rounds } = reader();
    await made.read();
    expect(asked).toHaveLength(2);
    // Told when all of them were heard.
    expect(rounds).toEqual([2]);
    expect(readings.map(({ account, currency, amount }) => [account, currency, amount])).toEqual([
      ['team', 'CNY', 47.44],
      ['DEEPSEEK_API_KEY_3', 'CNY', 47.44],
    ]);
  });

  it('is read soon after the first call, then once an hour while calls are made', async () => {
    const { made, asked } = reader();
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(asked).toHaveLength(0);
    for (let call = 0; call < 5; call++) made.worked();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(3 * HOUR_MS);
    expect(asked).toHaveLength(2);
    made.worked();
    await vi.advanceTimersByTimeAsync(10_000);
    made.worked();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toHaveLength(4);
  });

  it('is not read any more by a program that ends', async () => {
    const { made, asked } = reader();
    made.worked();
    made.stop();
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(asked).toHaveLength(0);
  });

  it('that is not told is no reading', async () => {
    const { made, readings } = reader([]);
    await made.read();
    expect(readings).toEqual([]);
  });

  it('is asked for by one of the programs of a home, and the others read it', async () => {
    const home = new HomeBooks();
    const all = Array.from({ length: 8 }, () => reader(undefined, home));
    const count = (): number => all.reduce((sum, { asked }) => sum + asked.length, 0);
    const work = async (): Promise<void> => {
      for (const { made } of all) made.worked();
      await vi.advanceTimersByTimeAsync(6_000);
    };
    await work();
    expect(count()).toBe(2);
    // Those who came at the same moment read it when they work again.
    await vi.advanceTimersByTimeAsync(10_000);
    await work();
    expect(count()).toBe(2);
    for (const { asked, heard } of all) expect(asked.length + heard.length).toBeGreaterThan(1);
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    await work();
    await work();
    expect(count()).toBe(4);
  });

  it('is asked for by another program where the first one was told nothing', async () => {
    const home = new HomeBooks();
    const [mute, other] = [reader([], home), reader(undefined, home)];
    mute.made.worked();
    await vi.advanceTimersByTimeAsync(6_000);
    other.made.worked();
    await vi.advanceTimersByTimeAsync(6_000);
    expect([mute.asked.length, other.asked.length]).toEqual([2, 2]);
    expect(other.readings).toHaveLength(2);
  });

  it('is asked for at the end of a batch, whoever asked before', async () => {
    const home = new HomeBooks();
    const [one, batch] = [reader(undefined, home), reader(undefined, home)];
    one.made.worked();
    await vi.advanceTimersByTimeAsync(6_000);
    await batch.made.read();
    expect(batch.asked).toHaveLength(2);
  });
});
