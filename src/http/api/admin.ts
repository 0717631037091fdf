/** What the page and its API may ask of the composition root. The server knows no store. */

import type { PoolSnapshot } from '../../pool/snapshot.ts';
import type { MoneyView } from './money-view.ts';

/** One entry of the store, as `keys list --json` shows it. Never a value. */
export interface KeyListing {
  readonly name: string;
  readonly masked: string;
  readonly key_id: string;
  readonly account: string | null;
  /** ISO 8601; null where the store does not say. */
  readonly created: string | null;
}

export interface NewKey {
  readonly name: string;
  readonly value: string;
  /** undefined keeps what stands there. */
  readonly account?: string | undefined;
}

export type KeyPutResult = 'added' | 'replaced' | 'unchanged';

export interface ImportResult {
  readonly added: readonly string[];
  readonly unchanged: readonly string[];
  readonly skipped: ReadonlyArray<{ readonly name: string | null; readonly reason: string }>;
}

export interface VerifyVerdict {
  readonly verdict: 'ok' | 'invalid_key' | 'no_credit' | 'unknown';
  /** Our words, lower case, no period. */
  readonly detail: string;
}

export interface Environments {
  /** null: the store without a name. */
  readonly current: string | null;
  readonly available: ReadonlyArray<string | null>;
  /** False when the store was named by hand, so that no other one can take its place. */
  readonly canChoose: boolean;
}

/** Every method may throw ConfigError or KeyStoreError; the API presents them. */
export interface Admin {
  /** null while no pool is open. */
  snapshot(): Promise<PoolSnapshot | null>;
  listKeys(): Promise<readonly KeyListing[]>;
  putKey(key: NewKey): Promise<KeyPutResult>;
  /** Pasted text: `NAME=value` lines, JSON, labelled keys. */
  importKeys(text: string): Promise<ImportResult>;
  removeKey(name: string): Promise<void>;
  verifyKey(name: string, signal: AbortSignal): Promise<VerifyVerdict>;
  /** What was spent, what is left, what may be spent. */
  money(): Promise<MoneyView>;
  environments(): Promise<Environments>;
  /** From here on the server serves this environment's store; calls in flight finish. */
  chooseEnvironment(name: string | null): Promise<void>;
}
