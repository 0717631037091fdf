/** For how long a busy machine let this process not run: what is measured by time allows for it. */

const TICK_MS = 50;

/** @returns ends it, and says how many milliseconds they were */
export function watchStalls(): () => number {
  let stalledMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const lateMs = performance.now() - last - TICK_MS;
    if (lateMs > TICK_MS) stalledMs += lateMs;
    last = performance.now();
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    return stalledMs;
  };
}
