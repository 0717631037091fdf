/**
 * Between a transport and the v1 SDK's server, on stdio and on HTTP: the server sees ids of ours.
 *
 * The SDK ignores the cancellation of a request with id 0, and two requests in flight with one id
 * would share a controller. Here is also known what is in flight, which is what a client that hung
 * up leaves behind.
 */

import type {
  Transport,
  TransportSendOptions,
} from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, MessageExtraInfo } from '@modelcontextprotocol/sdk/types.js';
import type { RequestId } from '../json-rpc.ts';

export class RequestIds implements Transport {
  readonly #inner: Transport;
  /** Ours → theirs. */
  readonly #inFlight = new Map<number, RequestId>();
  #last = 0;
  /** A request was cancelled and will have no answer. */
  oncancel?: (theirs: RequestId) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: <T extends JSONRPCMessage>(message: T, extra?: MessageExtraInfo) => void;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  has(theirs: unknown): boolean {
    return this.#find(theirs) !== null;
  }

  async start(): Promise<void> {
    this.#inner.onmessage = (message, extra) => this.#receive(message, extra);
    this.#inner.onclose = () => this.onclose?.();
    this.#inner.onerror = (error) => this.onerror?.(error);
    await this.#inner.start();
  }

  async send(message: JSONRPCMessage, options: TransportSendOptions = {}): Promise<void> {
    const { relatedRequestId: ours, ...rest } = options;
    const related = typeof ours === 'number' ? this.#inFlight.get(ours) : undefined;
    const theirs = related === undefined ? rest : { ...rest, relatedRequestId: related };
    if (!('result' in message || 'error' in message)) {
      await this.#inner.send(message, theirs);
      return;
    }
    const id = typeof message.id === 'number' ? this.#inFlight.get(message.id) : undefined;
    if (id === undefined) return; // cancelled meanwhile: nobody reads the answer
    if (typeof message.id === 'number') this.#inFlight.delete(message.id);
    await this.#inner.send({ ...message, id }, theirs);
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  /** The client hung up, or cancelled: the call ends at once and its answer is nobody's. */
  cancel(theirs: unknown): void {
    const requestId = this.#find(theirs);
    if (requestId === null) return;
    const id = this.#inFlight.get(requestId);
    this.#inFlight.delete(requestId);
    const reason = 'the client left';
    this.onmessage?.({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId, reason },
    });
    if (id !== undefined) this.oncancel?.(id);
  }

  /** The newest request in flight with this id. */
  #find(theirs: unknown): number | null {
    let found: number | null = null;
    for (const [ours, id] of this.#inFlight) if (id === theirs) found = ours;
    return found;
  }

  #receive(message: JSONRPCMessage, extra: MessageExtraInfo | undefined): void {
    if (!('method' in message)) this.onmessage?.(message, extra);
    else if ('id' in message) {
      this.#last++;
      this.#inFlight.set(this.#last, message.id);
      this.onmessage?.({ ...message, id: this.#last }, extra);
    } else if (message.method === 'notifications/cancelled') {
      this.cancel(message.params?.requestId);
    } else this.onmessage?.(message, extra);
  }
}
