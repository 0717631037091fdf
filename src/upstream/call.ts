/** What a tool tells an upstream client about the call around a request. */

import type { Priority } from '../pool/lease.ts';

/** Something a person who waits wants to know. */
export interface ProgressUpdate {
  /** One short phrase: "waiting for a free key", "generating, 1,240 tokens". */
  readonly message: string;
}

export interface CallContext {
  readonly signal: AbortSignal;
  readonly session: string;
  readonly priority: Priority;
  readonly onProgress: (update: ProgressUpdate) => void;
  /** For whom and by which tool, as the accounts show it; absent or null where that is unknown. */
  readonly tool?: string;
  /** When the call began, by `performance.now()`: what was spent before the request counts. */
  readonly startedAt?: number;
  readonly client?: string | null;
}

/** Facts about how a result came to be; every tool result shows them. */
export interface Served {
  /** Name of the key that served. */
  readonly keyName: string;
  readonly attempts: number;
  /** The upstream's trace id. */
  readonly requestId: string | null;
  /** Estimated, over all attempts; null where a price is not known. */
  readonly costUsd: number | null;
  /** About budgets, balances and keys that are out, for whoever pays; null when there is nothing to say. */
  readonly moneyNotice: string | null;
}
