/** What the pool tells as it happens; metrics and the demo listen. Labels never hold a secret. */

import type { Provider } from '../base/errors.ts';
import type { Outcome } from './rules/attribution.ts';

export type { Outcome };

export interface AttemptEvent {
  readonly provider: Provider;
  readonly keyName: string;
  readonly keyId: string;
  readonly account: string;
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
}
