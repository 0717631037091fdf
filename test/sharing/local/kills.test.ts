import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LinkWorkers } from '../../../lab/sharing/link-workers.ts';
import { until } from '../../../lab/until.ts';

let all: LinkWorkers;
beforeAll(async () => {
  all = await LinkWorkers.create(3);
});
afterAll(() => all.close());

describe('processes that are killed at random', () => {
  it('leave the others sharing, whoever it was', async () => {
    await all.settled('all are there');
    for (let round = 0; round < 8; round++) {
      const victim = round % 2 === 0 ? all.coordinator : all.workers[0];
      await all.replace(victim ?? undefined);
      await all.settled(`all are there again after kill ${round}`);
    }
  }, 60_000);

  it('or leave in order', async () => {
    await all.settled('all are there');
    const leaving = all.coordinator;
    all.workers = all.workers.filter((worker) => worker !== leaving);
    await leaving?.end('SIGTERM');
    await all.settled('the others are there again');
    all.add();
    await all.settled('the next one is there');
  }, 30_000);

  it('or are stopped, and wake up later: another one coordinates meanwhile, one does at the end', async () => {
    await all.settled('all are there');
    const frozen = all.coordinator;
    frozen?.signal('SIGSTOP');
    const others = all.workers.filter((worker) => worker !== frozen);
    await until('another one coordinates', () =>
      others.some(({ last }) => last.role === 'coordinator'),
    );
    await until('the others go on together', () =>
      others.every(({ last }) => last.role !== null && last.processes === 2),
    );
    frozen?.signal('SIGCONT');
    await all.settled('the one that woke up is a member');
    expect(frozen?.last.role).toBe('member');
  }, 30_000);
});
