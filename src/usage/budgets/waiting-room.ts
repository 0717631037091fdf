/** Where calls wait until it is their turn, which is looked for again and again. */

/** Calls of other processes end unseen: they are looked for this often while somebody waits. */
const LOOK_MS = 25;

export class WaitingRoom {
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * Resolves when it is the call's turn, which may be at once.
   *
   * @param isDue may throw: then the turn will not come
   * @throws what `isDue` throws, or the signal's reason
   */
  until(isDue: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(check);
        signal.removeEventListener('abort', check);
      };
      const check = (): void => {
        try {
          signal.throwIfAborted();
          if (!isDue()) return;
          leave();
          resolve();
        } catch (error) {
          leave();
          reject(error);
        }
      };
      this.#waiting.add(check);
      signal.addEventListener('abort', check);
      check();
      this.#lookAgain();
    });
  }

  /** Something has changed: whose turn is it now? */
  look(): void {
    for (const check of [...this.#waiting]) check();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #lookAgain(): void {
    if (this.#timer !== undefined || this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.look();
      this.#lookAgain();
    }, LOOK_MS);
  }
}
