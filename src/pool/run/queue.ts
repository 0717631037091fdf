/**
 * The waiting calls of one model: first come first served, calls that already had a turn first,
 * interactive calls before batch work, sessions taking turns.
 */

import type { Priority } from '../lease.ts';

export interface Queued {
  /** Order of arrival. */
  readonly id: number;
  readonly session: string;
  readonly priority: Priority;
  /** Not before this instant: a back-off. */
  readonly notBefore: number;
}

/** First in, first out within a session; sessions take turns. */
class Turns<T extends Queued> {
  readonly #sessions = new Map<string, T[]>();

  add(entry: T): void {
    const line = this.#sessions.get(entry.session);
    if (line === undefined) this.#sessions.set(entry.session, [entry]);
    else line.push(entry);
  }

  peek(): T | undefined {
    for (const line of this.#sessions.values()) return line[0];
    return undefined;
  }

  remove(entry: T): boolean {
    const line = this.#sessions.get(entry.session);
    const at = line?.indexOf(entry) ?? -1;
    if (line === undefined || at < 0) return false;
    line.splice(at, 1);
    // A session that had its turn goes to the end.
    this.#sessions.delete(entry.session);
    if (line.length > 0) this.#sessions.set(entry.session, line);
    return true;
  }

  has(entry: T): boolean {
    return this.#sessions.get(entry.session)?.includes(entry) ?? false;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const line of this.#sessions.values()) yield* line;
  }
}

export class WaitQueue<T extends Queued> {
  /** Calls that had a turn already, in order of arrival. */
  readonly #again: T[] = [];
  readonly #fresh: Readonly<Record<Priority, Turns<T>>> = {
    interactive: new Turns(),
    batch: new Turns(),
  };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(entry: T): void {
    this.#fresh[entry.priority].add(entry);
    this.#size += 1;
  }

  /** Back to the head: a fail-over does not lose its place. */
  addAgain(entry: T): void {
    let at = this.#again.length;
    for (; at > 0; at--) {
      const before = this.#again[at - 1];
      if (before === undefined || before.id < entry.id) break;
    }
    this.#again.splice(at, 0, entry);
    this.#size += 1;
  }

  remove(entry: T): boolean {
    const at = this.#again.indexOf(entry);
    if (at >= 0) this.#again.splice(at, 1);
    const removed = at >= 0 || this.#fresh[entry.priority].remove(entry);
    if (removed) this.#size -= 1;
    return removed;
  }

  has(entry: T): boolean {
    return this.#again.includes(entry) || this.#fresh[entry.priority].has(entry);
  }

  /**
   * Calls that may go next, best first: those with a turn behind them, then the head of each
   * class. The keys that the first kind already tried differ, so one may pass another.
   *
   * @param freshFirst for the trial of a provider that is down: a call that failed before may be
   *   what breaks the upstream
   */
  *candidates(now: number, freshFirst = false): IterableIterator<T> {
    const again = this.#again.filter((entry) => entry.notBefore <= now);
    if (freshFirst) yield* this.#heads();
    yield* again;
    if (!freshFirst) yield* this.#heads();
  }

  *#heads(): IterableIterator<T> {
    const interactive = this.#fresh.interactive.peek();
    if (interactive !== undefined) yield interactive;
    const batch = this.#fresh.batch.peek();
    if (batch !== undefined) yield batch;
  }

  /** The earliest end of a back-off. */
  nextBackOff(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#again) {
      if (entry.notBefore > now) next = Math.min(next, entry.notBefore);
    }
    return next;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    yield* this.#again;
    yield* this.#fresh.interactive;
    yield* this.#fresh.batch;
  }
}
