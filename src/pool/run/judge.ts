/** Writes an attempt's course into the records, moves the breakers, and says what the call does. */

import {
  type Failure,
  type FailureKind,
  PROVIDER_NAMES,
  UpstreamError,
} from '../../base/errors.ts';
import type { AttemptResult } from '../lease.ts';
import type { Outcome } from '../observer.ts';
import * as ledger from '../records/ledger.ts';
import { spendBudget } from '../records/state.ts';
import {
  FAULT_OF,
  type Fault,
  OUTCOME_OF,
  reasonFor,
  speaksOfOutage,
} from '../rules/attribution.ts';
import { isFailing, isOutage, othersAreFine, outagePauseMs } from '../rules/outage.ts';
import { namedBy } from '../rules/same-account.ts';
import {
  clamp,
  doubled,
  FORBIDDEN_MS,
  jittered,
  MAX_BILLED_SENDS,
  MAX_FAULT_RETRIES,
  OPEN_MAX_MS,
  paceAfterAnswer,
  paceAfterRefusal,
  TRIAL_COST,
} from '../rules/timing.ts';
import type { Attempt, Settled } from './attempt.ts';
import { deadlineSpent, keySilent } from './exhausted.ts';
import type { Kinship } from './kinship.ts';
import type { Revival } from './revival.ts';
import type { Roster } from './roster.ts';
import { isInRotation, isOutpaced } from './selector.ts';

/** What the call does next. */
export type Next =
  /** Ended: the error goes to the caller. */
  | { readonly kind: 'fail'; readonly error: unknown }
  /** Another attempt as soon as a key is free; a back-off may come first. */
  | { readonly kind: 'again'; readonly afterMs: number };

export interface Verdict {
  readonly outcome: Outcome;
  readonly next: Next;
}

/** Faults that the upstream finds before it does any work. */
const REFUSALS: ReadonlySet<Fault> = new Set<Fault>(['key', 'key_model', 'account', 'limit']);

const AGAIN: Next = { kind: 'again', afterMs: 0 };

/** Calls in flight at first when the provider is back. */
const RAMP_START = 4;
const RAMP_STEP = 2;

export class Judge {
  readonly #roster: Roster;
  readonly #revival: Revival;
  readonly #kinship: Kinship;

  constructor(roster: Roster, revival: Revival, kinship: Kinship) {
    this.#roster = roster;
    this.#revival = revival;
    this.#kinship = kinship;
  }

  /** Headers with status 200, or a byte. */
  accepted(attempt: Attempt): void {
    const now = this.#roster.now();
    const { provider } = this.#roster;
    const isNews = attempt.accept(now);
    if (!attempt.stay.isSeen) this.#kinship.taken(attempt, true);
    if (!isNews) return;
    ledger.noteAccepted(this.#entry(attempt));
    // A late sign says nothing about how fast refusals come.
    const answerMs = now - attempt.sentAt;
    if (answerMs < provider.pace.answerMs) provider.pace = paceAfterAnswer(provider.pace, answerMs);
    this.#rampUp(attempt);
    this.#roster.onChange();
  }

  /** Not refused for as long as refusals take: taken, unless its key falls behind the others. */
  survived(attempt: Attempt): void {
    const { provider } = this.#roster;
    const now = this.#roster.now();
    if (isOutpaced(attempt.slot, provider, now) || !attempt.accept(now)) return;
    ledger.noteSurvived(this.#entry(attempt));
    this.#kinship.taken(attempt, false);
    if (attempt.providerTrial) this.#providerIsBack();
    this.#rampUp(attempt);
    this.#roster.onChange();
  }

  /** The verdict of a trial falls here: waiting for the whole answer doubled the median in an
   * outage. */
  firstByte(attempt: Attempt): void {
    const now = this.#roster.now();
    const { slot } = attempt;
    attempt.firstByteAt = now;
    slot.lastFirstByteAt = now;
    slot.answeredSentAt = Math.max(slot.answeredSentAt, attempt.sentAt);
    slot.answered(attempt);
    ledger.noteFirstByte(this.#entry(attempt));
    const { provider } = this.#roster;
    if (attempt.providerTrial) this.#providerIsBack();
    if (attempt.sentAt >= provider.healedAt || attempt.providerTrial) provider.outageSince = null;
    if (attempt.keyTrial) {
      this.#revival.readmit(slot);
      slot.breaker.heal();
      slot.record.trips = Math.max(-1, slot.record.trips - 1);
    }
    this.#roster.onChange();
  }

  served<T>(attempt: Attempt, result: AttemptResult<T>): Outcome {
    attempt.markFirstByte();
    attempt.release(this.#roster.now(), false);
    ledger.noteServed(this.#entry(attempt), {
      prompt: result.promptTokens ?? 0,
      completion: result.completionTokens ?? 0,
    });
    return 'ok';
  }

  /** The verdict on an attempt that brought no result. */
  failed(attempt: Attempt, settled: Settled<unknown> & { readonly ok: false }): Verdict {
    const { call, slot } = attempt;
    const { provider } = this.#roster.provider;
    const { error } = settled;
    if (attempt.rescued === 'slow') return this.#tooSlow(attempt);
    if (attempt.rescued === 'silent') {
      const silence = this.#roster.now() - attempt.sentAt;
      return this.#judge(attempt, keySilent(provider, slot.record.name, silence));
    }
    if (call.end === 'cancelled') {
      // Cancelled or not: what was refused was refused.
      const failure = error instanceof UpstreamError ? error.failure : null;
      if (failure !== null && FAULT_OF[failure.kind] === 'limit') this.#limited(attempt, failure);
      return this.#neutral(attempt, 'cancelled', error);
    }
    if (error instanceof UpstreamError) return this.#judge(attempt, error);
    if (call.end === 'expired') {
      return this.#judge(attempt, deadlineSpent(provider, call.request.timeoutMs));
    }
    // Not ours and not the upstream's: a bug of the client. Nobody's score pays for it.
    return this.#neutral(attempt, 'caller_error', error);
  }

  /** No fault: an idle key is much faster, and the pool changed its mind. */
  #tooSlow(attempt: Attempt): Verdict {
    const { call, slot } = attempt;
    call.billed += 1;
    call.tried.add(slot.record.name);
    attempt.release(this.#roster.now(), false);
    ledger.noteCensored(this.#entry(attempt));
    this.#trialProvedNothing(attempt);
    return { outcome: 'key_error', next: AGAIN };
  }

  #entry(attempt: Attempt): ledger.Entry {
    return {
      provider: this.#roster.provider,
      account: attempt.slot.account,
      key: attempt.slot.record,
      lane: attempt.lane,
      stay: attempt.stay,
      call: attempt.call.id,
      speedClass: attempt.call.request.speedClass,
      sentAt: attempt.sentAt,
      now: this.#roster.now(),
    };
  }

  #neutral(attempt: Attempt, outcome: Outcome, error: unknown): Verdict {
    attempt.release(this.#roster.now(), false);
    this.#trialProvedNothing(attempt);
    return { outcome, next: { kind: 'fail', error } };
  }

  /** The token goes to the next call. */
  #trialProvedNothing(attempt: Attempt): void {
    if (attempt.firstByteAt !== null) return;
    if (attempt.keyTrial && attempt.slot.breaker.state === 'half-open') {
      attempt.slot.breaker.allowTrial();
    }
    const { breaker } = this.#roster;
    if (attempt.providerTrial && breaker.state === 'half-open') breaker.allowTrial();
  }

  #judge(attempt: Attempt, error: UpstreamError): Verdict {
    const { failure } = error;
    const fault = FAULT_OF[failure.kind];
    attempt.call.lastError = error;
    if (failure.mayBeBilled) attempt.call.billed += 1;
    if (failure.status !== null) this.#noteAnswer(attempt, REFUSALS.has(fault));
    switch (fault) {
      case 'limit':
        return this.#limited(attempt, failure);
      case 'upstream':
        return this.#broken(attempt, error);
      case 'key':
      case 'key_model':
      case 'account':
        return this.#refusedKey(attempt, failure.kind, fault);
      case 'deadline':
        ledger.noteCensored(this.#entry(attempt));
        return this.#neutral(attempt, OUTCOME_OF[fault], error);
      case 'caller':
        // Whoever reads the request has taken the key; refused at once, it held no slot.
        attempt.slot.record.proven = true;
        attempt.release(this.#roster.now(), attempt.acceptedAt === null);
        return this.#neutral(attempt, OUTCOME_OF[fault], error);
      case 'setup':
        return this.#neutral(attempt, OUTCOME_OF[fault], error);
      case 'answer':
        return this.#noAnswer(attempt, error);
    }
  }

  /** The model's doing: another key may draw a better answer, and none pays for this one. */
  #noAnswer(attempt: Attempt, error: UpstreamError): Verdict {
    const { call, slot } = attempt;
    attempt.release(this.#roster.now(), false);
    this.#trialProvedNothing(attempt);
    call.tried.add(slot.record.name);
    // Something was generated, whatever came of it: two of them are the most.
    if (!error.failure.mayBeBilled) call.billed += 1;
    const isSpent = call.billed >= MAX_BILLED_SENDS;
    return { outcome: OUTCOME_OF.answer, next: isSpent ? { kind: 'fail', error } : AGAIN };
  }

  #noteAnswer(attempt: Attempt, isRefusal: boolean): void {
    const { provider } = this.#roster;
    const answerMs = this.#roster.now() - attempt.sentAt;
    if (!isRefusal && answerMs >= provider.pace.answerMs) return;
    provider.pace = paceAfterAnswer(provider.pace, answerMs);
  }

  #remember(attempt: Attempt, kind: FailureKind): string {
    const text = reasonFor(kind, PROVIDER_NAMES[this.#roster.provider.provider]);
    attempt.slot.record.lastError = { text, at: new Date().toISOString() };
    return text;
  }

  #refusedKey(
    attempt: Attempt,
    kind: FailureKind,
    fault: 'key' | 'key_model' | 'account',
  ): Verdict {
    const { slot, call } = attempt;
    const now = this.#roster.now();
    const reason = this.#remember(attempt, kind);
    attempt.release(now, true);
    call.tried.add(slot.record.name);
    this.#providerTrialOnly(attempt);
    slot.record.failures += 1;
    if (fault === 'key_model') {
      slot.record.forbiddenUntil.set(call.request.model, now + FORBIDDEN_MS);
      if (attempt.keyTrial) slot.breaker.allowTrial();
    } else if (fault === 'key') this.#revival.disableKey(slot, reason);
    else this.#revival.disableAccount(slot, reason);
    return { outcome: OUTCOME_OF[fault], next: AGAIN };
  }

  /** A key's own refusal says nothing about an outage: another key tries. */
  #providerTrialOnly(attempt: Attempt): void {
    const { breaker } = this.#roster;
    if (attempt.providerTrial && breaker.state === 'half-open') breaker.allowTrial();
  }

  #limited(attempt: Attempt, failure: Failure): Verdict {
    const now = this.#roster.now();
    const timing = this.#roster.timing();
    const { provider } = this.#roster;
    attempt.release(now, true);
    attempt.call.refusals += 1;
    this.#trialProvedNothing(attempt);
    provider.pace = paceAfterRefusal(provider.pace, now - attempt.sentAt);
    // Perplexity limits requests per time, not calls in flight.
    if (provider.provider === 'perplexity') return this.#rests(attempt, failure);
    const { retryAfterMs, namedInFlight: inFlight, namedLimit: limit } = failure;
    const entry = this.#entry(attempt);
    const isAlone = ledger.noteRefused(entry, { inFlight, limit }, retryAfterMs, timing);
    const verdict: Verdict = isAlone
      ? this.#rests(attempt, failure)
      : { outcome: 'account_limited', next: AGAIN };
    // Afterwards: what is found to be part of a busy account has no need of a pause of its own.
    this.#kinship.refused(attempt, namedBy(inFlight, limit));
    return verdict;
  }

  /** Only a pause helps the account. */
  #rests(attempt: Attempt, { kind, retryAfterMs }: Failure): Verdict {
    const isElsewhere = (attempt.lane.elsewhere ?? 0) > 0;
    const reason = this.#remember(attempt, kind);
    const random = this.#roster.random();
    const cooling = { retryAfterMs, reason, random, isElsewhere };
    ledger.noteCooling(this.#entry(attempt), cooling, this.#roster.timing());
    return { outcome: 'account_rate_limited', next: AGAIN };
  }

  /** 5xx and broken connections: the key's or the provider's? */
  #broken(attempt: Attempt, error: UpstreamError): Verdict {
    const { kind } = error.failure;
    const now = this.#roster.now();
    const timing = this.#roster.timing();
    const { provider, breaker } = this.#roster;
    this.#remember(attempt, kind);
    attempt.release(now, false);
    attempt.call.tried.add(attempt.slot.record.name);
    const entry = this.#entry(attempt);
    const isOutageKind = speaksOfOutage(kind) && (kind !== 'unreachable' || provider.served);
    if (attempt.rescued === null) ledger.noteBad(entry, isOutageKind);
    if (attempt.providerTrial && breaker.state === 'half-open') this.#outageGoesOn(attempt, now);
    else if (breaker.state === 'closed' && attempt.sentAt >= provider.healedAt) {
      const isRelapse = provider.ramp !== null && provider.outageSince !== null;
      const usable = this.#usable(now);
      if (isRelapse || isOutage(provider, usable, now, timing)) this.#outageBegins(now);
    }
    const isKeys = breaker.state === 'closed' && this.#blameKey(attempt, entry);
    if (!isKeys) {
      this.#trialProvedNothing(attempt);
      if (breaker.state === 'closed') ledger.noteSuspicion(entry, timing);
    }
    return {
      outcome: isKeys ? 'key_error' : 'provider_error',
      next: this.#afterBroken(attempt, error, isKeys),
    };
  }

  #usable(now: number): number {
    return this.#roster.slots.filter((slot) => isInRotation(slot, null, now)).length;
  }

  /** True when the other keys were fine meanwhile. The last usable key stays (Envoy's panic rule):
   * the provider's breaker governs then. */
  #blameKey(attempt: Attempt, entry: ledger.Entry): boolean {
    const { slot } = attempt;
    const timing = this.#roster.timing();
    const { now } = entry;
    if (!othersAreFine(entry.provider, slot.record, now, timing)) return false;
    ledger.noteKeyFault(entry);
    const isLast = slot.breaker.state === 'closed' && this.#usable(now) <= 1;
    if (isLast) return true;
    if (attempt.keyTrial || isFailing(slot.record, now, timing)) this.#trip(attempt, now);
    return true;
  }

  #trip(attempt: Attempt, now: number): void {
    const { record, breaker } = attempt.slot;
    // A failure that was there before the breaker opened opens it no further.
    if (breaker.state === 'open') return;
    const timing = this.#roster.timing();
    const isQuiet = now - record.trippedAt > 2 * timing.openMaxMs;
    record.trips = isQuiet ? 0 : record.trips + 1;
    record.trippedAt = now;
    record.tripReason = record.lastError?.text ?? null;
    record.faultsInRow = 0;
    // A trial that hangs costs its caller that long: such a key is asked more rarely.
    const cost = now - attempt.sentAt;
    const most = clamp(TRIAL_COST * cost, timing.openMaxMs, OPEN_MAX_MS);
    const step = doubled(Math.max(timing.openMs, 4 * cost), record.trips, most);
    breaker.trip(jittered(step, 0.2, this.#roster.random()));
  }

  #outageBegins(now: number): void {
    const { provider, breaker, slots } = this.#roster;
    const timing = this.#roster.timing();
    provider.outageSince ??= now;
    provider.ramp = null;
    // What looked like the keys' faults was the provider's.
    for (const { record, breaker: own, account } of slots) {
      record.faultsInRow = 0;
      record.suspicions = 0;
      record.suspectUntil = now;
      const isRecent = record.trippedAt >= now - timing.outageWindowMs;
      const isDisabled = record.disabled !== null || account.disabled !== null;
      if (isRecent && !isDisabled) own.heal();
    }
    const pause = outagePauseMs(provider.outageSince, now, timing);
    breaker.trip(jittered(pause, 0.25, this.#roster.random()));
  }

  #outageGoesOn(attempt: Attempt, now: number): void {
    const { provider, breaker } = this.#roster;
    const pause = outagePauseMs(provider.outageSince ?? now, now, this.#roster.timing());
    if (attempt.keyTrial) attempt.slot.breaker.allowTrial();
    breaker.trip(jittered(pause, 0.25, this.#roster.random()));
  }

  #providerIsBack(): void {
    const { provider, breaker } = this.#roster;
    if (breaker.state === 'closed') return;
    provider.healedAt = this.#roster.now();
    provider.ramp = RAMP_START;
    breaker.heal();
  }

  #rampUp(attempt: Attempt): void {
    const { provider, accounts } = this.#roster;
    if (provider.ramp === null || attempt.sentAt < provider.healedAt) return;
    provider.ramp += RAMP_STEP;
    const lanes = accounts.flatMap((account) => [...account.lanes.values()]);
    const capacity = lanes.reduce((sum, lane) => sum + lane.limit.limit, 0);
    if (provider.ramp > capacity) provider.ramp = null;
  }

  #afterBroken(attempt: Attempt, error: UpstreamError, isKeys: boolean): Next {
    const { call } = attempt;
    if (call.billed >= MAX_BILLED_SENDS) return { kind: 'fail', error };
    // While the provider is down its calls wait; only others' calls can show that it is back.
    if (this.#roster.breaker.state !== 'closed') return AGAIN;
    call.faults += 1;
    if (isKeys && this.#hasUntried(call.tried)) return AGAIN;
    if (call.faults > MAX_FAULT_RETRIES) return { kind: 'fail', error };
    if (call.faults === 1 && this.#hasUntried(call.tried)) return AGAIN;
    const timing = this.#roster.timing();
    const paid = spendBudget(this.#roster.provider, 1) ? 0 : 2;
    const most = doubled(timing.retryMs, call.faults + paid, 10_000);
    return { kind: 'again', afterMs: Math.max(most / 4, most * this.#roster.random()) };
  }

  #hasUntried(tried: ReadonlySet<string>): boolean {
    const now = this.#roster.now();
    return this.#roster.slots.some(
      (slot) => !tried.has(slot.record.name) && isInRotation(slot, null, now),
    );
  }
}
