/** What arrived, for tests to look at afterwards. Never a whole secret. */

export type SimulatedProvider = 'deepseek' | 'perplexity';

export interface CallRecord {
  readonly provider: SimulatedProvider;
  /** Last six characters of the key, the product's key id; null without a usable header. */
  readonly keyId: string | null;
  /** The key's label, or `unknown`. */
  readonly label: string;
  readonly account: string | null;
  readonly method: string;
  readonly path: string;
  readonly model: string | null;
  /** The fault that struck, `ok`, or what the simulator itself refused: `capacity`, `auth`, … */
  readonly fault: string;
  /** HTTP status; null while unanswered. */
  readonly status: number | null;
  /** Milliseconds since the simulator's start. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Requests of the same account and model that were running when this one arrived. */
  readonly inFlightAtArrival: number;
  /** The client went away before the answer was complete. */
  readonly aborted: boolean;
  /** Parsed JSON body; null when there was none. */
  readonly body: unknown;
  /** Request headers without `authorization`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Id in the answer's body: chat completion or agent response. */
  readonly responseId: string | null;
  /** Tokens that had been generated when the call ended. */
  readonly completionTokens: number;
}

/** Something that a client must never send. */
export interface Violation {
  readonly at: number;
  readonly provider: SimulatedProvider;
  readonly path: string;
  readonly what: string;
}

export type OpenCall = { -readonly [Field in keyof CallRecord]: CallRecord[Field] };
