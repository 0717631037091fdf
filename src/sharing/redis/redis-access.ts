/**
 * The way to a Redis for whoever keeps a state there: while it is away, slow or frozen nobody waits
 * for it, and what is wrong with it is said once.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../base/logger.ts';
import { PatientTimer } from '../../base/system/patient-timer.ts';
import { within } from '../../base/system/within.ts';
import { LinkState, type Problem } from '../link-state.ts';
import { LinkDown, type LinkView } from '../protocol.ts';
import { StrangeReply } from './cell.ts';
import { LATE, redisProblem } from './problem.ts';
import { nameOf, openRedis, type RedisClient, type RedisServer } from './redis-connection.ts';
import { SharedCell, type StateKind, TooContended } from './shared-cell.ts';

/** Nothing waits longer for an answer, once. */
const ANSWER_MS = 50;
/** A connection on which nothing was answered for so long is made anew. */
const DEAD_MS = 3_000;
/** How often who is patient looks for the connection. */
const LOOK_MS = 20;

export interface RedisAccessOptions {
  readonly server: RedisServer;
  /** What all who share have, and nobody else; null while it is not known yet. */
  readonly secret: () => Uint8Array | null;
  readonly logger: Logger;
  /** What else is to be said when it is away. */
  readonly consequences?: () => Readonly<Record<string, string>>;
}

/** A state that is kept there. One question at a time. */
export interface KeptState<State> {
  /**
   * Settles within the patience that it was asked for with.
   *
   * @param change pure; applied to what stands there at last
   * @throws LinkDown
   */
  change<Answer>(change: Change<State, Answer>): Promise<Answer>;
  /** A last word, where it can be said at once; nobody is held up by it. */
  leave(change: (state: State) => State): Promise<void>;
}

type Change<State, Answer> = (
  state: State,
  now: number,
) => { readonly state: State; readonly answer: Answer };

export class RedisAccess {
  readonly #options: RedisAccessOptions;
  readonly #state: LinkState;
  readonly #client: RedisClient;
  /** The first connection, once it was asked for. */
  #connecting: Promise<void> | null = null;
  #hasWaited = false;
  #isReady = false;
  /** The last answer came too late: nobody waits until one comes in time. */
  #isLate = false;
  #answeredAt = 0;
  #connectError: unknown = null;
  #hasClosed = false;

  constructor(options: RedisAccessOptions) {
    this.#options = options;
    this.#state = new LinkState('redis', options.logger, options.consequences);
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

  /** Begins to connect. */
  prepare(): void {
    this.#connecting ??= this.#client.connect().catch((error: unknown) => {
      this.#connectError ??= error;
    });
  }

  /**
   * @param patienceMs for those who would rather wait than not know; the default is for calls, of
   *   which none waits twice
   */
  keep<State>(kind: StateKind<State>, patienceMs: number | null = null): KeptState<State> {
    const cellNow = this.#cellOf(kind);
    let underWay: Promise<unknown> | null = null;
    return {
      change: async (change) => {
        await this.#admit(patienceMs);
        if (underWay !== null) throw new LinkDown('an exchange is under way');
        const answer = this.#ask(cellNow(), change).finally(() => {
          underWay = null;
        });
        underWay = answer;
        if (patienceMs === null) return await this.#unlessLate(answer);
        return await this.#patiently(patienceMs, answer);
      },
      leave: async (change) => {
        if (!this.#isReady || this.#isLate) return;
        const before = underWay ?? Promise.resolve();
        const said = before
          .catch(() => {})
          .then(() => this.#ask(cellNow(), (state) => ({ state: change(state), answer: true })));
        await within(ANSWER_MS, said);
      },
    };
  }

  close(): void {
    this.#hasClosed = true;
    this.#client.disconnect();
  }

  async #admit(patienceMs: number | null): Promise<void> {
    if (this.#hasClosed) throw new LinkDown('this process has left');
    if (!this.#isReady) {
      this.prepare();
      await (patienceMs === null ? this.#patience() : this.#untilReady(patienceMs));
    }
    if (!this.#isReady) throw this.#down(this.#connectError);
  }

  /** Nobody waits for a connection but the first who needs it. */
  async #patience(): Promise<void> {
    if (this.#hasWaited || this.#connecting === null) return;
    this.#hasWaited = true;
    await within(ANSWER_MS, this.#connecting);
  }

  #cellOf<State>(kind: StateKind<State>): () => SharedCell<State> {
    let known: { readonly secret: Uint8Array; readonly cell: SharedCell<State> } | null = null;
    return () => {
      const secret = this.#options.secret();
      if (secret === null) throw new LinkDown('the key store is not open yet');
      if (known === null || !Buffer.from(secret).equals(known.secret)) {
        known = { secret, cell: new SharedCell(this.#client, kind, secret) };
      }
      return known.cell;
    };
  }

  async #ask<State, Answer>(
    cell: SharedCell<State>,
    change: Change<State, Answer>,
  ): Promise<Answer> {
    const answers: Answer[] = [];
    try {
      await cell.change((state, now) => {
        const result = change(state, now);
        answers.push(result.answer);
        return result.state;
      });
    } catch (error) {
      throw this.#down(error);
    }
    this.#answeredAt = performance.now();
    const answer = answers.at(-1);
    if (answer === undefined) throw new LinkDown('no answer');
    return answer;
  }

  async #untilReady(patienceMs: number): Promise<void> {
    const endsAt = performance.now() + patienceMs;
    while (!this.#isReady && !this.#hasClosed && performance.now() < endsAt) {
      await sleep(LOOK_MS, undefined, { ref: false });
    }
  }

  async #patiently<Answer>(ms: number, answer: Promise<Answer>): Promise<Answer> {
    if (await within(ms, answer)) return answer;
    answer.catch(() => {});
    throw new LinkDown('no answer in time');
  }

  #unlessLate<Answer>(asked: Promise<Answer>): Promise<Answer> {
    const wasLate = this.#isLate;
    const answer = this.#inTime(asked);
    if (!wasLate) return answer;
    // A probe: whoever asked goes on.
    answer.catch(() => {});
    return Promise.reject(new LinkDown('the answers come late'));
  }

  /** The answer, or at the end of the time none; from then on nobody waits until one is in time. */
  #inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const patience = new PatientTimer(ANSWER_MS, () => {
        isOver = true;
        this.#isLate = true;
        this.#state.down(this.#lateness());
        reject(new LinkDown('no answer in time'));
      });
      const take = (taken: Answer): void => {
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
    const reason = `the Redis at ${nameOf(this.#options.server)} ${LATE}`;
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
      // Until there is another connection, that is what is wrong with it.
      this.#connectError = new Error('timed out');
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
