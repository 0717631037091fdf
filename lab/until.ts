/** Waits for something that happens elsewhere. */

import { setTimeout as sleep } from 'node:timers/promises';

/**
 * For `vi.waitFor` and `expect.poll`: by themselves they give up after a second, for which a busy
 * machine may well let nobody run.
 */
export const PATIENT = { timeout: 20_000, interval: 50 } as const;

/** @throws Error naming `what` after `patienceMs` */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  patienceMs = 10_000,
): Promise<void> {
  const endsAt = performance.now() + patienceMs;
  while (!(await isTrue())) {
    if (performance.now() > endsAt) throw new Error(`waited in vain until ${what}`);
    await sleep(5);
  }
}
