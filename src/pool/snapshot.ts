/** The frozen, secret-free view of the pool: status resource, dashboard, metrics, demo, doctor. */

import type { Provider } from '../base/errors.ts';

export type BreakerState = 'closed' | 'half-open' | 'open';

/** `ready`: may serve. `cooling`: not before `retryInMs`. `disabled`: until the upstream's own
 * answer, or an operator, says otherwise. `draining`: removed, finishing its calls. */
type KeyState = 'ready' | 'cooling' | 'disabled' | 'draining';

export interface KeySnapshot {
  readonly name: string;
  readonly keyId: string;
  readonly account: string;
  readonly state: KeyState;
  /** Our words for a state that is not ready: "rejected by DeepSeek (401)". */
  readonly reason: string | null;
  readonly retryInMs: number | null;
  /** Health, 0–100; higher is better. */
  readonly score: number;
  readonly breaker: BreakerState;
  readonly inFlight: number;
  readonly attempts: number;
  readonly successes: number;
  /** Failures attributed to the key; the caller's and the provider's are not among them. */
  readonly failures: number;
  /** Median-like latency of served calls: moving average in milliseconds; null before the first. */
  readonly latencyMs: number | null;
  readonly firstByteMs: number | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** ISO 8601; null when it never served. */
  readonly lastUsedAt: string | null;
  /** Our words, with the time; never the upstream's text. */
  readonly lastError: { readonly text: string; readonly at: string } | null;
}

export interface AccountSnapshot {
  readonly account: string;
  /** Names of its keys. */
  readonly keys: readonly string[];
  /** Nobody said that its keys are of one account: their refusals did. */
  readonly found: boolean;
  /** What writes a found account down for good; null for one that was named. */
  readonly advice: string | null;
  readonly inFlight: number;
  /** How long it rests on; null where it does not. */
  readonly coolingMs: number | null;
  /** How long it has been kept from serving, pauses that follow each other as one; null: it is not. */
  readonly coolingForMs: number | null;
  readonly reason: string | null;
  /** What was found to be taken, per model or endpoint. */
  readonly limits: readonly LimitSnapshot[];
}

export interface LimitSnapshot {
  readonly model: string;
  /** Calls in flight. */
  readonly limit: number;
  readonly inFlight: number;
  /** Requests a second, where those are limited; null until one was refused for it. */
  readonly perSecond: number | null;
  /** What other processes leave us of it; null where nobody else was asked. */
  readonly share: number | null;
  /** Calls of other processes, as far as is known. */
  readonly elsewhere: number;
}

/** Keys that were found to be of one account although nobody said so, by account. */
export interface FoundAccounts {
  readonly provider: Provider;
  readonly accounts: ReadonlyArray<ReadonlyArray<Pick<KeySnapshot, 'name' | 'keyId'>>>;
}

export interface ProviderSnapshot {
  readonly provider: Provider;
  readonly breaker: BreakerState;
  readonly retryInMs: number | null;
  readonly queueDepth: number;
  readonly oldestWaitMs: number | null;
  readonly accounts: readonly AccountSnapshot[];
  readonly keys: readonly KeySnapshot[];
}

export interface PoolSnapshot {
  readonly takenAt: string;
  readonly providers: readonly ProviderSnapshot[];
}
