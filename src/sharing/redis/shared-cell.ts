/** The state of all processes as one sealed value: read, changed by the pure rule, put back. */

import { randomBytes } from 'node:crypto';
import { parseRecord } from '../../base/text/json.ts';
import { packState, unpackState } from '../coordination/packed-state.ts';
import { createState, type SharedState } from '../coordination/shared-state.ts';
import { keyedName, purposeKey } from '../ids.ts';
import { type CellReply, replaceCell } from './cell.ts';
import type { RedisClient } from './redis-connection.ts';
import { seal, unseal } from './seal.ts';

const NAME_BYTES = 16;
/** Somebody succeeds in each round. */
const MOST_ROUNDS = 16;

/** Nobody who was slower may be kept from trying again for ever. */
export class TooContended extends Error {
  override readonly name = 'TooContended';
}

export class SharedCell {
  readonly #client: RedisClient;
  readonly #key: Uint8Array;
  /** Where it lies: nobody without the secret can tell whose it is. */
  readonly name: string;
  #generation = '';
  #state: SharedState | null = null;
  /** The server's clock less our own, as it was at the last reply. */
  #offsetMs = 0;

  /** @param secret what all who share have, and nobody else */
  constructor(client: RedisClient, secret: Uint8Array) {
    this.#client = client;
    this.#key = purposeKey(secret, 'redis seal');
    this.name = `kp1:{${keyedName(purposeKey(secret, 'redis name'), [], NAME_BYTES)}}`;
  }

  /**
   * @param change pure; made again on what stands there by then when another process was quicker
   * @throws what the client throws, StrangeReply, TooContended
   */
  async change(change: (state: SharedState, now: number) => SharedState): Promise<void> {
    if (this.#generation === '') this.#take(await replaceCell(this.#client, this.name, '', ''));
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const now = performance.now() + this.#offsetMs;
      const next = change(this.#state ?? createState(randomBytes(9).toString('base64url')), now);
      const text = seal(this.#key, JSON.stringify({ at: now, state: packState(next, now) }));
      const reply = await replaceCell(this.#client, this.name, this.#generation, text);
      this.#take(reply);
      if (reply.isReplaced) {
        this.#state = next;
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
  #opened(text: string, now: number): SharedState | null {
    const plain = unseal(this.#key, text);
    const record = plain === null ? null : parseRecord(plain);
    if (record === null || typeof record.at !== 'number') return null;
    // Another server took over, whose clock is behind.
    return unpackState(record.state, now, Math.max(0, now - record.at));
  }
}
