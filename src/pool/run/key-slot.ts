/** A key in the pool: its plain record, its breaker, and its secret, which nothing can print. */

import { keyId } from '../../base/keys/key-id.ts';
import type { PoolKey } from '../lease.ts';
import { type AccountRecord, createKeyRecord, type KeyRecord } from '../records/state.ts';
import type { BreakerState } from '../snapshot.ts';
import type { Attempt } from './attempt.ts';
import { Breaker } from './breaker.ts';

export interface KeySlotOptions {
  readonly key: PoolKey;
  readonly account: AccountRecord;
  /** Of its own account, whatever that is found to be part of. */
  readonly label: string;
  readonly now: () => number;
  readonly onBreaker: (slot: KeySlot, state: BreakerState) => void;
}

export class KeySlot {
  readonly record: KeyRecord;
  /** What limits and bills it, as far as we know by now. */
  account: AccountRecord;
  readonly breaker: Breaker;
  /**
   * Attempts without a first byte, oldest first. No Set: what its outgrown tables held when they
   * were outgrown stays in memory until a full collection, the attempts' whole calls with it.
   */
  readonly unanswered: Attempt[] = [];
  lastFirstByteAt = Number.NEGATIVE_INFINITY;
  /** When the latest-sent call of this key that has its first byte was sent. */
  answeredSentAt = Number.NEGATIVE_INFINITY;
  readonly #secret: string;
  readonly #ownAccount: boolean;

  constructor(options: KeySlotOptions) {
    const { key, account } = options;
    this.#secret = key.secret;
    this.#ownAccount = key.account === null;
    this.account = account;
    this.record = createKeyRecord(key.provider, key.name, keyId(key.secret), options.label);
    this.breaker = new Breaker({
      now: options.now,
      onChange: (state) => options.onBreaker(this, state),
    });
  }

  /** For the lease and the token-free check; nowhere else. */
  /** Somebody said which account it is of. */
  get isGiven(): boolean {
    return !this.#ownAccount;
  }

  get secret(): string {
    return this.#secret;
  }

  /** The attempt has its first byte, or needs none any more. */
  answered(attempt: Attempt): void {
    const at = this.unanswered.indexOf(attempt);
    if (at >= 0) this.unanswered.splice(at, 1);
  }

  toPoolKey(): PoolKey {
    return {
      provider: this.record.provider,
      name: this.record.name,
      account: this.#ownAccount ? null : this.record.account,
      secret: this.#secret,
    };
  }
}
