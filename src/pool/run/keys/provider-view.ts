/** The frozen, secret-free snapshot of one provider's pool. */

import { turnsPausedUntil } from '../../records/course/rate-notes.ts';
import type { Lane } from '../../records/lane.ts';
import type { AccountRecord, ProviderRecord } from '../../records/state.ts';
import { rateOf } from '../../rules/rate.ts';
import { fadedRatio, fadedSuccess, healthScore, median } from '../../rules/score.ts';
import { timingFor } from '../../rules/timing.ts';
import type {
  AccountSnapshot,
  BreakerState,
  KeySnapshot,
  ProviderSnapshot,
} from '../../snapshot.ts';
import { unavailability } from './exhausted.ts';
import type { KeySlot } from './key-slot.ts';

export interface ProviderFacts {
  readonly provider: ProviderRecord;
  readonly slots: readonly KeySlot[];
  /** Removed keys that still finish their calls. */
  readonly draining: readonly KeySlot[];
  readonly accounts: readonly AccountRecord[];
  readonly breaker: BreakerState;
  readonly breakerOpenUntil: number | null;
  readonly queueDepth: number;
  readonly oldestSince: number | null;
  readonly now: number;
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms);
}

function keyView(slot: KeySlot, medianRatio: number, fadeMs: number, now: number): KeySnapshot {
  const { record } = slot;
  const blocked = unavailability(slot, null, now);
  const isDisabled = (record.disabled ?? slot.account.disabled) !== null;
  const state = record.draining
    ? 'draining'
    : isDisabled
      ? 'disabled'
      : blocked === null
        ? 'ready'
        : 'cooling';
  const ratio = fadedRatio(record.slowness, now, fadeMs);
  const health = healthScore(ratio, medianRatio, fadedSuccess(record.success, now, fadeMs));
  return {
    name: record.name,
    keyId: record.keyId,
    account: slot.account.label,
    state,
    reason: blocked?.reason ?? null,
    retryInMs: blocked?.retryAfterMs ?? null,
    score: isDisabled || slot.breaker.state === 'open' ? 0 : health,
    breaker: slot.breaker.state,
    inFlight: record.inFlight,
    attempts: record.attempts,
    successes: record.successes,
    failures: record.failures,
    latencyMs: rounded(record.latencyMs),
    firstByteMs: rounded(record.firstByteMs),
    promptTokens: record.promptTokens,
    completionTokens: record.completionTokens,
    lastUsedAt: record.lastUsedAt === null ? null : new Date(record.lastUsedAt).toISOString(),
    lastError: record.lastError,
  };
}

/** To three digits: 3, 0.83, 33.1. */
function perSecondOf({ rate }: Lane): number | null {
  const found = rateOf(rate);
  return found === null ? null : Number((1_000 * found).toPrecision(3));
}

/** The next step: a label, so that nothing has to be found out again. */
function writeDown(keys: readonly string[], account: AccountRecord): string {
  const label = account.isGiven ? account.label : 'shared';
  return `to write it down: ${keys.map((key) => `keypool-mcp keys add ${key} --account ${label}`).join('; ')}`;
}

/** Between two pauses it has not come back: it has when it serves, or when nobody asks any more. */
function restedMs({ coolSince, coolUntil }: AccountRecord, pauseMs: number, now: number) {
  return coolSince === null || now - coolUntil > pauseMs ? null : Math.round(now - coolSince);
}

function accountView(
  account: AccountRecord,
  slots: readonly KeySlot[],
  coolMaxMs: number,
  now: number,
): AccountSnapshot {
  const isFound = account.members.length > 1;
  const keys = slots.filter((slot) => slot.account === account).map((slot) => slot.record.name);
  const lanes = [...account.lanes.values()];
  const coolUntil = Math.max(account.coolUntil, turnsPausedUntil(account, null));
  const coolingMs = coolUntil > now ? Math.ceil(coolUntil - now) : null;
  return {
    account: account.label,
    keys,
    found: isFound,
    advice: isFound ? writeDown(keys, account) : null,
    inFlight: lanes.reduce((sum, lane) => sum + lane.inFlight, 0),
    coolingMs,
    coolingForMs: restedMs(account, coolMaxMs, now),
    reason: account.disabled?.reason ?? (coolingMs === null ? null : account.coolReason),
    limits: lanes.map((lane) => ({
      model: lane.model,
      limit: Math.max(1, lane.limit.limit),
      inFlight: lane.inFlight,
      perSecond: perSecondOf(lane),
      share: lane.share?.slots ?? null,
      elsewhere: lane.share?.elsewhere ?? 0,
    })),
  };
}

export function viewProvider(facts: ProviderFacts): ProviderSnapshot {
  const { provider, slots, now } = facts;
  const { fadeMs, coolMaxMs } = timingFor(provider.pace);
  const ratios = slots.flatMap((slot) => fadedRatio(slot.record.slowness, now, fadeMs) ?? []);
  const medianRatio = median(ratios);
  return {
    provider: provider.provider,
    breaker: facts.breaker,
    retryInMs: facts.breakerOpenUntil === null ? null : Math.ceil(facts.breakerOpenUntil - now),
    queueDepth: facts.queueDepth,
    oldestWaitMs: facts.oldestSince === null ? null : Math.round(now - facts.oldestSince),
    accounts: facts.accounts.map((account) => accountView(account, slots, coolMaxMs, now)),
    keys: [...slots, ...facts.draining].map((slot) => keyView(slot, medianRatio, fadeMs, now)),
  };
}

/** Freezes plain data to the bottom. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
