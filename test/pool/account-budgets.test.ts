/** What the pool does where single accounts may not spend more. It counts no money itself. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BudgetError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { AccountFunds, FundsState } from '../../src/base/spending.ts';
import { KeyPool } from '../../src/pool/key-pool.ts';
import { FakeUpstream, request, testKeys } from './fake-upstream.ts';

let pool: KeyPool;
const [FIRST, SECOND] = ['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2'];

beforeEach(() => {
  vi.useFakeTimers();
  pool = new KeyPool({
    keys: testKeys(2),
    maxConcurrent: 64,
    logger: silentLogger,
    now: () => Date.now(),
    random: () => 0.5,
  });
});
afterEach(() => {
  pool.close();
  vi.useRealTimers();
});

/** Funds that a test sets; `taken` is what another process books in the moment between. */
class Purse implements AccountFunds {
  readonly states = new Map<string, FundsState>();
  readonly booked: string[] = [];
  taken = new Set<string>();

  state(account: string): FundsState {
    return this.states.get(account) ?? 'free';
  }

  book(account: string): boolean {
    if (this.taken.has(account)) {
      this.states.set(account, 'held');
      return false;
    }
    this.booked.push(account);
    return true;
  }

  refusal(accounts: readonly string[]): Error {
    const state = accounts.some((account) => this.state(account) === 'held') ? 'held' : 'spent';
    return new BudgetError(`${state}: ${accounts.join(', ')}`);
  }
}

describe('an account', () => {
  it('that has spent its budget is passed over, whatever its key is worth', async () => {
    const upstream = new FakeUpstream();
    const funds = new Purse();
    funds.states.set(FIRST, 'spent');
    for (let call = 0; call < 6; call++) {
      const served = pool.lender('deepseek').call(request({ funds }), upstream.send);
      await vi.advanceTimersByTimeAsync(5_000);
      expect((await served).keyName).toBe(SECOND);
    }
    expect(funds.booked).toEqual(Array.from({ length: 6 }, () => SECOND));
  });

  it('is no way out for a call that failed elsewhere', async () => {
    const upstream = new FakeUpstream((name) => (name === SECOND ? { fails: 'invalid_key' } : {}));
    const funds = new Purse();
    funds.states.set(FIRST, 'spent');
    const refused = expect(
      pool.lender('deepseek').call(request({ funds }), upstream.send),
    ).rejects.toThrow('spent');
    await vi.advanceTimersByTimeAsync(5_000);
    await refused;
    expect(upstream.sent.map(({ keyName }) => keyName)).toEqual([SECOND]);
  });

  it('whose rest is held by calls in flight is waited for, and then serves', async () => {
    const upstream = new FakeUpstream();
    const funds = new Purse();
    for (const account of [FIRST, SECOND]) funds.states.set(account, 'held');
    const reasons: string[] = [];
    const onWait = ({ reason }: { reason: string }): void => void reasons.push(reason);
    const call = pool.lender('deepseek').call(request({ funds, onWait }), upstream.send);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(upstream.sent).toEqual([]);
    expect(reasons).toEqual(['budget']);
    funds.states.set(SECOND, 'free');
    await vi.advanceTimersByTimeAsync(50);
    expect(upstream.sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await call).keyName).toBe(SECOND);
  });

  it('that another process booked in between is left, and the call goes elsewhere', async () => {
    const upstream = new FakeUpstream();
    const funds = new Purse();
    funds.taken = new Set([FIRST]);
    const call = pool.lender('deepseek').call(request({ funds }), upstream.send);
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await call).keyName).toBe(SECOND);
    expect(funds.booked).toEqual([SECOND]);
  });
});

describe('a call', () => {
  it('is refused at once, and in the words of who counts, when every account is spent', async () => {
    const upstream = new FakeUpstream();
    const funds = new Purse();
    for (const account of [FIRST, SECOND]) funds.states.set(account, 'spent');
    const call = pool.lender('deepseek').call(request({ funds }), upstream.send);
    await expect(call).rejects.toThrow(`spent: ${FIRST}, ${SECOND}`);
    expect(upstream.sent).toEqual([]);
  });

  it('hears at its deadline that it was money that it waited for', async () => {
    const funds = new Purse();
    for (const account of [FIRST, SECOND]) funds.states.set(account, 'held');
    const call = pool
      .lender('deepseek')
      .call(request({ funds, timeoutMs: 2_000 }), new FakeUpstream().send);
    const refused = expect(call).rejects.toThrow('held');
    await vi.advanceTimersByTimeAsync(2_100);
    await refused;
  });

  it('without such a budget goes on as ever beside one that waits for money', async () => {
    const upstream = new FakeUpstream();
    const funds = new Purse();
    for (const account of [FIRST, SECOND]) funds.states.set(account, 'held');
    pool
      .lender('deepseek')
      .call(request({ funds, session: 'poor' }), upstream.send)
      .catch(() => {});
    const other = { session: 'rich', priority: 'batch' } as const;
    const call = pool.lender('deepseek').call(request({ ...other, funds: null }), upstream.send);
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await call).attempts).toBe(1);
  });
});
