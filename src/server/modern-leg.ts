/** The modern era on a stdio connection: the v2 SDK's entry behind a transport of our own. */

import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import { isJSONRPCNotification, isJSONRPCRequest } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { errorReply, INVALID_PARAMS } from './json-rpc.ts';
import type { ClientMessage, Leg, Send } from './leg.ts';
import { createModernServer } from './modern-server.ts';
import type { ShellOptions } from './shell.ts';

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

  deliver(message: ClientMessage): void {
    if (!('method' in message)) return; // we ask the client nothing, so there is nothing to answer
    const wire: unknown = message;
    if (isJSONRPCRequest(wire) || isJSONRPCNotification(wire)) this.onmessage?.(wire);
    else if ('id' in message) {
      this.#send(errorReply(message.id, INVALID_PARAMS, 'Invalid params: _meta is malformed'));
    }
  }
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
