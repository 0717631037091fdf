import { randomBytes } from 'node:crypto';

/** 128 random bits as text: a nonce, or what a process is called among the others. */
export function newNonce(): string {
  return randomBytes(16).toString('base64url');
}
