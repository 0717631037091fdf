/** One more way to read a text, and the way back to it. */

import type { TextSpan } from './run-index.ts';

export interface Reading {
  readonly text: string;
  /** Where a part of the reading stands in the text that it was read from. */
  locate(part: TextSpan): TextSpan;
}

/** The last of sorted entries that `isBefore` holds for; -1 for none. */
export function lastBefore<T>(entries: readonly T[], isBefore: (entry: T) => boolean): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && isBefore(entry)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
