/** How a client calls itself: in `initialize`, or, in the modern era, in every request. */

import { isRecord } from '../base/json.ts';

const MODERN_KEY = 'io.modelcontextprotocol/clientInfo';

function nameOf(info: unknown): string | null {
  return isRecord(info) && typeof info.name === 'string' ? info.name : null;
}

/** The name in the parameters of `initialize`; null for parameters without one. */
export function initializingClient(params: unknown): string | null {
  return isRecord(params) ? nameOf(params.clientInfo) : null;
}

/** The name in the envelope that a modern request carries in its `_meta`. */
export function claimedClient(envelope: unknown): string | null {
  return isRecord(envelope) ? nameOf(envelope[MODERN_KEY]) : null;
}
