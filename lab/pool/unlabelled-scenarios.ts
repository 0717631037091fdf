/** Keys of which nobody said whose they are; refusals in every wording, at once and late. */

import { burst, caps, type Make, patient, type Scenario, stream } from './simulation/traffic.ts';
import type { AccountSpec, RefusalSpec } from './simulation/virtual-upstream.ts';

/** A balance that ends: the limits that were seen one after the other. */
function falling(stepMs: number): AccountSpec {
  const limits = [39, 25, 20, 7, 5];
  return { capacity: (now) => limits[Math.min(limits.length - 1, Math.floor(now / stepMs))] ?? 5 };
}

export function unlabelledScenarios(make: Make, scale: number): Scenario[] {
  const second = 1_000 * scale;
  const of = (accounts: readonly AccountSpec[], keys: readonly number[], refusal: RefusalSpec) => ({
    accounts,
    keys: keys.map((account) => ({ account })),
    refusal,
    isUnlabelled: true,
  });
  const one = [0, 0, 0, 0];
  const two = [0, 0, 1, 1];
  const bare = { wording: 'bare', ms: 0 } as const;
  const numbers = { wording: 'numbers', ms: 0 } as const;
  const late = { wording: 'equal', ms: 200 * scale } as const;
  const busy = [0, 3, 5, 2, 6, 1];
  const others = (now: number): number => busy[Math.floor(now / (30 * second)) % 6] ?? 0;
  const shared = [{ capacity: 8, others }];
  const greedy = [0, 8, 5, 2, 8, 1];
  const harsh = (now: number): number => greedy[Math.floor(now / (6 * second)) % 6] ?? 0;
  const twoBusy = (balances: readonly number[] = []): AccountSpec[] =>
    caps(8, 8).map((each, index): AccountSpec => {
      const balance = balances[index];
      return {
        ...each,
        others: (now) => busy[Math.floor(now / (20 * second)) % 6] ?? 0,
        ...(balance === undefined ? {} : { balance }),
      };
    });
  return [
    make('U1', 'one account of 5, four keys, numbers', of(caps(5), one, numbers), patient(100)),
    make('U1b', 'the same, bare refusals', of(caps(5), one, bare), patient(100)),
    make('U1c', 'the same, late refusals, A equals B', of(caps(5), one, late), patient(100)),
    make(
      'U1d',
      'one account of 8, overload of 130 %, bare',
      of(caps(8), one, bare),
      stream(300, 8, 1.3, scale),
    ),
    make(
      'U2',
      'two accounts of 8, two keys each, numbers',
      of(caps(8, 8), two, numbers),
      burst(200),
    ),
    make('U2b', 'the same, bare refusals', of(caps(8, 8), two, bare), burst(200)),
    make(
      'U4',
      'four accounts of 8, numbers',
      of(caps(8, 8, 8, 8), [0, 1, 2, 3], numbers),
      burst(200),
    ),
    make('U4b', 'the same, bare refusals', of(caps(8, 8, 8, 8), [0, 1, 2, 3], bare), burst(200)),
    make(
      'U5',
      'the limit falls: 39, 25, 20, 7, 5',
      of([falling(6 * second)], one, numbers),
      burst(150),
    ),
    make('U6', 'somebody else on the account, four keys', of(shared, one, numbers), patient(100)),
    make('U6b', 'somebody else, one key, bare refusals', of(shared, [0], bare), patient(100)),
    make(
      'U6c',
      'somebody else, who changes every 6 s and takes all 8 twice a round',
      of([{ capacity: 8, others: harsh }], one, bare),
      patient(60),
    ),
    make(
      'U7',
      'somebody else on two accounts at once, two keys each, bare refusals',
      of(twoBusy(), two, bare),
      patient(200),
    ),
    make(
      'U7b',
      'the same, and their balances were read',
      of(twoBusy([47.44, 12.1]), two, bare),
      patient(200),
    ),
  ];
}
