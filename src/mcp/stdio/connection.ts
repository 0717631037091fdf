/**
 * One client on stdio: its lines become messages, each goes to the server of its era, and the
 * answers go back. Each SDK is imported when its era is first asked for more than the first
 * answers, or when the client falls silent after those.
 */

import type { Readable } from 'node:stream';
import type { Logger } from '../../base/logger.ts';
import { LineSplitter } from '../../base/text/line-splitter.ts';
import { type ClientFacts, noteClient } from '../client-facts.ts';
import { type Era, eraOf, missingClaim } from '../era.ts';
import { legacyAnswer, modernAnswer } from '../first-answers.ts';
import {
  type ClientMessage,
  errorReply,
  INTERNAL_ERROR,
  INVALID_REQUEST,
  isRequestId,
  type JsonRpcNotification,
  type JsonRpcRequest,
  PARSE_ERROR,
  type RequestId,
  readMessage,
} from '../json-rpc.ts';
import type { EraServer, SendMessage } from '../server-host.ts';
import type { LineWriter } from './line-writer.ts';
import { MessageBatch, servesBatches } from './message-batch.ts';
import { isBlank, LINE_LIMIT, readLine } from './read-line.ts';
import { Turns } from './turns.ts';

export interface ConnectionOptions {
  readonly open: Readonly<Record<Era, (send: SendMessage) => Promise<EraServer>>>;
  readonly writer: Pick<LineWriter, 'send' | 'flush' | 'pending' | 'whenBelow'>;
  readonly logger: Logger;
  /** Filled in by `initialize`. */
  readonly client: ClientFacts;
}

/** Takes the answer to a request; null when it was cancelled and has none. */
type Reply = (message: object | null) => void;

/** A request that is not answered yet. */
interface Pending {
  readonly era: Era;
  readonly message: JsonRpcRequest;
  readonly reply: Reply;
}

/** The server of an era, or the messages that wait while it is opened. */
interface Serving {
  server: EraServer | null;
  readonly waiting: ClientMessage[];
}

function replyId(message: object): RequestId | null {
  const isReply = 'id' in message && ('result' in message || 'error' in message);
  return isReply && isRequestId(message.id) ? message.id : null;
}

function isAwaited(method: string): boolean {
  return method !== 'subscriptions/listen';
}

/** After the last of the first answers; a client that goes on at once waits for its import. */
const OPEN_AFTER_MS = 50;
/** Reading stops while the client leaves this many characters untaken. */
const HIGH_WATER = 32 * 1024 * 1024;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #serving = new Map<Era, Serving>();
  readonly #turns = new Turns();
  readonly #pending = new Map<RequestId, Pending[]>();
  /** How many of them will be answered: a subscription ends with the connection. */
  #awaited = 0;
  #idle: Array<() => void> = [];
  #opening: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  readFrom(input: Readable): void {
    const { writer } = this.#options;
    const why = `the line is longer than ${LINE_LIMIT / 1024 / 1024} MiB`;
    const splitter = new LineSplitter(
      {
        line: (bytes) => this.#receive(bytes),
        oversize: () => this.#refuse(INVALID_REQUEST, `Invalid request: ${why}`),
      },
      LINE_LIMIT,
    );
    input.on('data', (chunk: Buffer | string) => {
      splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      if (writer.pending <= HIGH_WATER) return;
      input.pause();
      writer.whenBelow(HIGH_WATER / 2).then(
        () => input.resume(),
        () => {},
      );
    });
    input.once('end', () => splitter.end());
  }

  /** Resolves when every request is answered or cancelled, subscriptions aside: they never end. */
  whenIdle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#opening);
    this.#turns.clear();
    await Promise.all([...this.#serving.values()].map(({ server }) => server?.close()));
  }

  #receive(line: Buffer): void {
    if (isBlank(line)) return;
    const parsed = readLine(line);
    if (parsed === null) this.#refuse(PARSE_ERROR, 'Parse error: the line is not JSON in UTF-8');
    else if (Array.isArray(parsed.value)) this.#receiveBatch(parsed.value);
    else this.#receiveMessage(parsed.value, () => this.#send);
  }

  #receiveBatch(values: readonly unknown[]): void {
    const why =
      values.length === 0 ? 'the batch is empty' : 'batches belong to revision 2025-03-26';
    if (values.length === 0 || !servesBatches(this.#options.client.version)) {
      this.#refuse(INVALID_REQUEST, `Invalid request: ${why}`);
      return;
    }
    const batch = new MessageBatch((replies) => this.#options.writer.send(replies));
    for (const value of values) this.#receiveMessage(value, () => batch.expect());
    batch.end();
  }

  /** @param replyTo opens the way back, for a message that has an answer */
  #receiveMessage(value: unknown, replyTo: () => Reply): void {
    const incoming = readMessage(value);
    if (incoming.kind === 'request') this.#request(incoming.message, replyTo());
    else if (incoming.kind === 'notification') this.#notify(incoming.message);
    else if (incoming.kind === 'bad') replyTo()(incoming.reply);
    // Only in the legacy era a server asks.
    else if (incoming.kind === 'answer' && this.#serving.has('legacy')) {
      this.#deliver('legacy', incoming.message);
    }
  }

  #request(message: JsonRpcRequest, reply: Reply): void {
    const era = eraOf(message);
    const result = era === 'legacy' ? legacyAnswer(message) : modernAnswer(message);
    if (result !== null) {
      this.#note(message, result);
      reply({ jsonrpc: '2.0', id: message.id, result });
      this.#openSoon(era);
      return;
    }
    const refusal = missingClaim(message);
    if (refusal !== null) {
      reply(refusal);
      return;
    }
    const { id, method } = message;
    this.#pending.set(id, [...(this.#pending.get(id) ?? []), { era, message, reply }]);
    if (isAwaited(method)) this.#awaited++;
    this.#deliver(era, message);
  }

  #notify(message: JsonRpcNotification): void {
    const requestId = message.params?.requestId;
    if (message.method === 'notifications/cancelled' && isRequestId(requestId)) {
      const pending = this.#settle(requestId);
      if (pending === null) return;
      pending.reply(null);
      this.#deliver(pending.era, message);
      return;
    }
    // Tells nothing to an SDK that has served nothing yet.
    const era = eraOf(message);
    if (this.#serving.has(era)) this.#deliver(era, message);
  }

  #deliver(era: Era, message: ClientMessage): void {
    const { server, waiting } = this.#serving.get(era) ?? this.#open(era);
    if (server === null) waiting.push(message);
    else this.#turns.add(() => server.deliver(message));
  }

  /** The first call must not pay for the import that there is time for now. */
  #openSoon(era: Era): void {
    clearTimeout(this.#opening);
    this.#opening = setTimeout(() => {
      if (!this.#serving.has(era)) this.#open(era);
    }, OPEN_AFTER_MS);
    this.#opening.unref();
  }

  #open(era: Era): Serving {
    const serving: Serving = { server: null, waiting: [] };
    this.#serving.set(era, serving);
    const opened = (server: EraServer): void => {
      serving.server = server;
      if (this.#isClosed) {
        server.close().catch(() => {});
        return;
      }
      for (const message of serving.waiting.splice(0)) this.#deliver(era, message);
    };
    this.#options.open[era]((message) => this.#answer(message)).then(opened, (error: unknown) => {
      this.#options.logger.error('a protocol era could not be opened', { error });
      opened({ deliver: (message) => this.#fail(message), close: () => Promise.resolve() });
    });
    return serving;
  }

  #answer(message: object): void {
    const id = replyId(message);
    if (id === null) {
      this.#options.writer.send(message);
      return;
    }
    const pending = this.#settle(id);
    // One that was cancelled meanwhile has no answer.
    if (pending === null) return;
    if ('result' in message) this.#note(pending.message, message.result);
    pending.reply(message);
    if (this.#isIdle()) this.#options.writer.flush();
  }

  #fail(message: ClientMessage): void {
    if ('method' in message && 'id' in message) {
      this.#answer(errorReply(message.id, INTERNAL_ERROR, 'Internal error'));
    }
  }

  /** @returns the newest open request of this id, which is open no more */
  #settle(id: RequestId): Pending | null {
    const open = this.#pending.get(id) ?? [];
    const pending = open.pop();
    if (open.length === 0) this.#pending.delete(id);
    if (pending !== undefined && isAwaited(pending.message.method)) this.#awaited--;
    if (this.#isIdle()) for (const resolve of this.#idle.splice(0)) resolve();
    return pending ?? null;
  }

  #isIdle(): boolean {
    return this.#awaited === 0;
  }

  #note({ method, params = {} }: JsonRpcRequest, result: unknown): void {
    if (method === 'initialize') noteClient(this.#options.client, params, result);
  }

  readonly #send: Reply = (message) => {
    if (message !== null) this.#options.writer.send(message);
  };

  #refuse(code: number, why: string): void {
    this.#options.writer.send(errorReply(null, code, why));
  }
}
