/**
 * How a server shows that it is the one that wrote its record, before anybody tells it a token: on
 * its port there may be a stranger by now. The secret is the record's, and never on the wire.
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export const PROOF_PATH = '/proof';

const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** null: the challenge is none. */
export function proofOf(secret: string, challenge: string): string | null {
  if (!CHALLENGE.test(challenge)) return null;
  return createHmac('sha256', secret).update(`keypool-mcp ${challenge}`).digest('base64url');
}

/** Asks whoever answers at `url` for the proof. */
export async function isProven(url: string, secret: string, patienceMs: number): Promise<boolean> {
  const challenge = newSecret();
  const expected = proofOf(secret, challenge) ?? '';
  const answer = await fetch(`${url}${PROOF_PATH}?challenge=${challenge}`, {
    redirect: 'error',
    signal: AbortSignal.timeout(patienceMs),
  })
    .then((response) => (response.ok ? response.text() : ''))
    .catch(() => '');
  const [given, wanted] = [Buffer.from(answer.trim().slice(0, 100)), Buffer.from(expected)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
