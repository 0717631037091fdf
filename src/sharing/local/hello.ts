/**
 * The greeting of two processes: both prove that they know the home's secret, neither shows it.
 *
 *     caller → host    {"keypool":1,"member":…,"nonce":…}
 *     host → caller    {"keypool":1,"nonce":…,"proof":…}
 *     caller → host    {"proof":…}
 *
 * The host proves itself first, so that a caller tells a stranger nothing but two random texts. The
 * proofs differ by role: one side's proof is no use on the other.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { isRecord } from '../../base/text/json.ts';
import { newNonce } from '../nonce.ts';
import { PROTOCOL_VERSION } from '../protocol.ts';

/** Both sides are on one machine; whoever takes longer sleeps, or is no process of ours. */
export const HELLO_MS = 1_000;

const NONCE = /^[A-Za-z0-9_-]{22}$/;
const PROOF = /^[A-Za-z0-9_-]{43}$/;

/** What both sides know when the first two messages have passed. */
export interface Greeting {
  readonly member: string;
  readonly callerNonce: string;
  readonly hostNonce: string;
}

function proof(key: Uint8Array, role: 'host' | 'caller', greeting: Greeting): string {
  const { member, callerNonce, hostNonce } = greeting;
  const text = [PROTOCOL_VERSION, role, member, callerNonce, hostNonce].join(' ');
  return createHmac('sha256', key).update(text).digest('base64url');
}

function isProof(given: unknown, expected: string): boolean {
  if (typeof given !== 'string' || !PROOF.test(given)) return false;
  return timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

function nonceIn(value: unknown): string | null {
  return typeof value === 'string' && NONCE.test(value) ? value : null;
}

export function callerHello(member: string, nonce: string): object {
  return { keypool: PROTOCOL_VERSION, member, nonce };
}

/** The host's side of one connection. */
export class HostHello {
  readonly #key: Uint8Array;
  #greeting: Greeting | null = null;
  #isDone = false;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The member, when it has proved itself. */
  get member(): string | null {
    return this.#isDone && this.#greeting !== null ? this.#greeting.member : null;
  }

  /**
   * @returns what to answer; null for nothing
   * @throws TypeError for whatever is no greeting of a process of this home
   */
  take(message: unknown): object | null {
    if (!isRecord(message)) throw new TypeError('no greeting');
    if (this.#greeting !== null) {
      if (!isProof(message.proof, proof(this.#key, 'caller', this.#greeting))) {
        throw new TypeError('no proof');
      }
      this.#isDone = true;
      return null;
    }
    const member = nonceIn(message.member);
    const callerNonce = nonceIn(message.nonce);
    if (message.keypool !== PROTOCOL_VERSION || member === null || callerNonce === null) {
      throw new TypeError('no greeting');
    }
    this.#greeting = { member, callerNonce, hostNonce: newNonce() };
    const { hostNonce } = this.#greeting;
    return {
      keypool: PROTOCOL_VERSION,
      nonce: hostNonce,
      proof: proof(this.#key, 'host', this.#greeting),
    };
  }
}

/**
 * The caller's last message.
 *
 * @param message the host's answer
 * @throws TypeError when the host has not proved itself
 */
export function callerProof(
  key: Uint8Array,
  member: string,
  callerNonce: string,
  message: unknown,
): object {
  const hostNonce = isRecord(message) ? nonceIn(message.nonce) : null;
  if (!isRecord(message) || message.keypool !== PROTOCOL_VERSION || hostNonce === null) {
    throw new TypeError('no greeting');
  }
  const greeting = { member, callerNonce, hostNonce };
  if (!isProof(message.proof, proof(key, 'host', greeting))) throw new TypeError('no proof');
  return { proof: proof(key, 'caller', greeting) };
}
