/**
 * Counts what is refused for its token and slows down who goes on: a token cannot be guessed in
 * numbers. Only refusals wait; whoever shows a right token is served at once, from wherever.
 */

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Logger } from '../../base/logger.ts';

export interface RefusalsOptions {
  readonly logger: Logger;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** So many different tokens are typing errors; whoever shows more of them is guessing. */
const FREE = 24;
/** A client that was set up wrong shows one again and again: so many times count as one guess. */
const REPEATS = 32;
/** More need not be told apart. */
const MOST_GUESSES = 64;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;
/** Waiting answers take up connections: of one source no more than this. */
const MOST_WAITING = 8;
/** Quiet for so long, a source begins anew. */
const FORGET_MS = 10 * 60_000;
const MOST_SOURCES = 1_000;

interface Source {
  count: number;
  /** Hashes of the tokens that were shown. */
  readonly guesses: Set<string>;
  isAnnounced: boolean;
  waiting: number;
  seenAt: number;
}

/** null: refuse at once, and say that it is too much. */
export type Pause = number | null;

export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #now: () => number;
  /** The one that was seen last comes last. */
  readonly #sources = new Map<string, Source>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Milliseconds that this refusal waits; where it does, `end` follows. */
  begin(request: IncomingMessage): Pause {
    const source = this.#sourceOf(request);
    source.count++;
    if (source.guesses.size < MOST_GUESSES) source.guesses.add(guessIn(request));
    const over = source.guesses.size + Math.floor(source.count / REPEATS) - FREE;
    if (over <= 0) return 0;
    if (!source.isAnnounced) {
      source.isAnnounced = true;
      const details = { source: addressOf(request) };
      this.#options.logger.warn('Wrong tokens keep coming; they are slowed down', details);
    }
    if (source.waiting >= MOST_WAITING) return null;
    source.waiting++;
    return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(over - 1, 10));
  }

  end(request: IncomingMessage): void {
    const source = this.#sources.get(addressOf(request));
    if (source !== undefined) source.waiting = Math.max(0, source.waiting - 1);
  }

  #sourceOf(request: IncomingMessage): Source {
    const address = addressOf(request);
    const now = this.#now();
    const known = this.#sources.get(address);
    const isFresh = known !== undefined && now - known.seenAt < FORGET_MS;
    const source = isFresh
      ? known
      : {
          count: 0,
          guesses: new Set<string>(),
          isAnnounced: false,
          waiting: known?.waiting ?? 0,
          seenAt: now,
        };
    source.seenAt = now;
    this.#sources.delete(address);
    this.#sources.set(address, source);
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > MOST_SOURCES && oldest !== undefined) this.#sources.delete(oldest);
    return source;
  }
}

function guessIn(request: IncomingMessage): string {
  const shown = request.headers.authorization ?? '';
  return createHash('sha256').update(shown).digest('base64url').slice(0, 12);
}

/** Of IPv6 the network: one machine has as many addresses there as it likes. */
function addressOf(request: IncomingMessage): string {
  const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  return address.includes(':') ? address.split(':', 4).join(':') : address;
}
