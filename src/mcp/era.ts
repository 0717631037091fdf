/**
 * Which of MCP's two eras a message belongs to: one rule for both transports, asked of every
 * message, because a client may race `server/discover` with `initialize` and go on with either.
 */

import { isRecord } from '../base/text/json.ts';
import { type ErrorReply, errorReply, INVALID_PARAMS, type Params } from './json-rpc.ts';

/** `legacy`: the revisions that open with `initialize`; `modern`: 2026-07-28, without a handshake. */
export type Era = 'legacy' | 'modern';

/** Revisions with a handshake; the first is what an unknown one is answered with. */
export const LEGACY_VERSIONS = [
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
  '2024-10-07',
] as const;

export const MODERN_VERSION = '2026-07-28';

/** The member of `_meta` that makes a message one of the modern era. */
export const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';

const MODERN_METHODS: ReadonlySet<string> = new Set(['server/discover', 'subscriptions/listen']);

interface Asked {
  readonly method: string;
  readonly params?: Params;
}

/** What a message says it speaks; undefined when it says nothing. */
export function claimedVersion({ params }: Asked): unknown {
  return isRecord(params?._meta) ? params._meta[VERSION_KEY] : undefined;
}

/** Revisions are dates, and dates of this form sort as text. */
function isModernRevision(version: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(version) && version >= MODERN_VERSION;
}

/**
 * The message's own claim decides; a header speaks only for a message without one. `initialize` is
 * how the legacy era negotiates, whatever revision its header hopes for.
 *
 * @param header the `MCP-Protocol-Version` of an HTTP request; null on stdio
 */
export function eraOf(message: Asked, header: string | null = null): Era {
  if (claimedVersion(message) !== undefined || MODERN_METHODS.has(message.method)) return 'modern';
  if (message.method === 'initialize') return 'legacy';
  return header !== null && isModernRevision(header.trim()) ? 'modern' : 'legacy';
}

/** The reply to a method of the modern era that comes without the claim; null where one is there. */
export function missingClaim(message: Asked & { readonly id: string | number }): ErrorReply | null {
  if (claimedVersion(message) !== undefined || !MODERN_METHODS.has(message.method)) return null;
  const why = `Invalid params: _meta needs ${VERSION_KEY}; this server speaks ${MODERN_VERSION}`;
  return errorReply(message.id, INVALID_PARAMS, why);
}
