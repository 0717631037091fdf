import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../../../lab/store.ts';
import { TeamLine, type TeamLink } from '../../../../src/usage/budgets/team/team-line.ts';
import { TeamMemory } from '../../../../src/usage/budgets/team/team-memory.ts';

const BUDGET = { usd: 1, per: 'day', account: null, client: null } as const;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Calls whose others cannot be asked: how often it is tried in the minute after them. */
async function triedAfter(call: (line: TeamLine) => void): Promise<number> {
  let tried = 0;
  const link: TeamLink = {
    exchange: () => {
      tried += 1;
      return Promise.reject(new Error('nobody is there'));
    },
    leave: () => Promise.resolve(),
  };
  const line = new TeamLine({
    link,
    home: Promise.resolve('home'),
    spent: () => Promise.resolve([]),
    now: () => Date.now(),
    memory: new TeamMemory(temporaryFolder()),
    onChange: () => {},
  });
  line.enter('call', BUDGET, 0.1, true);
  await vi.advanceTimersByTimeAsync(5_000);
  call(line);
  await vi.advanceTimersByTimeAsync(60_000);
  tried = 0;
  await vi.advanceTimersByTimeAsync(60_000);
  await line.leave();
  return tried;
}

describe('a process whose others cannot be asked', () => {
  it('asks ever more rarely when it has nothing to say', async () => {
    expect(await triedAfter((line) => line.end('call'))).toBeLessThan(5);
  });

  it('goes on asking every second while they do not know what it has spent', async () => {
    const spends = (line: TeamLine): void => {
      line.noteSpent('account', null, 0.1);
      line.end('call');
    };
    expect(await triedAfter(spends)).toBeGreaterThanOrEqual(50);
  });
});
