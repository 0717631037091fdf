/**
 * Names that tell nothing: whoever knows the secret makes the same name of the same thing, and
 * nobody can tell from the name what the thing is.
 */

import { createHmac } from 'node:crypto';

const ID_BYTES = 12;

/** A key of 32 bytes that is good for one purpose and tells nothing of another's. */
export function purposeKey(secret: Uint8Array, purpose: string): Buffer {
  return createHmac('sha256', secret).update(`keypool sharing 1 ${purpose}`).digest();
}

/**
 * A name that only who has the key can make. The words keep apart: `['ab', 'c']` is not
 * `['a', 'bc']`.
 *
 * @returns base64url of `bytes` bytes
 */
export function keyedName(key: Uint8Array, words: readonly string[], bytes: number): string {
  const digest = createHmac('sha256', key).update(JSON.stringify(words)).digest();
  return digest.subarray(0, bytes).toString('base64url');
}

/**
 * Names the things that processes tell each other about: accounts, keys, providers.
 *
 * @param secret what all processes that share have, and nobody else
 */
export function idMaker(secret: Uint8Array): (...words: readonly string[]) => string {
  const key = purposeKey(secret, 'ids');
  return (...words) => keyedName(key, words, ID_BYTES);
}
