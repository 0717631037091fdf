/**
 * Every error the product raises on purpose, and its policy.
 *
 * An abort passes through untouched: never counted, never scored, never logged as a failure.
 * Anything that is none of these classes is a bug: logged with its stack, shown as "Internal
 * error" with an id.
 *
 * `message` is one sentence of ours for a person; `hint` is the next step. Neither ever holds a
 * secret or third-party text.
 */

export const PROVIDERS = ['deepseek', 'perplexity'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** How a provider is called in sentences. */
export const PROVIDER_NAMES: Readonly<Record<Provider, string>> = {
  deepseek: 'DeepSeek',
  perplexity: 'Perplexity',
};

interface ErrorOptionsWithHint extends ErrorOptions {
  readonly hint?: string;
}

abstract class KeypoolError extends Error {
  /** The next step, one sentence without a final period; empty when there is none. */
  readonly hint: string;

  constructor(message: string, options: ErrorOptionsWithHint = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.hint = options.hint ?? '';
  }
}

/** Bad flag, argument, variable or file of settings. The CLI ends with exit code 2. */
export class ConfigError extends KeypoolError {
  override readonly name = 'ConfigError';
}

/** A command did what it could, and what was asked for failed. The CLI ends with exit code 1. */
export class CommandError extends KeypoolError {
  override readonly name = 'CommandError';
}

/**
 * What may be spent is spent. A tool says it as its result; a batch stops, and the CLI ends with
 * exit code 1.
 */
export class BudgetError extends KeypoolError {
  override readonly name = 'BudgetError';
}

export type DiskErrorCode =
  | 'missing' // nothing there
  | 'not_a_file' // a folder, a FIFO, a device: not even opened for reading
  | 'unreadable' // no permission, a circle of links, a broken disk
  | 'too_large' // larger than the file that was meant can be
  | 'exists' // a file that must not be there yet
  | 'locked' // another process holds the lock, or something else stands there
  | 'lock_lost' // another process took the lock while we slept: nothing was written
  | 'write_failed'; // disk full, read-only, permission: the old file is intact

/**
 * A file of ours cannot be read, locked or replaced. Whoever knows what the file is for says it in
 * its own words (KeyStoreError, ConfigError); as it is, the CLI ends with exit code 1.
 */
export class DiskError extends KeypoolError {
  override readonly name = 'DiskError';
  readonly code: DiskErrorCode;

  constructor(code: DiskErrorCode, message: string, options: ErrorOptionsWithHint = {}) {
    super(message, options);
    this.code = code;
  }
}

export type KeyStoreErrorCode =
  | 'missing' // no store file where one is named
  | 'unreadable' // a folder, no permission, a symlink loop
  | 'malformed' // not a store: truncated, foreign, unknown version
  | 'tampered' // authentication failed although the master key is right
  | 'downgraded' // a legacy file where a v2 store was
  | 'wrong_master' // the master key does not open the store
  | 'no_master' // no master key configured
  | 'bad_master' // two configured, mistyped, too short, or readable by others
  | 'invalid_name' // a key name outside ^[A-Z][A-Z0-9_]{0,63}$
  | 'invalid_value' // a value with white space, control characters, or nothing in it
  | 'unknown_name' // no such entry
  | 'exists' // a file that must not be there yet
  | 'locked' // another process holds the lock
  | 'write_failed'; // disk full, read-only, permission: the old file is intact

/** The key store or its master key. The CLI ends with exit code 3; a server says it as a result. */
export class KeyStoreError extends KeypoolError {
  override readonly name = 'KeyStoreError';
  readonly code: KeyStoreErrorCode;

  constructor(code: KeyStoreErrorCode, message: string, options: ErrorOptionsWithHint = {}) {
    super(message, options);
    this.code = code;
  }
}

/**
 * What went wrong with one attempt, as `upstream/failures/failure.ts` read it from status, body and socket
 * error. Whose fault a kind is, and what follows, is decided in `pool/rules/attribution.ts`.
 */
export type FailureKind =
  | 'invalid_key' // 401
  | 'no_credit' // 402, Perplexity's 401 insufficient_quota, quota text under other statuses
  | 'forbidden' // 403: this key may not use this model
  | 'blocked' // a page instead of JSON, 403 or a login's 401: somebody on the way, whatever the key
  | 'concurrency' // 429: too many requests in flight for the account
  | 'balance_limit' // 429 that names the balance: the ceiling shrank, top up
  | 'bad_request' // 400, 404, 415, 422: the caller's
  | 'unknown_model' // 400 that names the valid models, a gateway's model_not_found
  | 'too_long' // 400: context window or max_tokens; 413
  | 'moderation' // 400 "Content Exists Risk", finish_reason content_filter
  | 'empty' // a success without any content (reasoning used up max_tokens): the caller's budget
  | 'no_answer' // the model's doing: reasoning alone, tool calls, an ending for the content's sake
  | 'server_error' // 5xx
  | 'overloaded' // 503, finish_reason insufficient_system_resource or aborted
  | 'unreachable' // connection refused, DNS, TLS: nothing was sent
  | 'proxy' // the proxy on the way is set wrongly, or lets nothing through: nothing was sent
  | 'local_shortage' // EMFILE and the like: this machine has no socket to give, nothing was sent
  | 'connection_lost' // reset after the request was sent
  | 'malformed' // 200 with broken JSON, HTML, a blank body
  | 'cut' // stream ended without a finish_reason, or with one that means no whole answer
  | 'idle' // no content byte for the idle time-out
  | 'redirect' // refused: a key is never sent to another host
  | 'deadline'; // our own: the call's whole time is spent

/** The facts of one failed attempt. Plain data. */
export interface Failure {
  readonly kind: FailureKind;
  /** HTTP status; null when no answer came. */
  readonly status: number | null;
  readonly retryAfterMs: number | null;
  /** The upstream's trace id, for a support ticket. */
  readonly requestId: string | null;
  /** The account's concurrency limit where the 429 names it. */
  readonly namedLimit: number | null;
  /** The account's calls in flight, where the 429 names them. */
  readonly namedInFlight: number | null;
  /** True when the upstream may bill the attempt for nothing: inference had started, or may have,
   * and nothing usable came of it. */
  readonly mayBeBilled: boolean;
}

interface UpstreamErrorOptions extends ErrorOptionsWithHint {
  /** What had been generated when the call ended; null when nothing was. */
  readonly partial?: string | null;
}

/** One attempt at the remote API failed; the pool decides what follows. */
export class UpstreamError extends KeypoolError {
  override readonly name = 'UpstreamError';
  readonly provider: Provider;
  readonly failure: Failure;
  readonly partial: string | null;

  constructor(
    provider: Provider,
    failure: Failure,
    message: string,
    options: UpstreamErrorOptions = {},
  ) {
    super(message, options);
    this.provider = provider;
    this.failure = failure;
    this.partial = options.partial ?? null;
  }
}

export type PoolExhaustedCode =
  | 'POOL_NO_KEYS' // no key of this provider is configured
  | 'POOL_NO_CREDENTIALS' // every key is disabled; waiting does not help
  | 'POOL_EXHAUSTED' // no key can serve before the deadline
  | 'POOL_QUEUE_FULL'; // too many calls are waiting already

/** Why one key could not serve. */
export interface KeyReason {
  /** Key name, such as DEEPSEEK_API_KEY_2. */
  readonly name: string;
  readonly keyId: string;
  /** Our words, lower case, no period: "rejected by DeepSeek (401)". */
  readonly reason: string;
  /** Milliseconds until it can be tried again; null when an operator has to act. */
  readonly retryAfterMs: number | null;
}

/** No key could be borrowed. */
export class PoolExhaustedError extends KeypoolError {
  override readonly name = 'PoolExhaustedError';
  readonly provider: Provider;
  readonly code: PoolExhaustedCode;
  readonly retryAfterMs: number | null;
  readonly keys: readonly KeyReason[];

  constructor(
    provider: Provider,
    code: PoolExhaustedCode,
    message: string,
    options: ErrorOptionsWithHint & {
      readonly retryAfterMs?: number | null;
      readonly keys?: readonly KeyReason[];
    } = {},
  ) {
    super(message, options);
    this.provider = provider;
    this.code = code;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.keys = options.keys ?? [];
  }
}

/** True for an abort in any of the shapes that fetch, openai and AbortSignal give it. */
export function isAbort(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === 'AbortError' || error.name === 'APIUserAbortError')
  );
}
