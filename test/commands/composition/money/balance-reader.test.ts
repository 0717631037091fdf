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

function reader(balances = [{ currency: 'CNY', amount: 47.44 }]) {
  const asked: string[] = [];
  const readings: BalanceReading[] = [];
  const rounds: number[] = [];
  const made = new BalanceReader({
    check: ({ name }) => {
      asked.push(name);
      return Promise.resolve({ verdict: 'ok' as const, detail: '', balances });
    },
    now: () => Date.now(),
    onReading: (reading) => readings.push(reading),
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
  return { made, asked, readings, rounds };
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
});
