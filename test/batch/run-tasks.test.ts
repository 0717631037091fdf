import { describe, expect, it } from 'vitest';
import { runTasks } from '../../src/batch/run-tasks.ts';

async function* numbers(count: number) {
  for (let task = 0; task < count; task++) yield task;
}

/** A pool with so many slots: further calls wait. */
class Slots {
  readonly #free: number;
  readonly #waiting: Array<() => void> = [];
  running = 0;
  mostRunning = 0;
  mostWaiting = 0;

  constructor(free: number) {
    this.#free = free;
  }

  async serve(): Promise<void> {
    if (this.running >= this.#free) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        this.mostWaiting = Math.max(this.mostWaiting, this.#waiting.length);
      });
    }
    this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    this.running--;
    this.#waiting.shift()?.();
  }

  load = () => ({ inFlight: this.running, queued: this.#waiting.length });
}

describe('tasks through a pool', () => {
  it('use every slot, and let few calls wait in the queue', async () => {
    const slots = new Slots(8);
    let done = 0;
    await runTasks({
      tasks: numbers(200),
      run: async () => {
        await slots.serve();
        done++;
      },
      load: slots.load,
      signal: new AbortController().signal,
      most: 1_000,
    });
    expect(done).toBe(200);
    expect(slots.mostRunning).toBe(8);
    expect(slots.mostWaiting).toBeLessThanOrEqual(5);
  });

  it('are never more at once than the ceiling', async () => {
    const slots = new Slots(100);
    await runTasks({
      tasks: numbers(50),
      run: () => slots.serve(),
      load: slots.load,
      signal: new AbortController().signal,
      most: 3,
    });
    expect(slots.mostRunning).toBe(3);
  });

  it('stop with the signal: none is begun, those in flight are cancelled first', async () => {
    const controller = new AbortController();
    let begun = 0;
    let cancelled = 0;
    const run = runTasks({
      tasks: numbers(1_000),
      run: (_, signal) => {
        if (++begun === 4) controller.abort();
        return new Promise((_resolve, reject) => {
          const stop = () => {
            cancelled++;
            reject(signal.reason);
          };
          if (signal.aborted) stop();
          else signal.addEventListener('abort', stop);
        });
      },
      load: () => ({ inFlight: 100, queued: 0 }),
      signal: controller.signal,
      most: 10,
    });
    await expect(run).rejects.toThrow(/abort/);
    expect([begun, cancelled]).toEqual([4, 4]);
  });

  it('stop when one of them cannot be recorded, and say why', async () => {
    let begun = 0;
    const run = runTasks({
      tasks: numbers(1_000),
      run: (task) => {
        begun++;
        return task === 5 ? Promise.reject(new Error('disk full')) : Promise.resolve();
      },
      load: () => ({ inFlight: 0, queued: 0 }),
      signal: new AbortController().signal,
      most: 10,
    });
    await expect(run).rejects.toThrow('disk full');
    expect(begun).toBeLessThan(10);
  });
});
