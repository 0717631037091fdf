/**
 * The waiting calls of one model: first come first served, calls that already had a turn first,
 * interactive calls before batch work, sessions taking turns.
 */

import type { Priority } from '../../lease.ts';

export interface Queued {
  /** Order of arrival. */
  readonly id: number;
  readonly session: string;
  readonly priority: Priority;
  /** In the queue since. */
  readonly since: number;
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

  /** Its turn: its session goes to the end. */
  take(entry: T): boolean {
    if (!this.drop(entry)) return false;
    const line = this.#sessions.get(entry.session);
    if (line === undefined) return true;
    this.#sessions.delete(entry.session);
    this.#sessions.set(entry.session, line);
    return true;
  }

  /** It went away, and its session keeps its place. */
  drop(entry: T): boolean {
    const line = this.#sessions.get(entry.session);
    const at = line?.indexOf(entry) ?? -1;
    if (line === undefined || at < 0) return false;
    line.splice(at, 1);
    if (line.length === 0) this.#sessions.delete(entry.session);
    return true;
  }

  has(entry: T): boolean {
    return this.#sessions.get(entry.session)?.includes(entry) ?? false;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const line of this.#sessions.values()) yield* line;
  }
}

/** In this order. */
const PRIORITIES = ['interactive', 'batch'] as const satisfies readonly Priority[];

export class WaitQueue<T extends Queued> {
  /** Calls that had a turn already, in order of arrival. */
  readonly #again: T[] = [];
  readonly #fresh: Readonly<Record<Priority, Turns<T>>> = {
    interactive: new Turns(),
    batch: new Turns(),
  };
  readonly #sizes: Record<Priority, number> = { interactive: 0, batch: 0 };

  get size(): number {
    return this.#sizes.interactive + this.#sizes.batch;
  }

  sizeOf(priority: Priority): number {
    return this.#sizes[priority];
  }

  /** Of these, the ones that had a turn already. */
  get returned(): number {
    return this.#again.length;
  }

  add(entry: T): void {
    this.#fresh[entry.priority].add(entry);
    this.#sizes[entry.priority] += 1;
  }

  /** Back to the head: a fail-over does not lose its place. */
  addAgain(entry: T): void {
    let at = this.#again.length;
    for (; at > 0; at--) {
      const before = this.#again[at - 1];
      if (before === undefined || before.id < entry.id) break;
    }
    this.#again.splice(at, 0, entry);
    this.#sizes[entry.priority] += 1;
  }

  /** It has its turn. */
  take(entry: T): boolean {
    return this.#counted(entry, this.#leave(entry) || this.#fresh[entry.priority].take(entry));
  }

  /** It was cancelled, or can not be served: nobody's turn. */
  drop(entry: T): boolean {
    return this.#counted(entry, this.#leave(entry) || this.#fresh[entry.priority].drop(entry));
  }

  has(entry: T): boolean {
    return this.#again.includes(entry) || this.#fresh[entry.priority].has(entry);
  }

  /**
   * Calls that may go next, best first, interactive ones before batch work: those with a turn behind
   * them, then the head of the class. The keys that they already tried differ, so one may pass another.
   *
   * @param freshFirst for the trial of a provider that is down: a call that failed before may be
   *   what breaks the upstream
   * @param healedAt when the provider came back: nobody backs off any longer for what was before
   */
  *candidates(
    now: number,
    freshFirst = false,
    healedAt = Number.NEGATIVE_INFINITY,
  ): IterableIterator<T> {
    const again = this.#again.filter((entry) => entry.notBefore <= now || entry.since < healedAt);
    if (freshFirst) yield* this.#heads(PRIORITIES);
    for (const priority of PRIORITIES) {
      yield* again.filter((entry) => entry.priority === priority);
      if (!freshFirst) yield* this.#heads([priority]);
    }
  }

  #leave(entry: T): boolean {
    const at = this.#again.indexOf(entry);
    if (at >= 0) this.#again.splice(at, 1);
    return at >= 0;
  }

  #counted(entry: T, isGone: boolean): boolean {
    if (isGone) this.#sizes[entry.priority] -= 1;
    return isGone;
  }

  *#heads(priorities: readonly Priority[]): IterableIterator<T> {
    for (const priority of priorities) {
      const head = this.#fresh[priority].peek();
      if (head !== undefined) yield head;
    }
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
