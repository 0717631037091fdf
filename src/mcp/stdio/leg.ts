/** One protocol era on a stdio connection, as the router sees it. */

import type { JsonRpcAnswer, JsonRpcNotification, JsonRpcRequest } from '../json-rpc.ts';

export type ClientMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcAnswer;

export interface Leg {
  deliver(message: ClientMessage): void;
  /** Aborts what is in flight. */
  close(): Promise<void>;
}

export type Send = (message: object) => void;
