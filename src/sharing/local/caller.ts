/** The side that connects: greets, asks, and hears the answers in whatever order they come. */

import { connect } from 'node:net';
import { systemCode } from '../../base/system/system-error.ts';
import { newNonce } from '../nonce.ts';
import { Channel } from './channel.ts';
import { callerHello, callerProof, HELLO_MS } from './hello.ts';

/** What stood at the meeting place. */
export type CallFailure =
  | 'nobody' // nothing there, or a socket that its process left behind
  | 'silent' // somebody who does not answer: stopped, asleep, or no process of ours
  | 'stranger' // somebody who answers and is no process of this home
  | 'closed'; // no way in: one that is just ending, no permission, no descriptor left

export class CallError extends Error {
  override readonly name = 'CallError';
  readonly failure: CallFailure;

  constructor(failure: CallFailure, cause?: unknown) {
    super(`the meeting place: ${failure}`, { cause });
    this.failure = failure;
  }
}

const NOBODY = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'];

export interface CallerEvents {
  /** One answer, not looked at yet. What it throws ends the connection. */
  answered(message: unknown): void;
  /** Once, after a greeting that went well. */
  closed(): void;
}

export class LocalCaller {
  readonly #channel: Channel;

  private constructor(channel: Channel) {
    this.#channel = channel;
  }

  /**
   * @param member what this process is called among the others
   * @throws CallError
   */
  static call(
    socketPath: string,
    key: Uint8Array,
    member: string,
    events: CallerEvents,
  ): Promise<LocalCaller> {
    return new Promise((resolve, reject) => {
      const nonce = newNonce();
      let isIn = false;
      const socket = connect(socketPath);
      const fail = (failure: CallFailure, cause?: unknown): void => {
        clearTimeout(patience);
        reject(new CallError(failure, cause));
        channel.close();
      };
      const patience = setTimeout(() => fail('silent'), HELLO_MS).unref();
      socket.once('error', (error) => {
        if (!isIn) fail(NOBODY.includes(systemCode(error)) ? 'nobody' : 'closed', error);
      });
      const channel: Channel = new Channel(socket, {
        message: (message) => {
          if (isIn) return events.answered(message);
          channel.send(callerProof(key, member, nonce, message));
          isIn = true;
          clearTimeout(patience);
          resolve(new LocalCaller(channel));
        },
        closed: (error) => {
          if (isIn) events.closed();
          else fail(error === null ? 'closed' : 'stranger', error);
        },
      });
      socket.once('connect', () => channel.send(callerHello(member, nonce)));
    });
  }

  get isClosed(): boolean {
    return this.#channel.isClosed;
  }

  ask(message: unknown): void {
    this.#channel.send(message);
  }

  close(): void {
    this.#channel.close();
  }
}
