import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../lab/store.ts';
import {
  type Alert,
  balanceAlerts,
  type PoolFacts,
  poolAlerts,
} from '../../../src/usage/alerts/alert.ts';
import { AlertDesk } from '../../../src/usage/alerts/alert-desk.ts';
import { claim, unclaim } from '../../../src/usage/alerts/claims.ts';

type AccountFacts = PoolFacts['providers'][number]['accounts'][number];
type KeyFacts = PoolFacts['providers'][number]['keys'][number];

const account = (changes: Partial<AccountFacts> = {}): AccountFacts => ({
  account: 'main',
  keys: ['DEEPSEEK_API_KEY', 'DEEPSEEK_API_KEY_2'],
  coolingMs: null,
  coolingForMs: null,
  reason: null,
  ...changes,
});
const key = (changes: Partial<KeyFacts> = {}): KeyFacts => ({
  name: 'DEEPSEEK_API_KEY',
  keyId: 'abc123',
  account: 'main',
  state: 'ready',
  reason: null,
  ...changes,
});
const pool = (accounts: AccountFacts[], keys: KeyFacts[]): PoolFacts => ({
  providers: [{ accounts, keys }],
});
const sentences = (alerts: readonly Alert[]): string[] => alerts.map(({ sentence }) => sentence);

describe('an alert', () => {
  it('of a key names it, why, and what replaces it', () => {
    const bad = key({ state: 'disabled', reason: 'rejected by DeepSeek (401)' });
    expect(sentences(poolAlerts(pool([account()], [key(), bad])))).toEqual([
      'DEEPSEEK_API_KEY (abc123) does not serve: rejected by DeepSeek (401). Replace it with: keypool-mcp keys add DEEPSEEK_API_KEY',
    ]);
  });

  it('of an account without money is one, however many keys it has', () => {
    const reason = 'no balance left at DeepSeek (402)';
    const out = account({ reason });
    const keys = [key({ state: 'disabled', reason }), key({ state: 'disabled', reason })];
    expect(sentences(poolAlerts(pool([out], keys)))).toEqual([
      'Account main: no balance left at DeepSeek (402); DEEPSEEK_API_KEY and DEEPSEEK_API_KEY_2 do not serve until it is topped up, and then by themselves.',
    ]);
  });

  it.each([
    [10_000, 30_000, 0],
    [60_000, 60_000, 0],
    [61_000, 4_000, 1],
    [500, 90_000, 1],
    // Between two pauses: still the same rest.
    [70_000, null, 1],
    [5_000, null, 0],
  ])('is an account that has rested for %i ms and rests %s more: %i', (forMs, ms, count) => {
    const cooling = account({
      coolingForMs: forMs,
      coolingMs: ms,
      reason: ms === null ? null : 'rate limited',
    });
    const found = poolAlerts(pool([cooling], [key({ state: 'cooling' })]));
    expect(found).toHaveLength(count);
    if (count > 0) expect(found[0]?.sentence).toMatch(/^Account main has been resting for \d+ s/);
  });

  it('is a balance of less than three days, all currencies of an account together', () => {
    const reserve = { account: 'main', currency: 'USD', amount: 5, spentPerDay: 2 };
    expect(sentences(balanceAlerts([reserve]))).toEqual([
      'Account main has 5.00 USD left: about 2.5 days at the rate of the last week. Top it up, or cap it with: keypool-mcp budget set',
    ]);
    expect(balanceAlerts([{ ...reserve, amount: 6 }])).toEqual([]);
    expect(balanceAlerts([{ ...reserve, spentPerDay: 0 }])).toEqual([]);
    expect(sentences(balanceAlerts([{ ...reserve, amount: 0 }]))[0]).toContain('less than a day');
    const yuan = { account: 'main', currency: 'CNY', amount: 10, spentPerDay: 14 };
    expect(balanceAlerts([reserve, yuan])).toEqual([]);
  });
});

function desks() {
  const folder = join(temporaryFolder(), 'alerts');
  const clock = { now: Date.parse('2026-11-27T10:00:00Z') };
  const heard: string[] = [];
  const make = (): AlertDesk =>
    new AlertDesk({
      now: () => clock.now,
      claim: (what) => claim(folder, what, clock.now),
      release: (what) => unclaim(folder, what),
      onAlert: ({ subject }) => heard.push(subject),
    });
  return { make, clock, heard };
}

const alert = (subject: string, sentence = `${subject} is out.`): Alert => ({
  kind: 'key_disabled',
  subject,
  sentence,
});

describe('the alert desk', () => {
  it('says an alert once, to whoever takes next, and again when it came back', () => {
    const { make, heard } = desks();
    const desk = make();
    desk.look('pool', [alert('a')]);
    expect([desk.take(), desk.take()]).toEqual(['a is out.', null]);
    desk.look('pool', [alert('a')]);
    expect(desk.take()).toBeNull();
    desk.look('pool', []);
    desk.look('pool', [alert('a')]);
    expect(desk.take()).toBe('a is out.');
    expect(heard).toEqual(['a', 'a']);
  });

  it('of one of several programs says it, the others do not; the next day one says it anew', () => {
    const { make, clock } = desks();
    const [first, second] = [make(), make()];
    for (const desk of [first, second]) desk.look('pool', [alert('a')]);
    expect([first.take(), second.take()]).toEqual(['a is out.', null]);
    const later = make();
    later.look('pool', [alert('a')]);
    expect(later.take()).toBeNull();
    clock.now += 24 * 3_600_000;
    const tomorrow = make();
    tomorrow.look('pool', [alert('a')]);
    expect(tomorrow.take()).toBe('a is out.');
  });

  it('says nothing of what was over before anybody called, and the newest words of what is not', () => {
    const { make } = desks();
    const desk = make();
    desk.look('pool', [alert('a'), alert('b', 'b rests for 70 s.')]);
    desk.look('pool', [alert('b', 'b rests for 80 s.')]);
    expect(desk.take()).toBe('b rests for 80 s.');
  });

  it('keeps what one source sees although the other sees nothing', () => {
    const { make } = desks();
    const desk = make();
    desk.look('balances', [alert('money')]);
    desk.look('pool', []);
    expect(desk.take()).toBe('money is out.');
  });

  it('says a few at a time', () => {
    const { make } = desks();
    const desk = make();
    desk.look(
      'pool',
      ['a', 'b', 'c', 'd'].map((subject) => alert(subject)),
    );
    expect([desk.take(), desk.take()]).toEqual(['a is out. b is out. c is out.', 'd is out.']);
  });
});
