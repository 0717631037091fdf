/** What the writer of the records asks the mechanism to do: breakers to move, calls to wake. */

import type { Timing } from '../rules/timing.ts';
import type { BreakerState } from '../snapshot.ts';
import type { AttemptRecord, Place } from './attempt-record.ts';
import type { KeyRecord } from './state.ts';

export type Effect =
  /** The attempt's key; without an end where only a check or an operator brings it back. */
  | { readonly kind: 'open-key'; readonly forMs: number | null }
  | { readonly kind: 'close-key' }
  /** A fresh half-open token, if it still is half-open: the trial proved nothing. */
  | { readonly kind: 'pass-key-trial' }
  | { readonly kind: 'open-provider'; readonly forMs: number }
  | { readonly kind: 'close-provider' }
  | { readonly kind: 'pass-provider-trial' }
  /** All keys of the account are out, or back. */
  | { readonly kind: 'open-account' }
  | { readonly kind: 'readmit-account' }
  /** Calls that wait may go on. */
  | { readonly kind: 'wake' };

/** What a verdict may look at. The records in it are written by this room alone. */
export interface Scene extends Place {
  readonly attempt: AttemptRecord;
  readonly now: number;
  readonly timing: Timing;
  /** In [0, 1): jitter. */
  readonly chance: number;
  /** Ended from our side: it may stay at the upstream for a while. */
  readonly isStopped: boolean;
  readonly keyGate: BreakerState;
  readonly providerGate: BreakerState;
  /** Keys that may serve just now. */
  readonly usable: () => number;
  readonly keys: () => readonly KeyRecord[];
  /** Slots of all accounts as far as they are found. */
  readonly capacity: () => number;
}
