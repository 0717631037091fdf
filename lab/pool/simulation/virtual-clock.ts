/**
 * A virtual clock for everything in this process that uses the global timers.
 *
 * Time jumps to the next timer once nothing else is left to do, so ten minutes of traffic take a
 * second and every run with one seed is the same.
 */

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

const realSetImmediate = setImmediate;
const realClearImmediate = clearImmediate;
const realSetTimeout = globalThis.setTimeout;
const realClearTimeout = globalThis.clearTimeout;

/** Turns of the event loop that the code under test waits for: no time passes before them. */
const turns = new Set<NodeJS.Immediate>();

/** Lets all promises that can settle do so. */
async function drain(): Promise<void> {
  do await new Promise((resolve) => realSetImmediate(resolve));
  while (turns.size > 0);
}

function takeTurn(run: (...args: unknown[]) => void, ...args: unknown[]): NodeJS.Immediate {
  const turn = realSetImmediate(() => {
    turns.delete(turn);
    run(...args);
  });
  turns.add(turn);
  return turn;
}

function leaveTurn(turn: NodeJS.Immediate | undefined): void {
  if (turn !== undefined) turns.delete(turn);
  realClearImmediate(turn);
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** A binary heap: the next entry first. */
class Heap {
  readonly #entries: Entry[] = [];

  get size(): number {
    return this.#entries.length;
  }

  peek(): Entry | undefined {
    return this.#entries[0];
  }

  push(entry: Entry): void {
    const entries = this.#entries;
    let at = entries.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = entries[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      entries[at] = above;
      at = parent;
    }
    entries[at] = entry;
  }

  pop(): Entry | undefined {
    const [first] = this.#entries;
    const last = this.#entries.pop();
    if (last !== undefined && this.#entries.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: Entry): void {
    const entries = this.#entries;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = entries[child];
      if (left === undefined) break;
      const right = entries[child + 1];
      let best = left;
      if (right !== undefined && isBefore(right, left)) {
        best = right;
        child += 1;
      }
      if (!isBefore(best, entry)) break;
      entries[at] = best;
      at = child;
    }
    entries[at] = entry;
  }
}

/** What the code under test sees as a timer. */
class VirtualTimer {
  readonly entry: Entry;
  constructor(entry: Entry) {
    this.entry = entry;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
}

export class VirtualClock {
  #now = 0;
  #order = 0;
  readonly #heap = new Heap();

  get now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        entry.cancelled = true;
        reject(signal?.reason);
      };
      const entry = this.#add(ms, () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      });
      if (signal?.aborted) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    });
  }

  /** Runs `work` on virtual time until its promise settles. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#install();
    try {
      let isDone = false;
      const finish = (): void => {
        isDone = true;
      };
      const promise = work();
      promise.then(finish, finish);
      await drain();
      while (!isDone) {
        if (!this.#advance()) throw new Error('nothing left to happen, and the work is not done');
        await drain();
      }
      return await promise;
    } finally {
      Object.assign(globalThis, {
        setTimeout: realSetTimeout,
        clearTimeout: realClearTimeout,
        setImmediate: realSetImmediate,
        clearImmediate: realClearImmediate,
      });
    }
  }

  #add(ms: number, run: () => void): Entry {
    this.#order += 1;
    const entry = {
      at: this.#now + Math.max(0, ms),
      order: this.#order,
      run,
      cancelled: false,
    };
    this.#heap.push(entry);
    return entry;
  }

  #install(): void {
    Object.assign(globalThis, {
      setImmediate: takeTurn,
      clearImmediate: leaveTurn,
      setTimeout: (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): VirtualTimer =>
        new VirtualTimer(this.#add(ms, () => run(...args))),
      clearTimeout: (timer: unknown): void => {
        if (timer instanceof VirtualTimer) timer.entry.cancelled = true;
      },
    });
  }

  /** Goes to the next instant and runs all that falls on it. */
  #advance(): boolean {
    let next = this.#heap.pop();
    while (next?.cancelled) next = this.#heap.pop();
    if (next === undefined) return false;
    this.#now = next.at;
    next.run();
    for (let same = this.#heap.peek(); same?.at === this.#now; same = this.#heap.peek()) {
      this.#heap.pop();
      if (!same.cancelled) same.run();
    }
    return true;
  }
}
