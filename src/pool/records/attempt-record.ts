/** One attempt as the records see it: begun, and given back exactly once. */

import type { Lane, Leaving, Stay } from './lane.ts';
import { enter, leave } from './lane-writer.ts';
import type { AccountRecord, KeyRecord, ProviderRecord } from './state.ts';

/** What an attempt writes into. */
export interface Place {
  readonly provider: ProviderRecord;
  readonly account: AccountRecord;
  readonly key: KeyRecord;
  readonly lane: Lane;
}

export interface AttemptRecord {
  readonly call: number;
  readonly model: string;
  readonly speedClass: string;
  readonly units: number;
  readonly sentAt: number;
  readonly stay: Stay;
  /** The half-open trial of the key, or of the provider. */
  readonly isKeyTrial: boolean;
  readonly isProviderTrial: boolean;
  readonly isOnRamp: boolean;
  hasFirstByte: boolean;
  isReleased: boolean;
  /** Refused without having been there. */
  wasRefused: boolean;
}

export type Begun = Pick<AttemptRecord, 'call' | 'model' | 'speedClass' | 'units' | 'sentAt'> &
  Pick<AttemptRecord, 'isKeyTrial' | 'isProviderTrial'> & {
    /** Order of sending: equal keys take turns. */
    readonly turn: number;
    /** Wall clock, ms. */
    readonly usedAt: number;
  };

/** A slot is taken from a key and its account. */
export function begin({ provider, key, lane }: Place, begun: Begun): AttemptRecord {
  const { turn, usedAt, ...facts } = begun;
  const stay = enter(lane, key.name, facts.sentAt, facts.units);
  key.lastTurn = turn;
  key.attempts += 1;
  key.lastUsedAt = usedAt;
  key.inFlight += 1;
  count(key, facts, 1);
  key.unanswered.push(stay);
  const isOnRamp = provider.ramp !== null;
  if (isOnRamp) provider.rampInFlight += 1;
  return {
    ...facts,
    stay,
    isOnRamp,
    hasFirstByte: false,
    isReleased: false,
    wasRefused: false,
  };
}

function count(
  key: KeyRecord,
  { speedClass, sentAt }: Pick<AttemptRecord, 'speedClass' | 'sentAt'>,
  by: 1 | -1,
): void {
  const before = key.underWay.get(speedClass) ?? { count: 0, sentAtSum: 0 };
  const now = { count: before.count + by, sentAtSum: before.sentAtSum + by * sentAt };
  if (now.count === 0) key.underWay.delete(speedClass);
  else key.underWay.set(speedClass, now);
}

/** It needs no first byte any more. */
export function answered(key: KeyRecord, stay: Stay): void {
  const at = key.unanswered.indexOf(stay);
  if (at >= 0) key.unanswered.splice(at, 1);
}

/** Idempotent; an aborted request may still occupy the upstream for a while. */
export function release(
  { provider, key, lane }: Place,
  attempt: AttemptRecord,
  now: number,
  how: Leaving,
): void {
  if (attempt.isReleased) return;
  attempt.isReleased = true;
  attempt.wasRefused = how === 'refused';
  leave(lane, attempt.stay, now, how);
  key.inFlight -= 1;
  count(key, attempt, -1);
  answered(key, attempt.stay);
  if (attempt.isOnRamp) provider.rampInFlight -= 1;
}
