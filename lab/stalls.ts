/** For how long a busy machine let nobody run: what a test of real time has to leave out. */

const TICK_MS = 50;

/** @returns ends it, and says for how many milliseconds this process stood still */
export function watchStalls(): () => number {
  let stalledMs = 0;
  let last = performance.now();
  const look = (): void => {
    const lateMs = performance.now() - last - TICK_MS;
    if (lateMs > TICK_MS) stalledMs += lateMs;
    last = performance.now();
  };
  const timer = setInterval(look, TICK_MS);
  return () => {
    clearInterval(timer);
    look();
    return stalledMs;
  };
}

/**
 * What came of it while the machine did not stand still: what was disturbed is done once more, and
 * the last of `tries` counts in any case.
 */
export async function undisturbed<Result>(
  run: () => Promise<Result>,
  mostMs: number,
  tries = 5,
): Promise<Result> {
  const stalledMs = watchStalls();
  const result = await run();
  return stalledMs() <= mostMs || tries <= 1 ? result : undisturbed(run, mostMs, tries - 1);
}
