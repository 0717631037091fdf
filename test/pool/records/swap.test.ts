import { describe, expect, it } from 'vitest';
import {
  awaitsSwap,
  type Bystanders,
  beginSwap,
  endSwap,
  mayBeOne,
  swapRefused,
} from '../../../src/pool/records/kinship/swap.ts';
import type { Lane } from '../../../src/pool/records/lane.ts';
import { enter } from '../../../src/pool/records/lane-writer.ts';
import {
  type AccountRecord,
  createAccount,
  createProvider,
  laneOf,
} from '../../../src/pool/records/state.ts';
import { timingFor } from '../../../src/pool/rules/timing.ts';

const MODEL = 'deepseek-flash';

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

  it.each<[string, (about: ReturnType<typeof scene>) => void]>([
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
  ])('is not lent where %s', (_why, arrange) => {
    const about = scene();
    arrange(about);
    const before = about.provider.swap;
    beginSwap(about.a, MODEL, about);
    expect(about.provider.swap).toBe(before);
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
    const given = [createAccount('x', true), createAccount('y', true)] as const;
    expect(mayBeOne(...given)).toBe(false);
    expect(mayBeOne(given[0], createAccount('z', false))).toBe(true);
    expect(mayBeOne(given[0], given[0])).toBe(false);
  });
});
