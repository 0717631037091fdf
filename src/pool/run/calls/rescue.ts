/**
 * Takes calls from a key that would keep them waiting although others would serve them sooner.
 *
 * An idle time-out must be long, for a loaded upstream holds connections for minutes. But when
 * calls that were sent later had their first byte long since, waiting for the time-out of this one
 * helps nobody, whether its key is silent as a whole or lost this one request. And the last calls of a burst on a key five times
 * slower than an idle neighbour would decide the end of the whole burst. Once per call, and never
 * after something of it may have been billed before.
 */

import { PatientTimer } from '../../../base/system/patient-timer.ts';
import { predictMs } from '../../rules/score.ts';
import { silenceOf } from '../../rules/timing.ts';
import type { Attempt } from '../attempts/attempt.ts';
import { isMuchSlower, momentOf, pickFor } from '../attempts/selector.ts';
import type { Roster } from '../keys/roster.ts';

/** First bytes of calls sent later, that make silence telling. */
const LATER_ANSWERS = 3;

export class Rescue {
  readonly #roster: Roster;
  /** Calls that wait, for which a free key is meant first. */
  readonly #waiting: () => number;
  #isDisposed = false;

  constructor(roster: Roster, waiting: () => number) {
    this.#roster = roster;
    this.#waiting = waiting;
  }

  watch(attempt: Attempt): void {
    if (attempt.call.billed === 0) this.#arm(attempt);
  }

  forget(attempt: Attempt): void {
    attempt.lookTimer?.clear();
  }

  dispose(): void {
    this.#isDisposed = true;
  }

  #arm(attempt: Attempt): void {
    const { rescueMs } = this.#roster.timing();
    attempt.lookTimer = new PatientTimer(rescueMs, () => this.#look(attempt)).unref();
  }

  #look(attempt: Attempt): void {
    if (this.#isDisposed || attempt.stopped !== null) return;
    const cause = this.#isSilent(attempt) ? 'silent' : this.#isSlow(attempt) ? 'slow' : null;
    if (cause === null) {
      this.#arm(attempt);
      return;
    }
    attempt.recall(cause);
  }

  #isSilent(attempt: Attempt): boolean {
    if (attempt.record.hasFirstByte) return false;
    const { provider } = this.#roster;
    const { slot } = attempt;
    const { sentAt, speedClass, isKeyTrial, isProviderTrial } = attempt.record;
    const now = this.#roster.now();
    const patienceMs = silenceOf(slot.record.firstByteMs ?? 0, this.#roster.timing());
    if (now - sentAt < patienceMs) return false;
    // The one trial of a provider that is down has to end, or the queue is held for ever.
    if (isProviderTrial) return true;
    // A quick kind of call says nothing about one that thinks before its first word.
    const answered = provider.evidence.filter(
      (each) => each.ok && each.at > sentAt && each.speedClass === speedClass,
    );
    const usualMs = Math.max(0, ...answered.map((each) => each.at - each.sentAt));
    if (now - sentAt < silenceOf(usualMs, this.#roster.timing())) return false;
    const later = answered.filter((each) => each.sentAt > sentAt);
    const isPlain = later.length >= LATER_ANSWERS && slot.record.answeredSentAt <= sentAt;
    if (isPlain) return now - slot.record.lastFirstByteAt >= patienceMs;
    // The key answers others: this one request got lost. Or few calls are left to compare with,
    // as at the end of a burst.
    const isLost = later.length >= LATER_ANSWERS;
    const isLast = answered.length > 0 && (isKeyTrial || this.#waiting() === 0);
    return isLost || isLast;
  }

  /** Nobody waits, a much faster key is idle, and this one is slow by its own measure. */
  #isSlow(attempt: Attempt): boolean {
    const { provider, slots, ceiling } = this.#roster;
    const now = this.#roster.now();
    const timing = this.#roster.timing();
    const { sentAt, speedClass } = attempt.record;
    const usualMs = predictMs(provider.speed.get(speedClass));
    if (usualMs === null || now - sentAt < usualMs || this.#waiting() > 0) return false;
    const moment = momentOf(slots, provider, ceiling, now, timing);
    if (!isMuchSlower(attempt.slot, moment)) return false;
    const pick = pickFor(attempt.call, moment, 1);
    return pick !== null && pick.slot !== attempt.slot && !isMuchSlower(pick.slot, moment);
  }
}
