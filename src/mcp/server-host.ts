/** What the composition root gives a server. The server knows no store, no pool and no setting. */

import type { UpstreamClients } from '../tools/tool.ts';

export type ToolOutcome = 'ok' | 'error' | 'cancelled';

export interface ToolCallEvent {
  readonly tool: string;
  readonly outcome: ToolOutcome;
  readonly durationMs: number;
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
  /** Model ids worth offering, the default one first. */
  readonly models: readonly string[];
}
