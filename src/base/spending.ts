/**
 * What who spends tells whoever keeps the accounts. Plain data and a port: upstream/ fills it,
 * usage/ takes it, and neither knows the other.
 */

import type { Provider } from './errors.ts';

/** A call that is about to be made. */
export interface CallAsk {
  readonly provider: Provider;
  /** Model, or endpoint where the provider bills by that. */
  readonly model: string;
  /** UTF-8 bytes of everything that is sent to the model; 0 where nothing is billed by length. */
  readonly promptBytes: number;
  /** Tokens that may be generated; null where nothing is billed by them. */
  readonly maxTokens: number | null;
  readonly tool: string | null;
  /** As the client called itself in the handshake. */
  readonly client: string | null;
  readonly session: string;
  readonly signal: AbortSignal;
  /** Until the call's deadline. */
  readonly timeoutMs: number;
  /** Hears that the call waits, and for what. */
  readonly onWait: (message: string) => void;
}

/** The tokens of one attempt, as the upstream told them. */
export interface TokenCounts {
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  readonly reasoningTokens: number | null;
}

/**
 * How far an attempt had come when it ended: `refused` is not billed, `unanswered` and `queued`
 * may be, `begun` is at least in part, `done` is whole.
 */
export type Stage = 'refused' | 'unanswered' | 'queued' | 'begun' | 'done';

/** What one attempt used. */
export interface AttemptUse {
  /** `ok`, `cancelled`, `recalled`, or the kind of failure. */
  readonly outcome: string;
  readonly stage: Stage;
  /** As answered; null when the answer did not say. */
  readonly model: string | null;
  /** The sum of what the upstream told; null as long as it told nothing. */
  readonly tokens: TokenCounts | null;
  /** Requests of the attempt that generated something and broke off before they told their counts. */
  readonly untoldRequests: number;
  /** Tokens that had arrived by those, by our own estimate. */
  readonly arrivedTokens: number;
  /** The sum that the upstream itself names. */
  readonly toldUsd: number | null;
}

/** The part of a borrowed key that the accounts show. */
export interface BilledKey {
  readonly keyName: string;
  readonly keyId: string;
  readonly account: string;
}

/** `held`: not beside the calls in flight; `spent`: not before the budget begins anew. */
export type FundsState = 'free' | 'held' | 'spent';

/** What the budgets of single accounts leave for one call. */
export interface AccountFunds {
  state(account: string): FundsState;
  /**
   * The next attempt is to be of this account.
   *
   * @returns false where others came first
   */
  book(account: string): boolean;
  /** What a call is told that none of these accounts has money for. */
  refusal(accounts: readonly string[]): Error;
}

/** One call's account. */
export interface CallMeter {
  /** null where no budget is an account's. */
  readonly funds: AccountFunds | null;
  /** An attempt is sent now; the returned function is to be called once, when it has ended. */
  attempt(key: BilledKey): (use: AttemptUse) => void;
  /** Estimated dollars of all attempts so far; null where one of them has no known price. */
  readonly costUsd: number | null;
  /** Sentences for whoever reads the result, each of them once; null when there is nothing to say. */
  takeNotice(): string | null;
  /** No further attempt will come. */
  end(): void;
}

export interface Meter {
  /**
   * Opens a call's account. Waits where the rest of a budget is held by calls in flight.
   *
   * @throws BudgetError when a budget is spent; an abort when the caller cancels
   */
  call(ask: CallAsk): Promise<CallMeter>;
}

const UNMETERED_CALL: CallMeter = {
  funds: null,
  attempt: () => () => {},
  costUsd: null,
  takeNotice: () => null,
  end: () => {},
};

/** Keeps no account. */
export const UNMETERED: Meter = { call: () => Promise.resolve(UNMETERED_CALL) };
