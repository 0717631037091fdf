/** An attempt that brought no result: whose fault it was, what that costs, and what follows. */

import { type Failure, type FailureKind, PROVIDER_NAMES } from '../../../base/errors.ts';
import {
  FAULT_OF,
  type Fault,
  OUTCOME_OF,
  type Outcome,
  reasonFor,
  speaksOfOutage,
} from '../../rules/attribution.ts';
import { isFailing, othersAreFine } from '../../rules/outage.ts';
import { isRateLimited } from '../../rules/rate.ts';
import {
  clamp,
  doubled,
  FORBIDDEN_MS,
  jittered,
  OPEN_MAX_MS,
  paceAfterAnswer,
  paceAfterRefusal,
  TRIAL_COST,
} from '../../rules/timing.ts';
import { release } from '../attempt-record.ts';
import type { Effect, Scene } from '../effect.ts';
import * as ledger from './attempt-notes.ts';
import { disableAccount, disableKey } from './disabling.ts';
import { outageBegins, outageGoesOn } from './outages.ts';
import { noteRateRefused } from './rate-notes.ts';

/** Why there is no result. */
export type Failed =
  /** The upstream failed, or the network on the way to it; or the key said nothing for too long. */
  | { readonly kind: 'failure'; readonly failure: Failure; readonly isRecalled: boolean }
  /** Another key is much faster, and the pool changed its mind. */
  | { readonly kind: 'slow' }
  /** The caller asks no further; a refusal that came all the same is one. */
  | { readonly kind: 'cancelled'; readonly failure: Failure | null }
  /** Not ours and not the upstream's: a bug of the client. Nobody's score pays for it. */
  | { readonly kind: 'bug' };

export interface Verdict {
  readonly outcome: Outcome;
  readonly effects: readonly Effect[];
  /**
   * `end`: nothing else would help. `again`: on any other key. `redraw`: once more elsewhere, for
   * the model may draw a better answer. `retry`: another key, or the same after a pause;
   * `retry-elsewhere` where it was the key's fault.
   */
  readonly next: 'end' | 'again' | 'redraw' | 'retry' | 'retry-elsewhere';
}

/** Faults that the upstream finds before it does any work. */
const REFUSALS: ReadonlySet<Fault> = new Set<Fault>(['key', 'key_model', 'account', 'limit']);

export function fail(scene: Scene, failed: Failed): Verdict {
  switch (failed.kind) {
    case 'slow':
      ledger.noteCensored(scene);
      return { ...neutral(scene), outcome: 'key_error', next: 'again' };
    case 'cancelled': {
      const isRefused = failed.failure !== null && FAULT_OF[failed.failure.kind] === 'limit';
      if (isRefused && failed.failure !== null) limited(scene, failed.failure);
      return { ...neutral(scene), outcome: 'cancelled' };
    }
    case 'bug':
      return { ...neutral(scene), outcome: 'caller_error' };
    case 'failure':
      return judge(scene, failed.failure, failed.isRecalled);
  }
}

function leave(scene: Scene, isRefused = false): void {
  const how = isRefused ? 'refused' : scene.isStopped ? 'aborted' : 'ended';
  release(scene, scene.attempt, scene.now, how);
}

/** Nobody's fault that the pool could learn from. */
function neutral(scene: Scene) {
  leave(scene);
  return { effects: provedNothing(scene), next: 'end' } as const;
}

/** The tokens of its trials go to the next call. */
function provedNothing({ attempt }: Scene): Effect[] {
  const effects: Effect[] = [];
  if (attempt.hasFirstByte) return effects;
  if (attempt.isKeyTrial) effects.push({ kind: 'pass-key-trial' });
  if (attempt.isProviderTrial) effects.push({ kind: 'pass-provider-trial' });
  return effects;
}

function judge(scene: Scene, failure: Failure, isRecalled: boolean): Verdict {
  const { attempt, key } = scene;
  const fault = FAULT_OF[failure.kind];
  if (failure.status !== null) noteAnswer(scene, REFUSALS.has(fault));
  switch (fault) {
    case 'limit':
      return limited(scene, failure);
    case 'upstream':
      return broken(scene, failure.kind, isRecalled);
    case 'key':
    case 'key_model':
    case 'account':
      return refusedKey(scene, failure.kind, fault);
    case 'deadline':
      ledger.noteCensored(scene);
      return { ...neutral(scene), outcome: OUTCOME_OF[fault] };
    case 'caller':
      // Whoever reads the request has taken the key; refused at once, it held no slot.
      key.proven = true;
      leave(scene, !attempt.stay.isAccepted);
      return { ...neutral(scene), outcome: OUTCOME_OF[fault] };
    case 'setup':
      return { ...neutral(scene), outcome: OUTCOME_OF[fault] };
    case 'answer':
      return { ...neutral(scene), outcome: OUTCOME_OF[fault], next: 'redraw' };
  }
}

function noteAnswer({ provider, attempt, now }: Scene, isRefusal: boolean): void {
  const answerMs = now - attempt.sentAt;
  if (!isRefusal && answerMs >= provider.pace.answerMs) return;
  provider.pace = paceAfterAnswer(provider.pace, answerMs);
}

function remember({ provider, key }: Scene, kind: FailureKind): string {
  const text = reasonFor(kind, PROVIDER_NAMES[provider.provider]);
  key.lastError = { text, at: new Date().toISOString() };
  return text;
}

function refusedKey(
  scene: Scene,
  kind: FailureKind,
  fault: 'key' | 'key_model' | 'account',
): Verdict {
  const { attempt, key, account, now, timing } = scene;
  const reason = remember(scene, kind);
  leave(scene, true);
  key.failures += 1;
  const effects: Effect[] = [];
  // A key's own refusal says nothing about an outage: another key tries.
  if (attempt.isProviderTrial) effects.push({ kind: 'pass-provider-trial' });
  if (fault === 'key_model') {
    key.forbiddenUntil.set(attempt.model, now + FORBIDDEN_MS);
    if (attempt.isKeyTrial) effects.push({ kind: 'pass-key-trial' });
  } else if (fault === 'key') {
    disableKey(key, reason, now, timing);
    effects.push({ kind: 'open-key', forMs: null });
  } else {
    disableAccount(account, reason, now, timing);
    effects.push({ kind: 'open-account' });
  }
  return { outcome: OUTCOME_OF[fault], effects, next: 'again' };
}

function limited(scene: Scene, failure: Failure): Verdict {
  const { provider, attempt, now } = scene;
  leave(scene, true);
  provider.pace = paceAfterRefusal(provider.pace, now - attempt.sentAt);
  const effects = provedNothing(scene);
  if (isRateLimited(provider.provider)) {
    noteRateRefused(scene, failure, remember(scene, failure.kind));
    return { outcome: 'account_rate_limited', effects, next: 'again' };
  }
  const isPause = ledger.noteRefused(scene, failure);
  if (!isPause) return { outcome: 'account_limited', effects, next: 'again' };
  const reason = remember(scene, failure.kind);
  ledger.noteCooling(scene, reason, failure.retryAfterMs);
  return { outcome: 'account_rate_limited', effects, next: 'again' };
}

/** 5xx and broken connections: the key's or the provider's? */
function broken(scene: Scene, kind: FailureKind, isRecalled: boolean): Verdict {
  const { provider, attempt, providerGate } = scene;
  remember(scene, kind);
  leave(scene);
  const isOutageKind = speaksOfOutage(kind) && (kind !== 'unreachable' || provider.served);
  if (!isRecalled) ledger.noteBad(scene, isOutageKind);
  const isTrial = attempt.isProviderTrial && providerGate === 'half-open';
  const outage = isTrial
    ? outageGoesOn(scene)
    : providerGate === 'closed'
      ? outageBegins(scene)
      : [];
  const isDown = providerGate !== 'closed' || outage.length > 0;
  const blamed = isDown ? null : blameKey(scene);
  if (blamed !== null) return { outcome: 'key_error', effects: blamed, next: 'retry-elsewhere' };
  if (!isDown) ledger.noteSuspicion(scene);
  return {
    outcome: 'provider_error',
    effects: [...outage, ...provedNothing(scene)],
    // While the provider is down its calls wait; only others' calls can show that it is back.
    next: isDown ? 'again' : 'retry',
  };
}

/** Null when the other keys were not fine meanwhile. */
function blameKey(scene: Scene): Effect[] | null {
  const { provider, key, attempt, now, timing } = scene;
  if (!othersAreFine(provider, key, now, timing)) return null;
  ledger.noteKeyFault(scene);
  return attempt.isKeyTrial || isFailing(key, now, timing) ? trip(scene) : [];
}

function trip({ key, keyGate, attempt, now, timing, chance }: Scene): Effect[] {
  // A failure that was there before the breaker opened opens it no further.
  if (keyGate === 'open') return [];
  const isQuiet = now - key.trippedAt > 2 * timing.openMaxMs;
  key.trips = isQuiet ? 0 : key.trips + 1;
  key.trippedAt = now;
  key.tripReason = key.lastError?.text ?? null;
  key.faultsInRow = 0;
  // A trial that hangs costs its caller that long: such a key is asked more rarely.
  const cost = now - attempt.sentAt;
  const most = clamp(TRIAL_COST * cost, timing.openMaxMs, OPEN_MAX_MS);
  const step = doubled(Math.max(timing.openMs, 4 * cost), key.trips, most);
  return [{ kind: 'open-key', forMs: jittered(step, 0.2, chance) }];
}
