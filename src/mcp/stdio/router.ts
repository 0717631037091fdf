/**
 * Which era a message belongs to, decided message by message: a client may race `server/discover`
 * with `initialize` and go on with whichever is answered. Each SDK is imported when its era is
 * first asked for more than the first answers, or when the client falls silent after those.
 */

import type { Logger } from '../../base/logger.ts';
import { legacyAnswer, modernAnswer, VERSION_KEY } from '../first-answers.ts';
import {
  errorReply,
  INTERNAL_ERROR,
  isRecord,
  type JsonRpcNotification,
  type JsonRpcRequest,
  type RequestId,
} from '../json-rpc.ts';
import type { ClientMessage, Leg, Send } from './leg.ts';

export type Era = 'legacy' | 'modern';
export type OpenLeg = (send: Send) => Promise<Leg>;

const MODERN_METHODS = new Set(['server/discover', 'subscriptions/listen']);

export function eraOf(message: JsonRpcRequest | JsonRpcNotification): Era {
  if (MODERN_METHODS.has(message.method)) return 'modern';
  const meta = message.params?._meta;
  return isRecord(meta) && VERSION_KEY in meta ? 'modern' : 'legacy';
}

/** The first call of a burst is on its way to the upstream before the last one is looked at. */
const MESSAGES_PER_TURN = 8;

/** A leg that may still be opening; messages keep their order and take turns with everything else. */
class LazyLeg {
  readonly #onFailure: (error: unknown, lost: ClientMessage[]) => void;
  #leg: Leg | null = null;
  #waiting: ClientMessage[] = [];
  /** Nothing is handed on: the leg is opening, or a turn has been taken. */
  #isHeld = true;
  #isClosed = false;

  constructor(opened: Promise<Leg>, onFailure: (error: unknown, lost: ClientMessage[]) => void) {
    this.#onFailure = onFailure;
    opened.then(
      (leg) => {
        this.#leg = leg;
        this.#takeTurn();
      },
      (error: unknown) => this.#failed(error),
    );
  }

  deliver(message: ClientMessage): void {
    this.#waiting.push(message);
    if (!this.#isHeld) this.#takeTurn();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#leg?.close();
  }

  #takeTurn(): void {
    if (this.#isClosed) return;
    for (const message of this.#waiting.splice(0, MESSAGES_PER_TURN)) this.#leg?.deliver(message);
    this.#isHeld = true;
    setImmediate(() => {
      this.#isHeld = false;
      if (this.#waiting.length > 0) this.#takeTurn();
    });
  }

  #failed(error: unknown): void {
    const lost = this.#waiting.splice(0);
    this.#onFailure(error, lost);
    // What comes later is lost as well, and told so.
    this.#leg = {
      deliver: (message) => this.#onFailure(error, [message]),
      close: async () => {},
    };
    this.#isHeld = false;
  }
}

export interface RouterOptions {
  readonly open: Readonly<Record<Era, OpenLeg>>;
  readonly send: Send;
  /** The last request in flight is answered. */
  readonly onIdle?: () => void;
  readonly logger: Logger;
}

function replyId(message: object): RequestId | null {
  const isReply = 'id' in message && ('result' in message || 'error' in message);
  if (!isReply) return null;
  return typeof message.id === 'string' || typeof message.id === 'number' ? message.id : null;
}

/** After the last of the first answers; a client that goes on at once waits for its import. */
const OPEN_AFTER_MS = 50;

export class Router {
  readonly #options: RouterOptions;
  readonly #legs = new Map<Era, LazyLeg>();
  /** Era of every request in flight, by id. */
  readonly #inFlight = new Map<RequestId, Era[]>();
  readonly #subscriptions = new Set<RequestId>();
  #idle: Array<() => void> = [];
  #opening: NodeJS.Timeout | undefined;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  request(message: JsonRpcRequest): void {
    const era = eraOf(message);
    const result = era === 'legacy' ? legacyAnswer(message) : modernAnswer(message);
    if (result !== null) {
      this.#options.send({ jsonrpc: '2.0', id: message.id, result });
      this.#openSoon(era);
      return;
    }
    if (message.method === 'subscriptions/listen') this.#subscriptions.add(message.id);
    this.#inFlight.set(message.id, [...(this.#inFlight.get(message.id) ?? []), era]);
    this.#leg(era).deliver(message);
  }

  notify(message: JsonRpcNotification): void {
    const requestId = message.params?.requestId;
    if (message.method === 'notifications/cancelled' && isId(requestId)) {
      const era = this.#inFlight.get(requestId)?.at(-1);
      if (era === undefined) return;
      this.#settle(requestId);
      this.#leg(era).deliver(message);
      return;
    }
    // Tells nothing to an SDK that has served nothing yet.
    this.#legs.get(eraOf(message))?.deliver(message);
  }

  /** Resolves when every request is answered or cancelled, subscriptions aside: they never end. */
  whenIdle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async close(): Promise<void> {
    clearTimeout(this.#opening);
    await Promise.all([...this.#legs.values()].map((leg) => leg.close()));
  }

  /** The first call must not pay for the import that there is time for now. */
  #openSoon(era: Era): void {
    clearTimeout(this.#opening);
    this.#opening = setTimeout(() => this.#leg(era), OPEN_AFTER_MS);
    this.#opening.unref();
  }

  #leg(era: Era): LazyLeg {
    const existing = this.#legs.get(era);
    if (existing !== undefined) return existing;
    const opened = this.#options.open[era]((message) => this.#answer(message));
    const leg = new LazyLeg(opened, (error, lost) => this.#failed(error, lost));
    this.#legs.set(era, leg);
    return leg;
  }

  #answer(message: object): void {
    const id = replyId(message);
    if (id === null) this.#options.send(message);
    else if (this.#inFlight.has(id)) {
      this.#options.send(message);
      this.#settle(id);
    }
    // else cancelled: an answer that was on its way already is not sent
  }

  #isIdle(): boolean {
    return this.#inFlight.size <= this.#subscriptions.size;
  }

  #settle(id: RequestId): void {
    const rest = this.#inFlight.get(id)?.slice(0, -1) ?? [];
    if (rest.length > 0) this.#inFlight.set(id, rest);
    else this.#inFlight.delete(id);
    this.#subscriptions.delete(id);
    if (!this.#isIdle()) return;
    this.#options.onIdle?.();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #failed(error: unknown, lost: readonly ClientMessage[]): void {
    this.#options.logger.error('a protocol era could not be opened', { error });
    for (const message of lost) {
      if ('method' in message && 'id' in message) {
        this.#answer(errorReply(message.id, INTERNAL_ERROR, 'Internal error'));
      }
    }
  }
}

function isId(value: unknown): value is RequestId {
  return typeof value === 'string' || typeof value === 'number';
}
