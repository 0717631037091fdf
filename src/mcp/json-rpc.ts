/**
 * JSON-RPC 2.0 as MCP uses it: ids that are strings or integers, parameters by name. What was
 * parsed becomes a message here, for both transports.
 */

import { isRecord } from '../base/text/json.ts';

export type RequestId = string | number;

export type Params = Readonly<Record<string, unknown>>;

export interface JsonRpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly method: string;
  readonly params?: Params;
}

export interface JsonRpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: Params;
}

/** The client's answer to a request of ours. */
export interface JsonRpcAnswer {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
}

export type ClientMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcAnswer;

/** `nothing`: to be passed over in silence, as a notification that cannot be understood is. */
export type Incoming =
  | { readonly kind: 'request'; readonly message: JsonRpcRequest }
  | { readonly kind: 'notification'; readonly message: JsonRpcNotification }
  | { readonly kind: 'answer'; readonly message: JsonRpcAnswer }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'bad'; readonly reply: ErrorReply };

export interface ErrorReply {
  readonly jsonrpc: '2.0';
  readonly id: RequestId | null;
  readonly error: { readonly code: number; readonly message: string };
}

export const PARSE_ERROR = -32_700;
export const INVALID_REQUEST = -32_600;
export const METHOD_NOT_FOUND = -32_601;
export const INVALID_PARAMS = -32_602;
export const INTERNAL_ERROR = -32_603;

export function errorReply(id: RequestId | null, code: number, message: string): ErrorReply {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

/** What a schema says of one fault. */
export interface Issue {
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** The member at fault, in our words; anything deeper may be a name that the client chose. */
export function malformed([issue]: readonly Issue[]): string {
  const path = issue?.path?.slice(0, 2) ?? [];
  const where = path.map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  return `Invalid params: ${where || 'params'} is missing or malformed`;
}

/** A number above 2^53 has been changed by parsing it: nobody would know the answer again. */
export function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** Deep enough for every member that has a meaning here, and a bound on hostile nesting. */
const MEANT_DEPTH = 5;
/** PHP writes an empty object as a list. */
const OBJECTS: ReadonlySet<string> = new Set(['_meta', 'arguments', 'capabilities', 'clientInfo']);

/**
 * Without what says nothing: many serializers write null for what is absent. Copied only where
 * there is something to take out.
 */
function meant(record: Params, depth = MEANT_DEPTH): Params {
  let clean: Record<string, unknown> | null = null;
  for (const [key, value] of Object.entries(record)) {
    const isEmptyList = Array.isArray(value) && value.length === 0 && OBJECTS.has(key);
    const kept = isEmptyList ? {} : isRecord(value) && depth > 0 ? meant(value, depth - 1) : value;
    if (kept === value && value !== null) continue;
    clean ??= { ...record };
    if (value === null) delete clean[key];
    else clean[key] = kept;
  }
  return clean ?? record;
}

function isEmptyOfMeaning(params: unknown): boolean {
  return params === undefined || params === null || (Array.isArray(params) && params.length === 0);
}

/** What is wrong with `_meta` in every revision; null when nothing is. */
function metaProblem({ _meta: meta = {} }: Params): string | null {
  if (!isRecord(meta)) return '_meta has to be an object';
  const { progressToken = '' } = meta;
  return isRequestId(progressToken)
    ? null
    : '_meta.progressToken has to be a string or an integer up to 2^53';
}

/** Nobody waits for a reply to it; several serializers give it an id of null all the same. */
function isNotification(value: Params, method: string): boolean {
  return !('id' in value) || (value.id === null && method.startsWith('notifications/'));
}

/** Judges one parsed message. What cannot be served comes back as the reply to send. */
export function readMessage(value: unknown): Incoming {
  const bad = (id: RequestId | null, code: number, why: string): Incoming => ({
    kind: 'bad',
    reply: errorReply(id, code, why),
  });
  if (!isRecord(value)) return bad(null, INVALID_REQUEST, 'Invalid request: not an object');
  const { method, params } = value;
  const id = isRequestId(value.id) ? value.id : null;
  const invalid = (why: string) => bad(id, INVALID_REQUEST, `Invalid request: ${why}`);
  if (typeof method === 'string' && isNotification(value, method)) return notification(value);
  if (value.jsonrpc !== '2.0') return invalid('jsonrpc has to be "2.0"');
  if (method === undefined && ('result' in value || 'error' in value)) {
    return id === null
      ? { kind: 'nothing' }
      : { kind: 'answer', message: { ...value, jsonrpc: '2.0', id } };
  }
  if (typeof method !== 'string') return invalid('method has to be a string');
  if (id === null) return invalid('id has to be a string or an integer up to 2^53');
  if (isEmptyOfMeaning(params)) {
    return { kind: 'request', message: { jsonrpc: '2.0', id, method } };
  }
  if (!isRecord(params)) return invalid('params have to be an object');
  const clean = meant(params);
  const problem = metaProblem(clean);
  if (problem !== null) return bad(id, INVALID_PARAMS, `Invalid params: ${problem}`);
  return { kind: 'request', message: { jsonrpc: '2.0', id, method, params: clean } };
}

/** It is never answered, so that one that cannot be understood is passed over. */
function notification({ jsonrpc, method, params }: Params): Incoming {
  if (jsonrpc !== '2.0' || typeof method !== 'string') return { kind: 'nothing' };
  if (isEmptyOfMeaning(params)) return { kind: 'notification', message: { jsonrpc, method } };
  if (!isRecord(params)) return { kind: 'nothing' };
  const clean = meant(params);
  if (metaProblem(clean) !== null) return { kind: 'nothing' };
  return { kind: 'notification', message: { jsonrpc, method, params: clean } };
}
