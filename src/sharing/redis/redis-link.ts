/**
 * The link of processes on several machines: nobody coordinates, each applies the same rule to the
 * state that lies in a Redis or Valkey.
 */

import { randomBytes } from 'node:crypto';
import { exchange, forget } from '../coordination/coordination.ts';
import { packState, unpackState } from '../coordination/packed-state.ts';
import { createState, type SharedState } from '../coordination/shared-state.ts';
import { newNonce } from '../nonce.ts';
import {
  type Exchange,
  type ExchangeAnswer,
  type Link,
  type LinkView,
  PROTOCOL_VERSION,
} from '../protocol.ts';
import type { KeptState, RedisAccess } from './redis-access.ts';
import type { StateKind } from './shared-cell.ts';

const DAY_MS = 86_400_000;

const LANES: StateKind<SharedState> = {
  // Programs of another version have a state of their own.
  purpose: `lanes ${PROTOCOL_VERSION}`,
  create: () => createState(randomBytes(9).toString('base64url')),
  pack: packState,
  unpack: unpackState,
  keptMs: DAY_MS,
};

export class RedisLink implements Link {
  readonly #access: RedisAccess;
  readonly #lanes: KeptState<SharedState>;
  readonly #member = newNonce();
  #hasLeft = false;

  constructor(access: RedisAccess) {
    this.#access = access;
    this.#lanes = access.keep(LANES);
  }

  get view(): LinkView {
    return this.#access.view;
  }

  exchange(request: Exchange): Promise<ExchangeAnswer> {
    return this.#lanes.change((state, now) => exchange(state, this.#member, request, now));
  }

  prepare(): void {
    this.#access.prepare();
  }

  async leave(): Promise<void> {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    await this.#lanes.leave((state) => forget(state, this.#member));
    this.#access.close();
  }
}
