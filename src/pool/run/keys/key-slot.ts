/** A key in the pool: its plain record, its breaker, and its secret, which nothing can print. */

import { keyId } from '../../../base/keys/key-id.ts';
import type { PoolKey } from '../../lease.ts';
import { type AccountRecord, createKeyRecord, type KeyRecord } from '../../records/state.ts';
import type { BreakerState } from '../../snapshot.ts';
import { Breaker } from './breaker.ts';

export interface KeySlotOptions {
  readonly key: PoolKey;
  readonly account: AccountRecord;
  /** Of its own account, whatever that is found to be part of. */
  readonly label: string;
  readonly now: () => number;
  readonly onBreaker: (state: BreakerState) => void;
}

export class KeySlot {
  readonly record: KeyRecord;
  /** What limits and bills it, as far as we know by now. */
  account: AccountRecord;
  readonly breaker: Breaker;
  /** Somebody said which account it is of. */
  readonly isGiven: boolean;
  /** A first call, or the trial of a half-open breaker, may be sent: of several processes one may. */
  mayTry = true;
  readonly #secret: string;

  constructor(options: KeySlotOptions) {
    const { key, account, label, now, onBreaker } = options;
    this.#secret = key.secret;
    this.isGiven = key.account !== null;
    this.account = account;
    this.record = createKeyRecord(key.provider, key.name, keyId(key.secret), label);
    this.breaker = new Breaker({ now, onChange: onBreaker });
  }

  /** For the lease, the token-free check and the key's id among processes; nowhere else. */
  get secret(): string {
    return this.#secret;
  }

  toPoolKey(): PoolKey {
    const { provider, name, account } = this.record;
    return { provider, name, account: this.isGiven ? account : null, secret: this.#secret };
  }
}
