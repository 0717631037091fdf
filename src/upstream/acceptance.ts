/** When a request counts as taken: not at its 200, under which refusals come as well. */

import type { Lease } from '../pool/lease.ts';
import type { Watch } from './watch.ts';

/** Whoever refuses under 200 does so at once. */
const REFUSED_WITHIN_MS = 100;

/**
 * Tells the pool that the upstream took the request, while its answer is being read, unless that
 * turns out to be a refusal at once. A request that was refused and had been called taken would be
 * sent again and again.
 */
export async function acceptWhile<T>(lease: Lease, read: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => lease.accepted?.(), REFUSED_WITHIN_MS);
  try {
    return await read();
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What to do with the pieces of an answer that can be read only as a whole: the first one may be all
 * of an error, which is nothing that the key has brought.
 */
export function pieceCounter(watch: Watch): () => void {
  let pieces = 0;
  return () => {
    pieces += 1;
    if (pieces === 1) watch.restart();
    else watch.content();
  };
}
