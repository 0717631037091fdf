import { describe, expect, it } from 'vitest';
import { lanesOfKeys, mergeAccount } from '../../../../src/pool/records/kinship/found-account.ts';
import type { Lane } from '../../../../src/pool/records/lane.ts';
import { enter, leave } from '../../../../src/pool/records/lane-writer.ts';
import { type AccountRecord, createAccount, laneOf } from '../../../../src/pool/records/state.ts';

const MODEL = 'deepseek-flash';
const CEILING = 64;

function accountOf(label: string, capacity: number | null, inFlight: number): AccountRecord {
  const account = createAccount(label, false);
  const lane = laneOf(account, MODEL, CEILING);
  for (let call = 0; call < inFlight; call++) enter(lane, label, call);
  const limit = capacity ?? lane.limit.limit;
  account.lanes.set(MODEL, { ...lane, limit: { ...lane.limit, capacity, limit } });
  return account;
}

function laneIn(account: AccountRecord): Lane {
  return laneOf(account, MODEL, CEILING);
}

describe('two accounts that were found to be one', () => {
  it('have the calls of both, and the sum of what each was known to take', () => {
    const into = accountOf('a', 3, 3);
    mergeAccount(into, accountOf('b', 2, 1));
    expect(into.members).toEqual(['a', 'b']);
    expect(laneIn(into).inFlight).toBe(4);
    expect(laneIn(into).limit).toMatchObject({ capacity: 5, limit: 5 });
  });

  it('count what is in flight where the limit of one is not known', () => {
    const into = accountOf('a', null, 2);
    mergeAccount(into, accountOf('b', 3, 3));
    expect(laneIn(into).limit.capacity).toBe(5);
  });

  it('never take more than the ceiling', () => {
    const into = accountOf('a', 60, 0);
    mergeAccount(into, accountOf('b', 60, 0));
    expect(laneIn(into).limit.limit).toBe(CEILING);
  });

  it('rest no longer than the one that works', () => {
    const into = accountOf('a', 3, 1);
    const resting = accountOf('b', 0, 0);
    resting.coolUntil = 9_000;
    mergeAccount(into, resting);
    expect(into.coolUntil).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('the pauses of two accounts that are one', () => {
  it.each([
    [null, 40, null],
    [40, null, null],
    [30, 40, 30],
  ])('are over where one of them works: %s and %s', (one, other, since) => {
    const [into, from] = [accountOf('a', 3, 1), accountOf('b', 3, 1)];
    Object.assign(into, { coolSince: one, coolings: 3 });
    Object.assign(from, { coolSince: other, coolings: 2 });
    mergeAccount(into, from);
    expect(into).toMatchObject({ coolSince: since, coolings: 2 });
  });
});

describe('keys that share no account after all', () => {
  it('take their own calls with them, and as many slots', () => {
    const both = accountOf('a', 3, 3);
    mergeAccount(both, accountOf('b', 2, 1));
    const own = lanesOfKeys(both, new Set(['b']), 50).get(MODEL);
    expect(own?.inFlight).toBe(1);
    expect(own?.limit).toMatchObject({ capacity: 1, limit: 1, probeAt: 50 });
  });

  it('begin with one slot where none of their calls is there', () => {
    const both = accountOf('a', 3, 3);
    mergeAccount(both, accountOf('b', 2, 0));
    expect(lanesOfKeys(both, new Set(['b']), 0).get(MODEL)?.limit.limit).toBe(1);
  });

  it('keep calls that ended, for a refusal of their time may still come', () => {
    const both = accountOf('a', 3, 1);
    const lane = laneIn(both);
    const [stay] = lane.stays;
    if (stay === undefined) throw new Error('no call');
    leave(lane, stay, 10, 'ended');
    const own = lanesOfKeys(both, new Set(['a']), 20).get(MODEL);
    expect(own?.stays).toEqual([stay]);
    expect(own?.inFlight).toBe(0);
  });
});
