/** The clients with tokens of their own, as a running server knows them. */

import type { Logger } from '../../base/logger.ts';
import { watchPath } from '../../disk/path-watch.ts';
import {
  type ClientToken,
  clientOf,
  clientTokensPath,
  readClientTokens,
} from '../../secrets/client-tokens.ts';
import { ClientUsesWriter } from '../composition/home/client-uses.ts';

export class NamedClients {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #uses: ClientUsesWriter;
  readonly #stop: () => void;
  #clients: readonly ClientToken[] = [];
  #reading: Promise<void> = Promise.resolve();
  #lastProblem = '';

  private constructor(home: string, logger: Logger) {
    this.#path = clientTokensPath(home);
    this.#logger = logger;
    this.#uses = new ClientUsesWriter(home, (error) => {
      logger.debug('the last use of a client was not written down', { error });
    });
    this.#stop = watchPath(this.#path, () => this.#wake());
  }

  /** Follows the file: who is added or removed is known within a moment. */
  static async follow(home: string, logger: Logger): Promise<NamedClients> {
    const clients = new NamedClients(home, logger);
    clients.#wake();
    await clients.#reading;
    return clients;
  }

  /** Whose token it is; null for nobody's. */
  find(token: string): string | null {
    const name = this.#clients.length === 0 ? null : clientOf(this.#clients, token);
    if (name !== null) this.#uses.note(name);
    return name;
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#uses.close();
  }

  #wake(): void {
    this.#reading = this.#reading.then(() => this.#read());
  }

  /** A list that cannot be read lets nobody in: it may have been to take a token back. */
  async #read(): Promise<void> {
    try {
      this.#clients = await readClientTokens(this.#path);
      this.#lastProblem = '';
    } catch (error) {
      this.#clients = [];
      const reason = error instanceof Error ? error.message : 'it cannot be read';
      if (reason !== this.#lastProblem) {
        this.#logger.error('No client but the owner is let in', { reason });
      }
      this.#lastProblem = reason;
    }
  }
}
