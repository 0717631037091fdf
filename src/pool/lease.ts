/** What the pool and its callers say to each other. Plain data, two functions and one error. */

import type { Provider } from '../base/errors.ts';
import type { AccountFunds } from '../base/spending.ts';
import type { ToldRate } from './rules/rate-told.ts';

export type { ToldRate } from './rules/rate-told.ts';

/** Interactive calls go before batch work. */
export type Priority = 'interactive' | 'batch';

/** Why a call is not being generated right now. */
export interface WaitNotice {
  /** `slot`: every account is at its limit; `outage`: the provider is down and the queue is held;
   * `cooldown`: keys that can recover are cooling; `retry`: a back-off between two attempts;
   * `budget`: the rest of every account's budget is held by calls in flight. */
  readonly reason: 'slot' | 'outage' | 'cooldown' | 'retry' | 'budget';
  /** Calls of this provider in front of this one, where that is known. */
  readonly ahead: number | null;
}

export interface CallRequest {
  /** Upstream model or endpoint; limits are found per account and model. */
  readonly model: string;
  /** Calls that may be compared for speed share a class, e.g. "deepseek-flash thinking=off". */
  readonly speedClass: string;
  /** The caller's cancel. An abort leaves no trace in any score. */
  readonly signal: AbortSignal;
  /** Time for everything: waiting, attempts, back-off. Milliseconds from now. */
  readonly timeoutMs: number;
  readonly priority: Priority;
  /** What it counts for where requests per time are limited; default 1. */
  readonly units?: number;
  /** MCP session; waiting calls take turns between sessions. */
  readonly session: string;
  /** What may be spent of single accounts; absent or null where nothing caps it. */
  readonly funds?: AccountFunds | null;
  readonly onWait?: (notice: WaitNotice) => void;
}

/** Why an attempt is stopped from our side, by whoever stops it. */
export type StopReason =
  /** The whole time for the call is spent. */
  | 'deadline'
  /** No content for longer than is believable. */
  | 'idle'
  /** Another key is to serve the call. */
  | 'recalled'
  /** The caller left; the signal's reason is then the caller's own. */
  | 'cancelled';

/** The reason of a lease's signal, decided once: whoever reads the signal need not guess. */
export class AttemptStopped extends Error {
  override readonly name = 'AttemptStopped';
  readonly why: Exclude<StopReason, 'cancelled'>;

  constructor(why: Exclude<StopReason, 'cancelled'>) {
    super(`the attempt was stopped: ${why}`);
    this.why = why;
  }
}

/** Null while nothing has stopped the attempt. */
export function stopReasonOf({ aborted, reason }: AbortSignal): StopReason | null {
  if (!aborted) return null;
  return reason instanceof AttemptStopped ? reason.why : 'cancelled';
}

/** One borrowed key for one attempt. The pool releases it when `send` settles. */
export interface Lease {
  readonly keyName: string;
  readonly keyId: string;
  readonly account: string;
  /** The API key itself. Goes into the Authorization header and nowhere else. */
  readonly secret: string;
  /** 1 for the first attempt of the call. */
  readonly attempt: number;
  /** Aborts when the caller cancels, with the caller's reason; else with an `AttemptStopped`. */
  readonly signal: AbortSignal;
  /** Milliseconds left until the call's deadline. */
  readonly remainingMs: number;
  /** To be called when the upstream took the request: status 200, before any content. It shows
   * that key and account may send more, long before the first byte does. */
  accepted?(): void;
  /** To be called at the first content byte; keep-alives and headers are not content. */
  firstByte(): void;
  /** To be called with what an answer, good or bad, says about the account's requests per time. */
  told?(told: ToldRate): void;
  /** Ends an attempt that its client does not believe in any more. */
  giveUp(): void;
}

/** What a finished attempt tells the pool. */
export interface AttemptResult<T> {
  readonly value: T;
  /** Tokens generated, reasoning included; null where the upstream does not count them. */
  readonly completionTokens: number | null;
  readonly promptTokens: number | null;
}

export interface CallResult<T> {
  readonly value: T;
  /** Name of the key that served. */
  readonly keyName: string;
  readonly attempts: number;
}

/**
 * Sends one attempt. Throws `UpstreamError` for a failure of the upstream; lets an abort pass.
 * Called again, with another lease, when the pool decides to fail over or to retry.
 */
export type Send<T> = (lease: Lease) => Promise<AttemptResult<T>>;

/** One provider's keys, as its client sees them. */
export interface Lender {
  /**
   * Runs one call on the best key, failing over and retrying until its deadline.
   *
   * @throws PoolExhaustedError when no key can serve before the deadline
   * @throws UpstreamError the caller's fault, or the last failure when nothing is left to try
   */
  call<T>(request: CallRequest, send: Send<T>): Promise<CallResult<T>>;
}

/** One key as the store or the environment gives it. */
export interface PoolKey {
  readonly provider: Provider;
  readonly name: string;
  /** What the provider limits and bills; null: an account of its own. */
  readonly account: string | null;
  readonly secret: string;
}

/** Verdict of a token-free check of one key. */
export type KeyVerdict = 'ok' | 'invalid_key' | 'no_credit' | 'unknown';

/** Asks the upstream about a key without spending tokens (DeepSeek: GET /user/balance). */
export type KeyProbe = (key: PoolKey, signal: AbortSignal) => Promise<KeyVerdict>;
