/** Waits for something that happens elsewhere. */

import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

/**
 * For `vi.waitFor` and `expect.poll`: by themselves they give up after a second, for which a busy
 * machine may well let nobody run.
 */
export const PATIENT = { timeout: 20_000, interval: 50 } as const;

/** @throws Error naming `what` after `patienceMs` */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  patienceMs = 20_000,
): Promise<void> {
  const endsAt = performance.now() + patienceMs;
  while (!(await isTrue())) {
    if (performance.now() > endsAt) throw new Error(`waited in vain until ${what}`);
    await sleep(5);
  }
}

/**
 * Whether it is settled before the event loop turns: nobody waits for it, neither for a moment nor,
 * on a busy machine, for a second.
 */
export async function settlesAtOnce(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  await turn();
  return isSettled;
}
