/** The modern era on a stdio connection: the v2 SDK's entry behind a transport of our own. */

import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  UnsupportedProtocolVersionError,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { MODERN_VERSION, VERSION_KEY } from '../first-answers.ts';
import {
  errorReply,
  INVALID_PARAMS,
  isRecord,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type RequestId,
} from '../json-rpc.ts';
import type { ShellOptions } from '../shell.ts';
import type { ClientMessage, Leg, Send } from '../stdio/leg.ts';
import { createModernServer } from './modern-server.ts';

class ModernTransport implements Transport {
  readonly #send: Send;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;

  constructor(send: Send) {
    this.#send = send;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.onclose?.();
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    this.#send(message);
    return Promise.resolve();
  }

  /** The SDK's entry asks this of a connection's first message only; here every message counts. */
  #refuseVersion(id: RequestId, requested: string): void {
    const refusal = { supported: [MODERN_VERSION], requested };
    const { code, message, data } = new UnsupportedProtocolVersionError(refusal);
    this.#send({ jsonrpc: '2.0', id, error: { code, message, data } });
  }

  deliver(message: ClientMessage): void {
    if (!('method' in message)) return; // we ask the client nothing, so there is nothing to answer
    const requested = claimedVersion(message);
    if ('id' in message && requested !== null && requested !== MODERN_VERSION) {
      this.#refuseVersion(message.id, requested);
      return;
    }
    const wire: unknown = message;
    if (isJSONRPCRequest(wire) || isJSONRPCNotification(wire)) this.onmessage?.(wire);
    else if ('id' in message) {
      this.#send(errorReply(message.id, INVALID_PARAMS, 'Invalid params: _meta is malformed'));
    }
  }
}

/** The revision a message says it speaks; null when it says none that is a string. */
function claimedVersion({ params }: JsonRpcRequest | JsonRpcNotification): string | null {
  const meta = params?._meta;
  const version = isRecord(meta) ? meta[VERSION_KEY] : undefined;
  return typeof version === 'string' ? version : null;
}

/** Opens the leg; imported when the first message of its era needs it. */
export async function openModernLeg(options: ShellOptions, send: Send): Promise<Leg> {
  const transport = new ModernTransport(send);
  const handle = serveStdio(() => createModernServer(options), {
    legacy: 'reject',
    transport,
    onerror: (error) => options.logger.debug('protocol error', { error }),
  });
  return {
    deliver: (message) => transport.deliver(message),
    close: () => handle.close(),
  };
}
