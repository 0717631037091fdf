import { describe, expect, it } from 'vitest';
import {
  awaitsSwap,
  type Bystanders,
  beginSwap,
  endSwap,
  mayBeOne,
  swapRefused,
} from '../../../../src/pool/records/kinship/swap.ts';
import type { Lane } from '../../../../src/pool/records/lane.ts';
import { NO_SHARE } from '../../../../src/pool/records/lane-share.ts';
import { enter } from '../../../../src/pool/records/lane-writer.ts';
import {
  type AccountRecord,
  createAccount,
  createProvider,
  laneOf,
} from '../../../../src/pool/records/state.ts';
import { withBalance } from '../../../../src/pool/rules/accounts/balances.ts';
import { freshLimit } from '../../../../src/pool/rules/limit.ts';
import { timingFor } from '../../../../src/pool/rules/timing.ts';

const MODEL = 'deepseek-flash';
const OUT = { reason: 'no money', since: 0, checks: 0, nextCheckAt: 0 };

/** What the lane of an account has come to. */
function change(account: AccountRecord, more: Partial<Lane>): void {
  account.lanes.set(MODEL, { ...laneOf(account, MODEL, 64), ...more });
}

/** A key of its own account that takes `capacity` calls, as far as it is known. */
function key(label: string, capacity: number, inFlight: number): AccountRecord {
  const account = createAccount(label, false);
  const lane = laneOf(account, MODEL, 64);
  for (let call = 0; call < inFlight; call++) enter(lane, label, 0);
  change(account, { limit: { ...lane.limit, capacity, limit: capacity } });
  return account;
}

/** Key `a` just got a slot free, and key `b` is full. */
function scene(): Bystanders & { readonly a: AccountRecord; readonly b: AccountRecord } {
  const provider = createProvider('deepseek', 5);
  provider.pace = { ...provider.pace, serviceMs: 1_000, refusalMs: 5 };
  const a = key('a', 3, 2);
  const b = key('b', 2, 2);
  return { provider, accounts: [a, b], now: 1_000, a, b };
}

const lane = (account: AccountRecord) => laneOf(account, MODEL, 64);

describe('a slot that is lent for a moment', () => {
  it('is kept free on one key while another one is tried above its capacity', () => {
    const about = scene();
    beginSwap(about.a, MODEL, about);
    expect(lane(about.a).held).toBe(1);
    expect(lane(about.b).limit.limit).toBe(3);
    expect(about.provider.swap).toMatchObject({ from: 'a', to: 'b', stay: null });
  });

  it.each<[string, (about: ReturnType<typeof scene>) => unknown]>([
    ['another one is lent', (about) => beginSwap(about.a, MODEL, about)],
    [
      'no try is paid for',
      ({ provider }) => {
        provider.tries = 0.9;
      },
    ],
    [
      'a refusal takes longer than half an answer',
      ({ provider }) => {
        provider.pace = { ...provider.pace, refusalMs: 600 };
      },
    ],
    [
      'the other key has room of its own',
      ({ b }) => {
        change(b, { inFlight: 1 });
      },
    ],
    [
      'the refusals named two limits',
      ({ a, b }) => {
        change(a, { named: 5 });
        change(b, { named: 8 });
      },
    ],
    [
      'nobody else is on one of the accounts',
      ({ b }) => {
        change(b, { elsewhere: 0 });
      },
    ],
    ['the slot was taken again', ({ a }) => change(a, { inFlight: 3 })],
    ['more than one slot is free', ({ a }) => change(a, { inFlight: 1 })],
    ['no limit is known of the one', ({ a }) => change(a, { limit: freshLimit(64) })],
    [
      'no limit is known of the other',
      ({ b }) => change(b, { limit: { ...freshLimit(64), limit: 2 } }),
    ],
    [
      'the other one is at its ceiling',
      ({ b }) => change(b, { limit: { ...lane(b).limit, ceiling: 2 } }),
    ],
    [
      'the other one was just refused',
      ({ b }) => change(b, { shut: { sentAt: 900, until: 2_000 } }),
    ],
    ['the other one rests', ({ b }) => Object.assign(b, { coolUntil: 1_001 })],
    ['the other one is out', ({ b }) => Object.assign(b, { disabled: OUT })],
    ['the other one never took a call', ({ b }) => b.lanes.clear()],
    ['the one never took a call', ({ a }) => a.lanes.clear()],
    ['other processes are on the one', ({ a }) => change(a, { share: { ...NO_SHARE, slots: 9 } })],
    [
      'other processes are on the other',
      ({ b }) => change(b, { share: { ...NO_SHARE, slots: 2 } }),
    ],
    ['nobody else is on the one', ({ a }) => change(a, { elsewhere: 0 })],
    [
      'it was refused a moment ago',
      ({ provider, now }) => provider.parted.set('a\nb', { times: 1, nextAt: now + 1 }),
    ],
    [
      'somebody gave both their names',
      ({ a, b }) => [a, b].map((each) => Object.assign(each, { isGiven: true })),
    ],
  ])('is not lent where %s', (_why, arrange) => {
    const about = scene();
    arrange(about);
    const before = about.provider.swap;
    beginSwap(about.a, MODEL, about);
    expect(about.provider.swap).toBe(before);
  });

  it.each<[string, (about: ReturnType<typeof scene>) => unknown]>([
    ['somebody gave one of them its name', ({ a }) => Object.assign(a, { isGiven: true })],
    ['both named the same limit', ({ a, b }) => [a, b].map((each) => change(each, { named: 5 }))],
    ['one of them named a limit', ({ a }) => change(a, { named: 5 })],
    ['the other one named a limit', ({ b }) => change(b, { named: 5 })],
    ['others are on both', ({ a, b }) => [a, b].map((each) => change(each, { elsewhere: 2 }))],
    ['just one try is paid for', ({ provider }) => Object.assign(provider, { tries: 1 })],
    ['the other one has just rested', ({ b }) => Object.assign(b, { coolUntil: 1_000 })],
    [
      'its time has come again',
      ({ provider, now }) => provider.parted.set('a\nb', { times: 1, nextAt: now }),
    ],
    [
      'another pair was refused',
      ({ provider }) => provider.parted.set('b\nc', { times: 1, nextAt: 9_000 }),
    ],
    [
      'a refusal takes just half of an answer',
      ({ provider }) => Object.assign(provider, { pace: { ...provider.pace, refusalMs: 500 } }),
    ],
  ])('is lent where %s, and awaited before', (_why, arrange) => {
    const about = scene();
    arrange(about);
    expect(awaitsSwap(about.b, lane(about.b), about)).toBe(true);
    beginSwap(about.a, MODEL, about);
    expect(about.provider.swap).toMatchObject({ from: 'a', to: 'b' });
  });

  it('is lent from either side of a pair, and not again from the other', () => {
    const about = scene();
    about.provider.parted.set('a\nb', { times: 1, nextAt: 9_000 });
    expect(awaitsSwap(about.a, lane(about.a), about)).toBe(false);
    expect(awaitsSwap(about.b, lane(about.b), about)).toBe(false);
  });

  it('goes to the first one that may be tried', () => {
    const about = scene();
    const [c, d] = [key('c', 2, 1), key('d', 2, 2)];
    const all = { ...about, accounts: [about.a, c, d, about.b] };
    beginSwap(about.a, MODEL, all);
    expect(about.provider.swap?.to).toBe('d');
    expect(lane(about.b).limit.limit).toBe(2);
  });

  it.each<[string, (about: ReturnType<typeof scene>) => unknown]>([
    ['has no call there', ({ b }) => change(b, { inFlight: 0 })],
    ['was never used', ({ b }) => b.lanes.clear()],
    ['has no limit that is known', ({ b }) => change(b, { limit: freshLimit(64) })],
    ['named another limit', ({ a, b }) => [change(a, { named: 5 }), change(b, { named: 8 })]],
    ['is out', ({ b }) => Object.assign(b, { disabled: OUT })],
  ])('is not awaited from a key that %s', (_why, arrange) => {
    const about = scene();
    arrange(about);
    expect(awaitsSwap(about.a, lane(about.a), about)).toBe(false);
  });

  it('leaves other tries alone when it is given back', () => {
    const about = scene();
    const c = key('c', 2, 2);
    change(c, { limit: { ...lane(c).limit, limit: 3 } });
    const all = { ...about, accounts: [...about.accounts, c, createAccount('unused', false)] };
    beginSwap(about.a, MODEL, all);
    endSwap(all);
    expect([lane(about.b).limit.limit, lane(c).limit.limit]).toEqual([2, 3]);
    endSwap(all);
    beginSwap(about.a, MODEL, all);
    const stay = enter(lane(about.b), 'b', about.now);
    about.provider.swap = { model: MODEL, from: 'a', to: 'b', stay };
    endSwap(all);
    // It was sent: its own end shows what came of it.
    expect(lane(about.b).limit.limit).toBe(3);
  });

  it('is no refusal of anybody where none was lent', () => {
    const about = scene();
    swapRefused(about, timingFor(about.provider.pace));
    expect(about.provider.parted.size).toBe(0);
  });

  it('is given back, and the try that was not sent is off', () => {
    const about = scene();
    beginSwap(about.a, MODEL, about);
    endSwap(about);
    expect(lane(about.a).held).toBe(0);
    expect(lane(about.b).limit.limit).toBe(2);
    expect(about.provider.swap).toBeNull();
  });

  it('is not lent to the same key again soon after a refusal, and ever more rarely', () => {
    const about = scene();
    const timing = timingFor(about.provider.pace);
    expect(awaitsSwap(about.a, lane(about.a), about)).toBe(true);
    beginSwap(about.a, MODEL, about);
    swapRefused(about, timing);
    expect(awaitsSwap(about.a, lane(about.a), about)).toBe(false);
    expect(lane(about.a).held).toBe(0);
    const later = { ...about, now: about.now + 2 * timing.limitProbeMs };
    expect(awaitsSwap(about.a, lane(about.a), later)).toBe(true);
    beginSwap(about.a, MODEL, later);
    change(about.b, { limit: { ...lane(about.b).limit, limit: 2 } });
    swapRefused(later, timing);
    const again = { ...later, now: later.now + 2 * timing.limitProbeMs };
    expect(awaitsSwap(about.a, lane(about.a), again)).toBe(false);
  });
});

describe('two accounts', () => {
  it('may be one unless somebody gave each its name', () => {
    const provider = createProvider('deepseek', 5);
    const given = [createAccount('x', true), createAccount('y', true)] as const;
    expect(mayBeOne(provider, ...given)).toBe(false);
    expect(mayBeOne(provider, given[0], createAccount('z', false))).toBe(true);
    expect(mayBeOne(provider, given[0], given[0])).toBe(false);
  });

  it('are two, whoever is of them, where their balances are far apart', () => {
    const provider = createProvider('deepseek', 5);
    const [one, other] = [createAccount('x', false), createAccount('z', true)];
    one.members = ['x', 'y'];
    const read = { at: 0, currency: 'USD' };
    provider.balances.set('y', withBalance(undefined, { ...read, account: 'y', amount: 47.44 }));
    expect(mayBeOne(provider, one, other)).toBe(true);
    provider.balances.set('z', withBalance(undefined, { ...read, account: 'z', amount: 12.1 }));
    expect(mayBeOne(provider, one, other)).toBe(false);
    expect(mayBeOne(provider, other, one)).toBe(false);
  });
});
