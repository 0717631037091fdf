/** What a provider's handler works with: one admitted request. */

import type { Account, SimulatedKey } from './behaviour.ts';
import type { OpenCall } from './call-log.ts';
import type { SimulatedExchange } from './exchange.ts';
import type { FaultStep } from './faults.ts';
import type { Random } from './random.ts';
import type { WireObject } from './wire-json.ts';

export interface Turn {
  readonly exchange: SimulatedExchange;
  readonly key: SimulatedKey;
  readonly account: Account;
  readonly body: WireObject;
  /** The fault that strikes, or null. */
  readonly step: FaultStep | null;
  readonly random: Random;
  readonly seed: number;
  readonly call: OpenCall;
  /** The wall clock, epoch milliseconds: bills depend on the hour. */
  readonly wallNow: () => number;
  /** Where a redirect leads to: another listener that must never be called. */
  readonly trapUrl: string;
}

/** A complete answer: what most faults are. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Length of a time of this key, jittered: `ms` times 1 ± jitter. */
export function stray(turn: Turn, ms: number): number {
  const jitter = turn.key.behaviour.jitter ?? 0;
  return ms * (1 + jitter * (2 * turn.random() - 1));
}

export const JSON_TYPE: Readonly<Record<string, string>> = { 'content-type': 'application/json' };
export const HTML_TYPE: Readonly<Record<string, string>> = { 'content-type': 'text/html' };

export function jsonReply(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, body: JSON.stringify(body), headers: { ...JSON_TYPE, ...headers } };
}

/** A gateway's page, as nginx and openresty write them. */
export function htmlReply(status: number, title: string): Reply {
  const body = `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n<center><h1>${status} ${title}</h1></center>\r\n<hr><center>openresty</center>\r\n<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>\r\n</body>\r\n</html>\r\n`;
  return { status, body, headers: HTML_TYPE };
}

/** A gateway on the way that wants to know who asks. */
export function loginReply(): Reply {
  const { headers, ...reply } = htmlReply(401, 'Authorization Required');
  return { ...reply, headers: { ...headers, 'www-authenticate': 'Basic realm="intranet"' } };
}

export function retryAfterHeader(step: FaultStep): Record<string, string> {
  return { 'retry-after': String(step.retryAfter ?? 1) };
}
