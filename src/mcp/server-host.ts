/** What the composition root gives a server. The server knows no store, no pool and no setting. */

import type { Logger } from '../base/logger.ts';
import type { UpstreamClients } from '../tools/tool.ts';
import type { KeyDesk } from './asking/key-desk.ts';
import type { ClientFacts } from './client-facts.ts';
import type { ClientMessage } from './json-rpc.ts';
import type { KeptResults } from './kept-results.ts';

export type ToolOutcome = 'ok' | 'error' | 'cancelled';

export interface ToolCallEvent {
  readonly tool: string;
  readonly outcome: ToolOutcome;
  readonly durationMs: number;
  /** A client with a token of its own; null for the owner. */
  readonly caller: string | null;
}

export interface ServerHost {
  /**
   * Opens store, pool and clients when first awaited, so that a server starts without them. Asked
   * again for every call: a rejection may be mended while the server runs.
   *
   * @throws ConfigError, KeyStoreError; the caller of the tool reads them
   */
  clients(): Promise<UpstreamClients>;
  /** Loads what the first call would otherwise wait for. Never rejects. */
  prepare?(): Promise<void>;
  /** Secret-free snapshot of the pool; JSON-able. */
  status(): Promise<unknown>;
  /** Everything a server says passes through here. */
  redact(text: string): string;
  onToolCall?(event: ToolCallEvent): void;
  /** Where a missing key can be put in; absent where keys are nobody's to add. */
  readonly keyDesk?: KeyDesk;
  /** Model ids worth offering, the default one first. */
  readonly models: readonly string[];
}

/** What each server of an era is made from. */
export interface ServerOptions {
  readonly host: ServerHost;
  readonly logger: Logger;
  /** Waiting calls take turns between sessions. */
  readonly session: string;
  readonly results: KeptResults;
  readonly client: ClientFacts;
  /** A client with a token of its own; absent or null for the owner. */
  readonly caller?: string | null;
}

/** A server of one era on a connection that is its own. */
export interface EraServer {
  deliver(message: ClientMessage): void;
  /** Aborts what is in flight. */
  close(): Promise<void>;
}

export type SendMessage = (message: object) => void;
