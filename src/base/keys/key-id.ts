/** The only part of a secret that may be shown. Defined here alone. */

import { createHash } from 'node:crypto';

/** Shorter values show nothing of themselves, anywhere. */
const SHORTEST_SHOWN = 20;
const KEY_ID_LENGTH = 6;

/**
 * The last six characters; of a value under 20 characters, where six would be much of it, six hex
 * digits of its hash. Stable over restarts, so that metrics and logs keep their labels.
 */
export function keyId(secret: string): string {
  if (secret.length >= SHORTEST_SHOWN) return secret.slice(-KEY_ID_LENGTH);
  const hash = createHash('sha256').update('keypool key id\0').update(secret).digest('hex');
  return hash.slice(0, KEY_ID_LENGTH);
}

/** `sk-…337242`; only for values of 20 characters or more, otherwise nothing of the value. */
export function maskValue(secret: string): string {
  if (secret.length < SHORTEST_SHOWN) return '…';
  const prefix = /^(?:sk|pplx)-/.exec(secret)?.[0] ?? '';
  return `${prefix}…${keyId(secret)}`;
}
