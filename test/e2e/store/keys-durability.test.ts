/** A shorter run of bench/durability.ts: 200 kills, and eight writers at a time. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  buildWorker,
  concurrentAdds,
  DurabilityScene,
  hasContainers,
  IN_CONTAINER,
  type Mode,
} from '../../../lab/chaos/durability-rounds.ts';
import type { BundledProgram } from '../../../lab/program/bundled.ts';
import { until } from '../../../lab/until.ts';

let worker: BundledProgram;
beforeAll(async () => {
  worker = await buildWorker();
});
afterAll(() => worker.remove());

const ROUNDS: ReadonlyArray<readonly [Mode, number]> = [
  ['add', 60],
  ['remove', 50],
  ['rotate', 50],
  ['migrate', 50],
];

describe('a writer that is killed at a random moment', () => {
  it.concurrent.each(ROUNDS)(
    'leaves a store that opens, with every confirmed key: %s, %i times',
    async (mode, rounds) => {
      const scene = await DurabilityScene.create(mode);
      try {
        let changes = 0;
        for (let round = 0; round < rounds; round++) {
          const result = await scene.killRound(worker, mode, round);
          expect(result.problems).toEqual([]);
          changes += result.changes;
        }
        expect(changes).toBeGreaterThan(0);
        expect(await scene.orphans()).toEqual([]);
      } finally {
        scene.remove();
      }
    },
    240_000,
  );
});

describe('eight processes that add 25 keys each', () => {
  it('lose none of the 200', async () => {
    expect(await concurrentAdds(worker, 8, 25)).toBe(200);
  }, 120_000);

  it('lose none of them in containers that share the store, where each is process 1', async ({
    skip,
  }) => {
    if (!hasContainers()) return skip('no right to make a pid namespace here');
    expect(await concurrentAdds(worker, 8, 25, IN_CONTAINER)).toBe(200);
  }, 120_000);
});

/** The process that `unshare` started. */
function inner(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

describe('a container that sleeps while it holds the lock', () => {
  it('loses it to another one after a while, and neither loses a key', async ({ skip }) => {
    if (!hasContainers()) return skip('no right to make a pid namespace here');
    const scene = await DurabilityScene.create('add');
    onTestFinished(() => scene.remove());
    const start = (prefix: string, count: number) => {
      const [program, ...args] = [...IN_CONTAINER, process.execPath, worker.file];
      const job = ['add', scene.folder, prefix, String(count)];
      const child = spawn(program, [...args, ...job], { stdio: ['ignore', 'pipe', 'pipe'] });
      let errors = '';
      child.stderr.on('data', (chunk: Buffer) => {
        errors += chunk.toString();
      });
      child.stdout.resume();
      const ended = once(child, 'close').then(([code]) => ({ code, errors }));
      return { pid: child.pid ?? -1, ended };
    };
    const sleeper = start('ASLEEP', 200);
    await until('it holds the lock', () => existsSync(`${scene.path}.lock`));
    process.kill(inner(sleeper.pid), 'SIGSTOP');
    // Stopped between two writes it holds nothing, and the other one need not wait.
    const other = start('AWAKE', 10);
    expect(await other.ended).toEqual({ code: 0, errors: '' });
    process.kill(inner(sleeper.pid), 'SIGCONT');
    expect(await sleeper.ended).toEqual({ code: 0, errors: '' });
    const names = (await scene.open()).list().map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('ASLEEP'))).toHaveLength(200);
    expect(names.filter((name) => name.startsWith('AWAKE'))).toHaveLength(10);
  }, 120_000);
});
