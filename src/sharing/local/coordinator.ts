/** The state of all processes, while this one coordinates; and what outlives it, in a file. */

import type { Logger } from '../../base/logger.ts';
import { exchange, forget } from '../coordination/coordination.ts';
import { packState, unpackState } from '../coordination/packed-state.ts';
import { createState, type SharedState } from '../coordination/shared-state.ts';
import { newNonce } from '../nonce.ts';
import type { Exchange, ExchangeAnswer, ProcessView } from '../protocol.ts';
import { keep, readKept } from './state-file.ts';

/** What a kill costs of what was found out. */
const KEEP_EVERY_MS = 15_000;

/** Whoever comes tells anew what it has; and this is another coordinator, whatever it knows. */
function withoutMembers(state: SharedState): SharedState {
  const empty = [...state.members.keys()].reduce(forget, state);
  return { ...empty, epoch: newNonce() };
}

export class Coordinator {
  readonly #path: string;
  readonly #logger: Logger;
  /** Everybody who is connected and has spoken, with the client's name. */
  readonly #present = new Map<string, string | null>();
  #state: SharedState;
  #keeping: NodeJS.Timeout | null = null;
  #kept: Promise<void> = Promise.resolve();

  private constructor(path: string, logger: Logger, state: SharedState) {
    this.#path = path;
    this.#logger = logger;
    this.#state = state;
  }

  /** Begins with what the coordinator before knew, as far as it can still be believed. */
  static async open(path: string, logger: Logger): Promise<Coordinator> {
    const kept = await readKept(path);
    const known = kept === null ? null : unpackState(kept.state, performance.now(), kept.ageMs);
    return new Coordinator(path, logger, withoutMembers(known ?? createState('')));
  }

  exchange(member: string, request: Exchange): ExchangeAnswer {
    const { state, answer } = exchange(this.#state, member, request, performance.now());
    this.#state = state;
    this.#present.set(member, request.client);
    this.#keeping ??= setTimeout(() => this.#keep(), KEEP_EVERY_MS).unref();
    return { ...answer, processes: [...answer.processes, ...this.#idle()] };
  }

  /** Those that are connected and have long said nothing: they have nothing. */
  #idle(): ProcessView[] {
    const { members } = this.#state;
    const silent = [...this.#present].filter(([id]) => !members.has(id));
    return silent.map(([, client]) => ({
      client,
      isSelf: false,
      inFlight: 0,
      waiting: 0,
      share: 0,
    }));
  }

  forget(member: string): void {
    this.#present.delete(member);
    this.#state = forget(this.#state, member);
  }

  /** Resolves when what is known is written down, unless it is to be forgotten. */
  async close(what: 'keep' | 'forget'): Promise<void> {
    // Without a timer nothing was asked since it was written last.
    const isNew = this.#keeping !== null;
    if (this.#keeping !== null) clearTimeout(this.#keeping);
    if (what === 'keep' && isNew) this.#keep();
    await this.#kept;
  }

  #keep(): void {
    this.#keeping = null;
    this.#kept = this.#kept
      .then(() => keep(this.#path, packState(this.#state, performance.now())))
      .catch((error: unknown) => {
        this.#logger.debug('What was found out about accounts could not be kept', { error });
      });
  }
}
