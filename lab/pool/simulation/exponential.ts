/** Exponentially distributed with this mean: what passes between arrivals, how long answers are. */
export function exponential(mean: number, random: () => number): number {
  return -mean * Math.log(1 - random());
}
