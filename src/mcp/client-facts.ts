/** What a client tells of itself. */

import { isRecord } from '../base/text/json.ts';
import { cleanLine } from '../tools/clean-text.ts';
import type { Params } from './json-rpc.ts';

export interface ClientFacts {
  /** As the client calls itself, clean; null while it is unknown. */
  name: string | null;
  /** The revision it negotiated; null while it is unknown, and in the modern era. */
  version: string | null;
  /** It leads a person to an address that it is given. */
  opensPages: boolean;
}

/** The revision that brought elicitation by address; in an older one the word means nothing. */
const PAGES_SINCE = '2025-11-25';

const NAME_LIMIT = 64;

export function unknownClient(): ClientFacts {
  return { name: null, version: null, opensPages: false };
}

/** @param info the `clientInfo` of either era */
export function clientName(info: unknown): string | null {
  return isRecord(info) && typeof info.name === 'string'
    ? cleanLine(info.name, NAME_LIMIT) || null
    : null;
}

/** @param capabilities of either era; an empty `elicitation` means forms alone */
export function saysItOpensPages(capabilities: unknown): boolean {
  const elicitation = isRecord(capabilities) ? capabilities.elicitation : null;
  return isRecord(elicitation) && isRecord(elicitation.url);
}

/** Takes down what an `initialize` that was accepted says. */
export function noteClient(facts: ClientFacts, params: Params, result: unknown): void {
  facts.name = clientName(params.clientInfo);
  if (isRecord(result) && typeof result.protocolVersion === 'string') {
    facts.version = result.protocolVersion;
    facts.opensPages = facts.version >= PAGES_SINCE && saysItOpensPages(params.capabilities);
  }
}
