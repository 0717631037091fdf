/** A state of all processes as one sealed value: read, changed by a pure rule, put back. */

import { parseRecord } from '../../base/text/json.ts';
import { keyedName, purposeKey } from '../ids.ts';
import { type CellReply, replaceCell } from './cell.ts';
import type { RedisClient } from './redis-connection.ts';
import { seal, unseal } from './seal.ts';

const NAME_BYTES = 16;
/** Somebody succeeds in each round. */
const MOST_ROUNDS = 16;
/** By less than that a reply that was quick differs from one that was slow. */
const SET_BACK_MS = 1_000;

/** Nobody who was slower may be kept from trying again for ever. */
export class TooContended extends Error {
  override readonly name = 'TooContended';
}

/** What kind of state it is. Instants in it are milliseconds of the server's clock. */
export interface StateKind<State> {
  /** Tells it from the team's other values; another one for what older programs cannot read. */
  readonly purpose: string;
  /** Where nothing stands, or nothing that can be believed. */
  create(): State;
  /** JSON without a clock. */
  pack(state: State, now: number): unknown;
  /** @returns null for what is no such state */
  unpack(value: unknown, now: number, ageMs: number): State | null;
  /** A value that nobody asks for goes by itself. */
  readonly keptMs: number;
}

export class SharedCell<State> {
  readonly #client: RedisClient;
  readonly #kind: StateKind<State>;
  readonly #key: Uint8Array;
  /** Where it lies: nobody without the secret can tell whose it is. */
  readonly name: string;
  #generation = '';
  #state: State | null = null;
  /** The server's clock less our own, as it was at the last reply. */
  #offsetMs = 0;

  /** @param secret what all who share have, and nobody else */
  constructor(client: RedisClient, kind: StateKind<State>, secret: Uint8Array) {
    this.#client = client;
    this.#kind = kind;
    this.#key = purposeKey(secret, `redis seal ${kind.purpose}`);
    const naming = purposeKey(secret, 'redis name');
    this.name = `kp1:{${keyedName(naming, [kind.purpose], NAME_BYTES)}}`;
  }

  /**
   * @param change pure; made again on what stands there by then when another process was quicker
   * @throws what the client throws, StrangeReply, TooContended
   */
  async change(change: (state: State, now: number) => State): Promise<void> {
    const { create, pack, unpack, keptMs } = this.#kind;
    if (this.#generation === '')
      this.#take(await replaceCell(this.#client, this.name, '', '', keptMs));
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const offsetMs = this.#offsetMs;
      const now = performance.now() + offsetMs;
      const next = change(this.#state ?? create(), now);
      const packed = pack(next, now);
      const text = seal(this.#key, JSON.stringify({ at: now, state: packed }));
      const reply = await replaceCell(this.#client, this.name, this.#generation, text, keptMs);
      this.#take(reply);
      if (reply.isReplaced) {
        // By a clock that was set back every pause in it would last so much longer.
        const isSetBack = this.#offsetMs < offsetMs - SET_BACK_MS;
        this.#state = isSetBack ? unpack(packed, reply.now, 0) : next;
        return;
      }
    }
    throw new TooContended('others were quicker every time');
  }

  #take({ isReplaced, generation, now, text }: CellReply): void {
    this.#offsetMs = now - performance.now();
    this.#generation = generation;
    if (!isReplaced) this.#state = text === null ? null : this.#opened(text, now);
  }

  /** What was sealed by nobody of us counts as nothing: all of it is soft, and told anew. */
  #opened(text: string, now: number): State | null {
    const plain = unseal(this.#key, text);
    const record = plain === null ? null : parseRecord(plain);
    if (record === null || typeof record.at !== 'number') return null;
    // Another server took over, whose clock is behind.
    return this.#kind.unpack(record.state, now, Math.max(0, now - record.at));
  }
}
