import { describe, expect, it } from 'vitest';
import {
  heardAccountOut,
  heardAccountWorks,
  heardForbidden,
  heardKeyOut,
  heardKeyWorks,
  heardOutage,
  heardRest,
} from '../../../../src/pool/records/course/heard.ts';
import type { Fact } from '../../../../src/pool/sharing.ts';
import { place } from '../scene.ts';

const NOW = 1_000;

function factOf(more: Partial<Fact> = {}): Fact {
  const out = { isOut: true, works: false, checks: 2, checkInMs: 500, restsMs: 0 };
  return { id: 'id', generation: 1, ...out, ...more };
}

describe('what other processes say', () => {
  it('takes a key out until their next check, and the reason is shown', () => {
    const { key } = place();
    heardKeyOut(key, 'rejected', factOf(), NOW);
    const disabled = { reason: 'rejected', since: NOW, checks: 2, nextCheckAt: NOW + 500 };
    expect(key).toMatchObject({ disabled, tripReason: 'rejected' });
  });

  it('puts a check off, and never brings it forward', () => {
    const { account } = place();
    heardAccountOut(account, 'no money', factOf({ checks: 3, checkInMs: 900 }), NOW);
    heardAccountOut(account, 'no money', factOf({ checks: 1, checkInMs: 100 }), NOW + 200);
    expect(account.disabled).toMatchObject({ since: NOW, checks: 3, nextCheckAt: NOW + 900 });
    heardAccountOut(account, 'no money', factOf({ checks: 4, checkInMs: 900 }), NOW + 200);
    expect(account.disabled).toMatchObject({ since: NOW, checks: 4, nextCheckAt: NOW + 1_100 });
  });

  it('brings back what was out, and says whether it was', () => {
    const { key, account } = place();
    expect([heardKeyWorks(key), heardAccountWorks(account)]).toEqual([false, false]);
    expect(key.proven).toBe(true);
    heardKeyOut(key, 'rejected', factOf(), NOW);
    heardAccountOut(account, 'no money', factOf(), NOW);
    expect([heardKeyWorks(key), heardAccountWorks(account)]).toEqual([true, true]);
    expect([key.disabled, account.disabled]).toEqual([null, null]);
  });

  it('moves a pause only later', () => {
    const { key, account } = place();
    for (const until of [700, 400]) {
      heardForbidden(key, 'model', until);
      heardRest(account, until, `until ${until}`);
    }
    expect(key.forbiddenUntil.get('model')).toBe(700);
    expect(account).toMatchObject({ coolUntil: 700, coolReason: 'until 700' });
  });

  it('begins an outage, or goes on with the one that was known', () => {
    const { provider } = place();
    provider.ramp = 4;
    heardOutage(provider, NOW, true);
    heardOutage(provider, NOW + 50, false);
    expect(provider).toMatchObject({ outageSince: NOW, ramp: null });
  });
});
