import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../src/base/logger.ts';
import { Kinship } from '../../../../src/pool/records/kinship/kinship.ts';
import { Roster } from '../../../../src/pool/run/keys/roster.ts';

const NAMES = ['A', 'B', 'C'];

function household(labels: readonly (string | null)[] = [null, null, null]) {
  const roster = new Roster({
    provider: 'deepseek',
    maxConcurrent: 64,
    answerMs: 300,
    logger: silentLogger,
    observer: {},
    onAccounts: () => {},
    now: () => 0,
    random: () => 0.5,
  });
  const keys = NAMES.map((name, index) => ({
    provider: 'deepseek' as const,
    name,
    account: labels[index] ?? null,
    secret: `sk-test-fake-${name}`,
  }));
  roster.setKeys(keys);
  const kinship = new Kinship(roster);
  const has = (account: string, amount: number, at = 0): void =>
    kinship.noteBalance({ at, account, currency: 'USD', amount });
  const joinAll = (): void => {
    const [first, ...others] = roster.accounts;
    for (const other of others) if (first !== undefined) roster.join(first, other);
  };
  const members = (): string[] => roster.accounts.map((each) => [...each.members].sort().join());
  used.push(roster);
  return { roster, keys, has, joinAll, members };
}

const used: Roster[] = [];
afterEach(() => {
  for (const roster of used.splice(0)) roster.dispose();
});

describe('an account that refusals showed', () => {
  it('is given up when its keys have balances that one account cannot have', () => {
    const { has, joinAll, members } = household();
    joinAll();
    has('A', 47.44);
    has('B', 47.4);
    expect(members()).toEqual(['A,B,C']);
    has('C', 12.1);
    expect(members()).toEqual(['A', 'B', 'C']);
  });

  it('stands where the balances agree, and where one was read at another time', () => {
    const { has, joinAll, members } = household();
    joinAll();
    has('A', 47.44);
    has('B', 47.44);
    has('C', 30, 60_000);
    expect(members()).toEqual(['A,B,C']);
  });

  it('forgets what was read with a key that was replaced', () => {
    const { roster, keys, has, joinAll, members } = household();
    has('A', 47.44);
    has('B', 12.1);
    roster.setKeys(keys.map((key) => ({ ...key, secret: `${key.secret}-new` })));
    joinAll();
    has('B', 12.1);
    expect(members()).toEqual(['A,B,C']);
  });
});
