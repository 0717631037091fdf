/** The lease handed to an upstream client. Its secret is private: no dump of it shows a key. */

import type { Lease, ToldRate } from '../../lease.ts';

export interface LeaseFacts {
  readonly keyName: string;
  readonly keyId: string;
  readonly account: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly remainingMs: number;
}

export interface LeaseEvents {
  readonly accepted: () => void;
  readonly firstByte: () => void;
  readonly giveUp: () => void;
  readonly told: (told: ToldRate) => void;
}

export class BorrowedKey implements Lease {
  readonly keyName: string;
  readonly keyId: string;
  readonly account: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly remainingMs: number;
  /** Functions of their own, not methods: clients hand them on as callbacks. */
  readonly accepted: () => void;
  readonly firstByte: () => void;
  readonly giveUp: () => void;
  readonly told: (told: ToldRate) => void;
  readonly #secret: string;

  constructor(facts: LeaseFacts, secret: string, events: LeaseEvents) {
    this.keyName = facts.keyName;
    this.keyId = facts.keyId;
    this.account = facts.account;
    this.attempt = facts.attempt;
    this.signal = facts.signal;
    this.remainingMs = facts.remainingMs;
    this.#secret = secret;
    this.accepted = events.accepted;
    this.firstByte = events.firstByte;
    this.giveUp = events.giveUp;
    this.told = events.told;
  }

  get secret(): string {
    return this.#secret;
  }
}
