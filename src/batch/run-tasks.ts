/** Keeps the pool busy with tasks, and no more of them waiting than that takes. */

import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the pool says of itself right now. */
export interface Load {
  readonly inFlight: number;
  readonly queued: number;
}

export interface RunOptions<T> {
  readonly tasks: AsyncIterable<T>;
  /** Settles when the task is over and recorded; a rejection stops the run. */
  readonly run: (task: T, signal: AbortSignal) => Promise<void>;
  readonly load: () => Load;
  /** Stops the run: no further task is begun, those in flight are cancelled. */
  readonly signal: AbortSignal;
  /** Ceiling of tasks begun and not over. */
  readonly most: number;
}

/** A limit that grew, or a key that came back, is noticed this soon. */
const LOOK_AGAIN_MS = 20;

/**
 * A task's time limit includes its wait in the pool's queue, so tasks wait here instead: half as
 * many again as are being served is enough that a freed slot always finds a waiting call.
 */
function hasRoom({ inFlight, queued }: Load): boolean {
  return queued < Math.max(1, Math.ceil(inFlight / 2));
}

/**
 * @throws the first rejection of a task, or the signal's reason, when nothing is running any more
 */
export async function runTasks<T>(options: RunOptions<T>): Promise<void> {
  const { load, most } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  // Every task in flight listens to it; that is no leak.
  setMaxListeners(0, signal);
  const running = new Set<Promise<void>>();
  const begin = (task: T): void => {
    const over = options
      .run(task, signal)
      .catch((error: unknown) => stop.abort(error))
      .finally(() => running.delete(over));
    running.add(over);
  };
  try {
    for await (const task of options.tasks) {
      while (!signal.aborted && running.size > 0 && (running.size >= most || !hasRoom(load()))) {
        await Promise.race([...running, sleep(LOOK_AGAIN_MS)]);
      }
      if (signal.aborted) break;
      begin(task);
      // The pool sees the call before the next one is judged by the pool's load.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } catch (error) {
    stop.abort(error);
  }
  await Promise.all(running);
  signal.throwIfAborted();
}
