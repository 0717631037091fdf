/** Brings an attempt's events to the writer of the records, and does what that asks for. */

import { type Failure, isAbort, UpstreamError } from '../../../base/errors.ts';
import { type AttemptResult, AttemptStopped, type ToldRate } from '../../lease.ts';
import type { Outcome } from '../../observer.ts';
import { release } from '../../records/attempt-record.ts';
import { type CourseEvent, write } from '../../records/course/course.ts';
import type { Failed, Verdict } from '../../records/course/failing.ts';
import type { Effect, Scene } from '../../records/effect.ts';
import type { Kinship } from '../../records/kinship/kinship.ts';
import { FAULT_OF } from '../../rules/attribution.ts';
import { nextAttemptMs } from '../../rules/next-step.ts';
import { wereServedSince } from '../../rules/outage.ts';
import { isRateLimited } from '../../rules/rate.ts';
import { isSignOverdue, MAX_BILLED_SENDS } from '../../rules/timing.ts';
import type { Attempt, Settled } from '../attempts/attempt.ts';
import { isInRotation, isOutpaced } from '../attempts/selector.ts';
import { deadlineSpent, keySilent } from '../keys/exhausted.ts';
import type { Roster } from '../keys/roster.ts';
import type { Telling } from '../neighbours/telling.ts';
import type { Revival } from './revival.ts';

/** What the call does next. */
export type Next =
  /** Ended: the error goes to the caller. */
  | { readonly kind: 'fail'; readonly error: unknown }
  /** Another attempt as soon as a key is free; a back-off may come first. */
  | { readonly kind: 'again'; readonly afterMs: number };

/** Whoever brings something for so long works. */
const ALIVE_MS = 1_000;

const AGAIN: Next = { kind: 'again', afterMs: 0 };

export class Reporter {
  readonly #roster: Roster;
  readonly #revival: Revival;
  readonly #kinship: Kinship;
  /** To other processes, where there may be some. */
  telling: Telling | null = null;

  constructor(roster: Roster, revival: Revival, kinship: Kinship) {
    this.#roster = roster;
    this.#revival = revival;
    this.#kinship = kinship;
  }

  accepted(attempt: Attempt): void {
    if (!attempt.record.isReleased) this.#kinship.taken(attempt.visit());
    this.#write(attempt, { kind: 'accepted' });
  }

  /** Presumed to be taken, unless its key falls behind the others, or others were told by now. */
  survived(attempt: Attempt): void {
    const now = this.#roster.now();
    const { provider } = this.#roster;
    if (isOutpaced(attempt.slot, provider, now)) return;
    const { sentAt, isProviderTrial } = attempt.record;
    if (!isProviderTrial && isSignOverdue(provider.pace, now - sentAt)) return;
    if (!attempt.record.isReleased && !attempt.record.stay.isAccepted) {
      this.#kinship.taken(attempt.visit());
    }
    this.#write(attempt, { kind: 'survived' });
  }

  told(attempt: Attempt, told: ToldRate): void {
    const { lane } = attempt.visit();
    const { rate } = lane;
    this.#write(attempt, { kind: 'told', told });
    if (lane.rate !== rate) this.telling?.told(attempt, told);
  }

  firstByte(attempt: Attempt): void {
    this.accepted(attempt);
    this.#write(attempt, { kind: 'first-byte' });
  }

  /** In any case, whatever was thrown on the way. */
  left(attempt: Attempt): void {
    const visit = attempt.visit();
    release(visit, attempt.record, this.#roster.now(), 'ended');
    this.#kinship.left(visit);
  }

  served<T>(attempt: Attempt, { promptTokens, completionTokens }: AttemptResult<T>): Outcome {
    if (!attempt.record.hasFirstByte) this.firstByte(attempt);
    const tokens = { promptTokens: promptTokens ?? 0, completionTokens: completionTokens ?? 0 };
    return this.#write(attempt, { kind: 'served', ...tokens }).outcome;
  }

  failed(
    attempt: Attempt,
    { error }: Settled<unknown> & { readonly ok: false },
  ): { readonly outcome: Outcome; readonly next: Next } {
    const told = this.#explain(attempt, error);
    const failed = failedBy(attempt, told);
    const verdict = this.#write(attempt, { kind: 'failed', failed });
    if (failed.kind === 'failure') {
      this.telling?.failed(attempt, failed.failure, verdict.outcome);
    }
    if (failed.kind === 'failure' && FAULT_OF[failed.failure.kind] === 'limit') {
      attempt.call.refusals += 1;
      // Afterwards: what is found to be part of a busy account has no need of a pause of its own.
      if (!isRateLimited(this.#roster.provider.provider)) {
        this.#kinship.refused(attempt.visit(), failed.failure);
      }
    }
    return { outcome: verdict.outcome, next: this.#next(attempt, failed, verdict, told) };
  }

  /** The error in our words, where the attempt's client left it at the abort. */
  #explain(attempt: Attempt, error: unknown): unknown {
    const { stopped, recalledFor } = attempt;
    const { provider } = this.#roster.provider;
    const { name } = attempt.slot.record;
    const isBare = error instanceof AttemptStopped || isAbort(error);
    const isSilence = recalledFor === 'silent' || (stopped === 'idle' && isBare);
    if (isSilence) return keySilent(provider, name, this.#roster.now() - attempt.record.sentAt);
    const isSpent = stopped === 'deadline' && !(error instanceof UpstreamError);
    return isSpent ? deadlineSpent(provider, attempt.call.request.timeoutMs) : error;
  }

  #next(attempt: Attempt, failed: Failed, { next }: Verdict, error: unknown): Next {
    const { call, slot } = attempt;
    const end: Next = { kind: 'fail', error };
    if (error instanceof UpstreamError && failed.kind === 'failure') call.lastError = error;
    const isBilled = failed.kind === 'failure' && failed.failure.mayBeBilled;
    // What was recalled for being slow, or drew no answer, has generated something all the same.
    if (isBilled || failed.kind === 'slow' || next === 'redraw') call.billed += 1;
    if (next === 'end') return end;
    const isLimit = failed.kind === 'failure' && FAULT_OF[failed.failure.kind] === 'limit';
    if (!isLimit) call.tried.add(slot.record.name);
    if (next === 'redraw') return call.billed >= MAX_BILLED_SENDS ? end : AGAIN;
    const isBroken = failed.kind === 'failure' && FAULT_OF[failed.failure.kind] === 'upstream';
    if (isLimit) return { kind: 'again', afterMs: this.#roster.timing().burstMs };
    return isBroken ? this.#retry(attempt, failed.failure, next, end) : AGAIN;
  }

  #retry(attempt: Attempt, failure: Failure, next: Verdict['next'], end: Next): Next {
    const { call } = attempt;
    const { sentAt } = attempt.record;
    const { provider } = this.#roster;
    const now = this.#roster.now();
    call.faults += 1;
    call.failingSince ??= sentAt;
    if (failure.mayBeBilled) call.billedSince ??= sentAt;
    const afterMs = nextAttemptMs({
      kind: failure.kind,
      faults: call.faults,
      billed: call.billed,
      hasUntried: this.#hasUntried(call.tried),
      isKeys: next === 'retry-elsewhere',
      isDown: next === 'again',
      hasServed: provider.served,
      isAlive: wereServedSince(provider, sentAt, call.id) || this.#showedLife(attempt, failure),
      failingMs: now - call.failingSince,
      billedMs: now - (call.billedSince ?? now),
      leftMs: call.deadlineAt - now,
      chance: this.#roster.random(),
    });
    return afterMs === null ? end : { kind: 'again', afterMs };
  }

  /** It had begun to bring something, and that ended in any other way than by an early reset. */
  #showedLife({ record: { hasFirstByte, sentAt } }: Attempt, { kind }: Failure): boolean {
    return hasFirstByte && (kind !== 'connection_lost' || this.#roster.now() - sentAt > ALIVE_MS);
  }

  #hasUntried(tried: ReadonlySet<string>): boolean {
    const now = this.#roster.now();
    return this.#roster.slots.some(
      (slot) => !tried.has(slot.record.name) && isInRotation(slot, null, now),
    );
  }

  #write(attempt: Attempt, event: CourseEvent): Verdict {
    const { record } = attempt.slot;
    const wasProven = record.proven;
    const verdict = write(event, this.#sceneOf(attempt));
    if (record.proven && !wasProven) this.telling?.works(attempt.slot);
    for (const effect of verdict.effects) this.#carryOut(effect, attempt);
    return verdict;
  }

  #sceneOf(attempt: Attempt): Scene {
    const roster = this.#roster;
    const now = roster.now();
    return {
      ...attempt.visit(),
      now,
      timing: roster.timing(),
      chance: roster.random(),
      isStopped: attempt.stopped !== null,
      keyGate: attempt.slot.breaker.state,
      providerGate: roster.breaker.state,
      usable: () => roster.slots.filter((slot) => isInRotation(slot, null, now)).length,
      keys: () => roster.slots.map(({ record }) => record),
      capacity: () => capacityOf(roster),
    };
  }

  #carryOut(effect: Effect, { slot }: Attempt): void {
    const { breaker } = this.#roster;
    this.telling?.effect(effect, slot);
    switch (effect.kind) {
      case 'open-key':
        slot.breaker.trip(effect.forMs ?? undefined);
        if (effect.forMs === null) this.#revival.schedule();
        return;
      case 'close-key':
        slot.breaker.heal();
        return;
      case 'pass-key-trial':
        slot.breaker.passTrialOn();
        return;
      case 'open-provider':
        breaker.trip(effect.forMs);
        return;
      case 'close-provider':
        breaker.heal();
        return;
      case 'pass-provider-trial':
        breaker.passTrialOn();
        return;
      case 'open-account':
        this.#revival.openAccount(slot.account);
        return;
      case 'readmit-account':
        this.#revival.readmitted(slot);
        return;
      case 'wake':
        this.#roster.onChange();
        return;
    }
  }
}

function failedBy({ stopped, recalledFor }: Attempt, error: unknown): Failed {
  if (recalledFor === 'slow') return { kind: 'slow' };
  const failure = error instanceof UpstreamError ? error.failure : null;
  if (stopped === 'cancelled') return { kind: 'cancelled', failure };
  if (failure === null) return { kind: 'bug' };
  return { kind: 'failure', failure, isRecalled: recalledFor === 'silent' };
}

function capacityOf({ accounts }: Roster): number {
  const lanes = accounts.flatMap((account) => [...account.lanes.values()]);
  return lanes.reduce((sum, lane) => sum + lane.limit.limit, 0);
}
