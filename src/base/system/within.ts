/**
 * Waits for `work`, however it ends, and for `ms` at most. The timer goes when the work is over, so
 * that it does not hold up the end of the process.
 *
 * @returns true when the work was over in time
 */
export function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    const done = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    work.then(done, done);
  });
}
