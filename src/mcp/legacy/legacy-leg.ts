/** The legacy era on a stdio connection: a v1 SDK server behind a transport of our own. */

import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  type JSONRPCMessage,
  JSONRPCMessageSchema,
  type JSONRPCRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { isPlainLegacyMeta } from '../first-answers.ts';
import {
  errorReply,
  INVALID_PARAMS,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type RequestId,
} from '../json-rpc.ts';
import type { ShellOptions } from '../shell.ts';
import type { ClientMessage, Leg, Send } from '../stdio/leg.ts';
import { createLegacyServer } from './legacy-server.ts';

/**
 * The SDK sees ids of ours: it ignores the cancellation of a request with id 0, and two requests
 * in flight with one id would share a controller.
 */
class IdMap {
  readonly #theirs = new Map<number, RequestId>();
  #last = 0;

  enter(theirs: RequestId): number {
    this.#last++;
    this.#theirs.set(this.#last, theirs);
    return this.#last;
  }

  leave(ours: unknown): RequestId | null {
    if (typeof ours !== 'number') return null;
    const theirs = this.#theirs.get(ours) ?? null;
    this.#theirs.delete(ours);
    return theirs;
  }

  /** The newest request in flight with this id. */
  find(theirs: unknown): number | null {
    const entries = [...this.#theirs].filter(([, id]) => id === theirs);
    return entries.at(-1)?.[0] ?? null;
  }
}

type Begin = (request: JSONRPCRequest) => void;

/** The lines were judged already; what the SDK's schema asks beyond that is about `_meta` alone. */
function isPlain(request: JsonRpcRequest): request is JsonRpcRequest & JSONRPCRequest {
  return isPlainLegacyMeta(request.params ?? {});
}

class LegacyTransport implements Transport {
  readonly #ids = new IdMap();
  readonly #send: Send;
  readonly #begin: Begin;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;

  constructor(send: Send, begin: Begin) {
    this.#send = send;
    this.#begin = begin;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.onclose?.();
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    const isReply = 'result' in message || 'error' in message;
    if (!isReply) this.#send(message);
    else {
      const id = this.#ids.leave(message.id);
      if (id !== null) this.#send({ ...message, id });
    }
    return Promise.resolve();
  }

  deliver(message: ClientMessage): void {
    if (!('method' in message)) return; // we ask the client nothing, so there is nothing to answer
    if ('id' in message) this.#deliverRequest(message);
    else if (message.method === 'notifications/cancelled') this.#deliverCancel(message);
    else this.#receive(message);
  }

  #deliverRequest(request: JsonRpcRequest): void {
    const ours = { ...request, id: this.#ids.enter(request.id) };
    if (isPlain(ours)) this.#begin(ours);
    else if (!this.#receive(ours)) {
      const why = 'Invalid params: _meta is malformed';
      this.#send(errorReply(request.id, INVALID_PARAMS, why));
    }
  }

  /** From here on the request has no answer, even one that is on its way already. */
  #deliverCancel(notification: JsonRpcNotification): void {
    const requestId = this.#ids.find(notification.params?.requestId);
    if (requestId === null) return;
    this.#ids.leave(requestId);
    this.#receive({ ...notification, params: { ...notification.params, requestId } });
  }

  /** @returns false when the SDK's own schema refuses the message */
  #receive(message: JsonRpcRequest | JsonRpcNotification): boolean {
    const parsed = JSONRPCMessageSchema.safeParse(message);
    if (parsed.success) this.onmessage?.(parsed.data);
    return parsed.success;
  }
}

/** Opens the leg; imported when the first message of its era needs it. */
export async function openLegacyLeg(options: ShellOptions, send: Send): Promise<Leg> {
  const server = createLegacyServer(options);
  const transport = new LegacyTransport(send, (request) => server.begin(request));
  await server.connect(transport);
  return {
    deliver: (message) => transport.deliver(message),
    close: () => server.close(),
  };
}
