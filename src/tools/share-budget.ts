/**
 * Shares `total` among parts so that small ones stay whole and only the longest are cut, all to
 * the same length.
 *
 * @param sizes what each part would take
 * @returns what each part may take; their sum is at most `total`
 */
export function shareBudget(sizes: readonly number[], total: number): number[] {
  let left = total;
  let waiting = sizes.length;
  let level = Number.POSITIVE_INFINITY;
  for (const size of [...sizes].sort((a, b) => a - b)) {
    const share = Math.floor(left / waiting);
    if (size > share) {
      level = share;
      break;
    }
    left -= size;
    waiting--;
  }
  return sizes.map((size) => Math.min(size, level));
}
