/**
 * Takes calls from a key that says nothing while the others answer.
 *
 * An idle time-out must be long, for a loaded upstream holds connections for minutes. But when
 * three calls that were sent later had their first byte elsewhere, and this key gave none to
 * anybody since, waiting for its time-out helps nobody. Once per call; after the first byte never.
 */

import type { Attempt } from './attempt.ts';
import type { Roster } from './roster.ts';

const LATER_ANSWERS = 3;
/** How long the first answers of others may be overlooked. */
const LOOK_AGAIN_MS = 250;

export class SilenceWatch {
  readonly #roster: Roster;
  readonly #timers = new Map<Attempt, NodeJS.Timeout>();

  constructor(roster: Roster) {
    this.#roster = roster;
  }

  watch(attempt: Attempt): void {
    const isAlone = this.#roster.slots.length < 2 && !attempt.providerTrial;
    if (isAlone || attempt.call.silenced) return;
    this.#arm(attempt);
  }

  forget(attempt: Attempt): void {
    clearTimeout(this.#timers.get(attempt));
    this.#timers.delete(attempt);
  }

  dispose(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #arm(attempt: Attempt): void {
    const delay = Math.min(this.#roster.timing().silentMs, LOOK_AGAIN_MS);
    const timer = setTimeout(() => this.#look(attempt), delay);
    timer.unref();
    this.#timers.set(attempt, timer);
  }

  #look(attempt: Attempt): void {
    this.#timers.delete(attempt);
    if (attempt.firstByteAt !== null || attempt.aborted) return;
    if (!this.#isSilent(attempt)) {
      this.#arm(attempt);
      return;
    }
    attempt.silenced = true;
    attempt.call.silenced = true;
    attempt.abort(new DOMException('the key is silent', 'AbortError'));
  }

  #isSilent(attempt: Attempt): boolean {
    const { provider } = this.#roster;
    const { slot, sentAt } = attempt;
    if (this.#roster.now() - sentAt < this.#roster.timing().silentMs) return false;
    // The one trial of a provider that is down has to end, or the queue is held for ever.
    if (attempt.providerTrial) return true;
    if (slot.lastFirstByteAt >= sentAt) return false;
    const later = provider.evidence.filter(
      (each) => each.ok && each.sentAt > sentAt && each.key !== slot.record.name,
    );
    return later.length >= LATER_ANSWERS;
  }
}
