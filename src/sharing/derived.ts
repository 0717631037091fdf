/** Keys and names under one secret, each for one purpose. */

import { createHmac } from 'node:crypto';

/** A key of 32 bytes that is good for one purpose and tells nothing of another's. */
export function purposeKey(secret: Uint8Array, purpose: string): Buffer {
  return createHmac('sha256', secret).update(`keypool sharing 1 ${purpose}`).digest();
}

/**
 * A name that only who has the key can make. The parts keep apart: `['ab', 'c']` is not
 * `['a', 'bc']`.
 *
 * @returns base64url of `bytes` bytes
 */
export function keyedName(key: Uint8Array, parts: readonly string[], bytes: number): string {
  const digest = createHmac('sha256', key).update(JSON.stringify(parts)).digest();
  return digest.subarray(0, bytes).toString('base64url');
}
