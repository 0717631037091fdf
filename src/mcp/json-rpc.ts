/** JSON-RPC 2.0 as MCP uses it: one message a line, no batches, ids that are strings or integers. */

export type RequestId = string | number;

export interface JsonRpcRequest {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

export interface JsonRpcNotification {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** The client's answer to a request of ours. */
export interface JsonRpcAnswer {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
}

export type Incoming =
  | { readonly kind: 'request'; readonly message: JsonRpcRequest }
  | { readonly kind: 'notification'; readonly message: JsonRpcNotification }
  | { readonly kind: 'answer'; readonly message: JsonRpcAnswer }
  | { readonly kind: 'blank' }
  | { readonly kind: 'bad'; readonly reply: ErrorReply };

export interface ErrorReply {
  readonly jsonrpc: '2.0';
  readonly id: RequestId | null;
  readonly error: { readonly code: number; readonly message: string };
}

export const PARSE_ERROR = -32_700;
export const INVALID_REQUEST = -32_600;
export const INVALID_PARAMS = -32_602;
export const INTERNAL_ERROR = -32_603;

export function errorReply(id: RequestId | null, code: number, message: string): ErrorReply {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

function bad(id: RequestId | null, code: number, message: string): Incoming {
  return { kind: 'bad', reply: errorReply(id, code, message) };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value));
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function parseJson(bytes: Uint8Array): { readonly value: unknown } | null {
  try {
    // The decoder takes a byte order mark away, which some Windows clients send.
    return { value: JSON.parse(strictUtf8.decode(bytes)) };
  } catch {
    return null;
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.length < 64 && bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 9);
}

/** Judges one line. What cannot be served comes back as the reply to send. */
export function readMessage(bytes: Uint8Array): Incoming {
  if (isBlank(bytes)) return { kind: 'blank' };
  const parsed = parseJson(bytes);
  if (parsed === null) return bad(null, PARSE_ERROR, 'Parse error: the line is not JSON in UTF-8');
  const { value } = parsed;
  if (Array.isArray(value)) {
    return bad(null, INVALID_REQUEST, 'Invalid request: batches are not supported');
  }
  if (!isRecord(value)) return bad(null, INVALID_REQUEST, 'Invalid request: not an object');
  return readObject(value);
}

function readObject(value: Record<string, unknown>): Incoming {
  const { id, method, params } = value;
  const readableId = isRequestId(id) ? id : null;
  const invalid = (why: string) => bad(readableId, INVALID_REQUEST, `Invalid request: ${why}`);
  if (value.jsonrpc !== '2.0') return invalid('jsonrpc has to be "2.0"');
  if (method === undefined && ('result' in value || 'error' in value)) {
    if (readableId === null) return { kind: 'blank' };
    return { kind: 'answer', message: { ...value, jsonrpc: '2.0', id: readableId } };
  }
  if (typeof method !== 'string') return invalid('method has to be a string');
  if (params !== undefined && !isRecord(params)) return invalid('params have to be an object');
  const rest = params === undefined ? {} : { params };
  if (!('id' in value)) {
    return { kind: 'notification', message: { jsonrpc: '2.0', method, ...rest } };
  }
  if (readableId === null) return invalid('id has to be a string or an integer');
  return { kind: 'request', message: { jsonrpc: '2.0', id: readableId, method, ...rest } };
}
