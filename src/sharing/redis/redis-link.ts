/**
 * The link of processes on several machines: nobody coordinates, each applies the same rule to the
 * state that lies in a Redis or Valkey. While that is away, slow or frozen nobody waits for it.
 */

import type { Logger } from '../../base/logger.ts';
import { PatientTimer } from '../../base/system/patient-timer.ts';
import { within } from '../../base/system/within.ts';
import { exchange, forget } from '../coordination.ts';
import { LinkState, type Problem } from '../link-state.ts';
import { newNonce } from '../nonce.ts';
import { type Answer, type Exchange, type Link, LinkDown, type LinkView } from '../protocol.ts';
import { StrangeReply } from './cell.ts';
import { COMMAND_MS, nameOf, openRedis, type RedisClient, type RedisServer } from './connection.ts';
import { redisProblem } from './problem.ts';
import { SharedCell, TooContended } from './shared-cell.ts';

/** A connection on which nothing was answered for so long is made anew. */
const DEAD_MS = 3_000;

export interface RedisLinkOptions {
  readonly server: RedisServer;
  /** What all who share have, and nobody else; null while it is not known yet. */
  readonly secret: () => Uint8Array | null;
  readonly logger: Logger;
}

export class RedisLink implements Link {
  readonly #options: RedisLinkOptions;
  readonly #state: LinkState;
  readonly #member = newNonce();
  readonly #client: RedisClient;
  #cell: { readonly secret: Uint8Array; readonly cell: SharedCell } | null = null;
  /** The first connection, once it was asked for. */
  #connecting: Promise<void> | null = null;
  #hasWaited = false;
  #isReady = false;
  /** The last answer came too late: nobody waits until one comes in time. */
  #isLate = false;
  #isBusy = false;
  #answeredAt = 0;
  #connectError: unknown = null;
  #hasLeft = false;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#state = new LinkState('redis', options.logger);
    this.#client = openRedis(options.server);
    this.#client.on('ready', () => {
      this.#isReady = true;
      this.#connectError = null;
      this.#answeredAt = performance.now();
    });
    this.#client.on('close', () => {
      this.#isReady = false;
    });
    this.#client.on('error', (error) => {
      this.#connectError = error;
    });
  }

  get view(): LinkView {
    return this.#state.view;
  }

  async exchange(request: Exchange): Promise<Answer> {
    if (this.#hasLeft) throw new LinkDown('this process has left');
    const until = performance.now() + COMMAND_MS;
    if (!this.#isReady) await this.#patience();
    if (!this.#isReady) throw this.#down(this.#connectError);
    if (this.#isBusy) throw new LinkDown('an exchange is under way');
    const answer = this.#ask(request, until);
    if (!this.#isLate) return inTime(answer, until, () => this.#tooLate());
    // A probe: whoever asked goes on.
    answer.catch(() => {});
    throw new LinkDown('the answers come late');
  }

  prepare(): void {
    this.#connecting ??= this.#client.connect().catch((error: unknown) => {
      this.#connectError ??= error;
    });
  }

  /** Nobody waits for a connection but the first who needs it. */
  async #patience(): Promise<void> {
    this.prepare();
    if (this.#hasWaited || this.#connecting === null) return;
    this.#hasWaited = true;
    await within(COMMAND_MS, this.#connecting);
  }

  async leave(): Promise<void> {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    const cell = this.#cellNow();
    if (this.#isReady && !this.#isLate && cell !== null) {
      const until = performance.now() + COMMAND_MS;
      await within(
        COMMAND_MS,
        cell.change((state) => forget(state, this.#member), until),
      );
    }
    this.#client.disconnect();
  }

  #cellNow(): SharedCell | null {
    const secret = this.#options.secret();
    if (secret === null) return null;
    if (this.#cell === null || !Buffer.from(secret).equals(this.#cell.secret)) {
      this.#cell = { secret, cell: new SharedCell(this.#client, secret) };
    }
    return this.#cell.cell;
  }

  async #ask(request: Exchange, until: number): Promise<Answer> {
    const cell = this.#cellNow();
    if (cell === null) throw new LinkDown('the key store is not open yet');
    this.#isBusy = true;
    let answer: Answer | null = null;
    const change: Parameters<SharedCell['change']>[0] = (state, now) => {
      const result = exchange(state, this.#member, request, now);
      ({ answer } = result);
      return result.state;
    };
    try {
      await cell.change(change, until);
    } catch (error) {
      throw this.#down(error);
    } finally {
      this.#isBusy = false;
    }
    const now = performance.now();
    this.#answeredAt = now;
    if (now > until) this.#tooLate();
    else {
      this.#isLate = false;
      this.#state.up('member');
    }
    if (answer === null) throw new LinkDown('no answer');
    return answer;
  }

  #tooLate(): void {
    this.#isLate = true;
    const name = nameOf(this.#options.server);
    this.#state.down({ reason: `the Redis at ${name} answers late`, next: '' });
  }

  /** Says what is wrong, once, and gives the reason to whoever asked. */
  #down(error: unknown): LinkDown {
    if (error instanceof LinkDown) return error;
    const problem = this.#problemOf(error);
    if (error instanceof TooContended) return new LinkDown(problem.reason);
    this.#isLate = true;
    this.#state.down(problem);
    if (this.#isReady && performance.now() - this.#answeredAt > DEAD_MS) {
      this.#answeredAt = performance.now();
      this.#client.disconnect(true);
    }
    return new LinkDown(problem.reason);
  }

  #problemOf(error: unknown): Problem {
    const name = nameOf(this.#options.server);
    if (error instanceof StrangeReply) {
      return { reason: `the Redis at ${name} answers nonsense`, next: 'check KEYPOOL_REDIS_URL' };
    }
    if (error instanceof TooContended) return { reason: error.message, next: '' };
    // The client only says that it is not connected; why, it said before.
    const isClosed = error instanceof Error && /closed|writeable|not ready/i.test(error.message);
    return redisProblem(isClosed ? (this.#connectError ?? error) : error, name);
  }
}

/** The answer, or at the end of the time none. */
function inTime(answer: Promise<Answer>, until: number, onLate: () => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = new PatientTimer(Math.max(0, until - performance.now()), () => {
      onLate();
      reject(new LinkDown('no answer in time'));
    });
    answer.then(resolve, reject).finally(() => timer.clear());
  });
}
