/** The state of all processes, while this one coordinates; and what outlives it, in a file. */

import type { Logger } from '../../base/logger.ts';
import {
  emptyState,
  exchange,
  forget,
  packState,
  type SharedState,
  unpackState,
} from '../coordination.ts';
import type { Answer, Exchange } from '../protocol.ts';
import { keep, readKept } from './state-file.ts';

/** What a kill costs of what was found out. */
const KEEP_EVERY_MS = 15_000;

export class Coordinator {
  readonly #path: string;
  readonly #logger: Logger;
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
    const now = performance.now();
    const known = kept === null ? null : unpackState(kept.state, now, kept.ageMs);
    return new Coordinator(path, logger, known ?? emptyState());
  }

  exchange(member: string, request: Exchange): Answer {
    const { state, answer } = exchange(this.#state, member, request, performance.now());
    this.#state = state;
    this.#keeping ??= setTimeout(() => this.#keep(), KEEP_EVERY_MS).unref();
    return answer;
  }

  forget(member: string): void {
    this.#state = forget(this.#state, member, performance.now());
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
