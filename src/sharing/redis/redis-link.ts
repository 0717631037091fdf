/**
 * The link of processes on several machines: nobody coordinates, each applies the same rule to the
 * state that lies in a Redis or Valkey. While that is away, slow or frozen nobody waits for it.
 */

import type { Logger } from '../../base/logger.ts';
import { PatientTimer } from '../../base/system/patient-timer.ts';
import { within } from '../../base/system/within.ts';
import { exchange, forget } from '../coordination/coordination.ts';
import { LinkState, type Problem } from '../link-state.ts';
import { newNonce } from '../nonce.ts';
import {
  type Exchange,
  type ExchangeAnswer,
  type Link,
  LinkDown,
  type LinkView,
} from '../protocol.ts';
import { StrangeReply } from './cell.ts';
import { redisProblem } from './problem.ts';
import { nameOf, openRedis, type RedisClient, type RedisServer } from './redis-connection.ts';
import { SharedCell, TooContended } from './shared-cell.ts';

/** Nothing waits longer for an answer, once. */
const ANSWER_MS = 50;
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

  async exchange(request: Exchange): Promise<ExchangeAnswer> {
    if (this.#hasLeft) throw new LinkDown('this process has left');
    if (!this.#isReady) await this.#patience();
    if (!this.#isReady) throw this.#down(this.#connectError);
    if (this.#isBusy) throw new LinkDown('an exchange is under way');
    const wasLate = this.#isLate;
    const answer = this.#inTime(this.#ask(request));
    if (!wasLate) return answer;
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
    await within(ANSWER_MS, this.#connecting);
  }

  async leave(): Promise<void> {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    const cell = this.#cellNow();
    if (this.#isReady && !this.#isLate && cell !== null) {
      await within(
        ANSWER_MS,
        cell.change((state) => forget(state, this.#member)),
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

  async #ask(request: Exchange): Promise<ExchangeAnswer> {
    const cell = this.#cellNow();
    if (cell === null) throw new LinkDown('the key store is not open yet');
    this.#isBusy = true;
    let answer: ExchangeAnswer | null = null;
    const change: Parameters<SharedCell['change']>[0] = (state, now) => {
      const result = exchange(state, this.#member, request, now);
      ({ answer } = result);
      return result.state;
    };
    try {
      await cell.change(change);
    } catch (error) {
      throw this.#down(error);
    } finally {
      this.#isBusy = false;
    }
    this.#answeredAt = performance.now();
    if (answer === null) throw new LinkDown('no answer');
    return answer;
  }

  /** The answer, or at the end of the time none; from then on nobody waits until one is in time. */
  #inTime(answer: Promise<ExchangeAnswer>): Promise<ExchangeAnswer> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const patience = new PatientTimer(ANSWER_MS, () => {
        isOver = true;
        this.#isLate = true;
        this.#state.down(this.#lateness());
        reject(new LinkDown('no answer in time'));
      });
      const take = (taken: ExchangeAnswer): void => {
        if (!isOver) {
          this.#isLate = false;
          this.#state.up('member');
        }
        resolve(taken);
      };
      answer.then(take, reject).finally(() => patience.clear());
    });
  }

  #lateness(): Problem {
    const reason = `the Redis at ${nameOf(this.#options.server)} answers late`;
    return { reason, next: '', isPassing: true };
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
    const isTimeout = error instanceof Error && /timed out/i.test(error.message);
    if (isTimeout && this.#isReady) return this.#lateness();
    // The client only says that it is not connected; why, it said before.
    const isClosed = error instanceof Error && /closed|writeable|not ready/i.test(error.message);
    return redisProblem(isClosed ? (this.#connectError ?? error) : error, name);
  }
}
