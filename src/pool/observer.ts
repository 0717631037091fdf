/** What the pool tells as it happens; metrics and the demo listen. Labels never hold a secret. */

import type { Provider } from '../base/errors.ts';
import type { BreakerState } from './snapshot.ts';

/** The closed vocabulary of attempt outcomes: `ok`, `caller_*`, `key_*`,
 * `account_*`, `provider_*`, `pool_*`, `cancelled`. */
export type Outcome =
  | 'ok'
  | 'caller_error'
  | 'caller_timeout'
  | 'key_rejected'
  | 'key_forbidden'
  | 'key_error'
  | 'account_no_credit'
  | 'account_limited'
  | 'account_rate_limited'
  | 'provider_error'
  | 'cancelled';

export interface AttemptEvent {
  readonly provider: Provider;
  readonly keyName: string;
  readonly keyId: string;
  readonly account: string;
  readonly attempt: number;
  readonly outcome: Outcome;
  readonly durationMs: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export interface PoolObserver {
  attemptEnded?(event: AttemptEvent): void;
  /** The call goes on with another attempt, for this reason. */
  failedOver?(event: { readonly provider: Provider; readonly reason: Outcome }): void;
  /** A call left the queue after this long; 0 when it did not wait. */
  leftQueue?(event: { readonly provider: Provider; readonly waitedMs: number }): void;
  breakerChanged?(event: {
    readonly provider: Provider;
    /** null: the provider's own breaker. */
    readonly keyName: string | null;
    readonly state: BreakerState;
  }): void;
}
