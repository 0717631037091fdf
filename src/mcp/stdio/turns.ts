/**
 * Work in turns: the first call of a burst is on its way to the upstream before the last one is
 * looked at.
 */

const TASKS_PER_TURN = 8;

export class Turns {
  #tasks: Array<() => void> = [];
  /** A turn has been taken, and everything else has its turn now. */
  #isHeld = false;

  add(task: () => void): void {
    this.#tasks.push(task);
    if (!this.#isHeld) this.#take();
  }

  clear(): void {
    this.#tasks = [];
  }

  #take(): void {
    this.#isHeld = true;
    for (const task of this.#tasks.splice(0, TASKS_PER_TURN)) task();
    setImmediate(() => {
      this.#isHeld = false;
      if (this.#tasks.length > 0) this.#take();
    });
  }
}
