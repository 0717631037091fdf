/**
 * Plain records for provider, account and key. No timers, no secrets, no promises: every instant
 * is monotonic milliseconds that the caller passes in.
 */

import type { Provider } from '../../base/errors.ts';
import type { Balances } from '../rules/accounts/balances.ts';
import type { Sightings } from '../rules/accounts/same-account.ts';
import { freshLimit } from '../rules/limit.ts';
import type { Slowness, SpeedModel, Success } from '../rules/score.ts';
import { expectedPace, type Pace } from '../rules/timing.ts';
import type { Flight } from './flight.ts';
import { createLane, type Lane, type Stay } from './lane.ts';

/** Out until the upstream's own answer, or an operator, says otherwise. */
export interface Disabled {
  readonly reason: string;
  readonly since: number;
  /** Token-free checks made so far. */
  readonly checks: number;
  readonly nextCheckAt: number;
}

export interface KeyRecord {
  readonly provider: Provider;
  readonly name: string;
  readonly keyId: string;
  readonly account: string;
  draining: boolean;
  disabled: Disabled | null;
  /** Model → not before. */
  forbiddenUntil: Map<string, number>;
  inFlight: number;
  /** The upstream took a call of this key at least once. */
  proven: boolean;
  /** Calls in flight by their speed class, with the sum of the instants at which they were sent. */
  readonly underWay: Map<string, { readonly count: number; readonly sentAtSum: number }>;
  /** Calls without a first byte, oldest first. */
  readonly unanswered: Stay[];
  lastFirstByteAt: number;
  /** When the latest-sent call of this key that has its first byte was sent. */
  answeredSentAt: number;
  /** Calls served, fading with the time of two services. */
  endedLately: number;
  endedAt: number;
  /** Order of last use; equal keys take turns. */
  lastTurn: number;
  success: Success;
  slowness: Slowness | null;
  /** Bad ends in a row of which nobody knows yet whose they are. */
  suspicions: number;
  /** Not before this instant while they are unexplained. */
  suspectUntil: number;
  /** Faults in a row that are the key's, no success between. */
  faultsInRow: number;
  /** The key's own outcomes, oldest first. */
  outcomes: Array<{ readonly at: number; readonly ok: boolean }>;
  /** Openings of the breaker without a quiet spell between. */
  trips: number;
  trippedAt: number;
  /** Why the breaker is open. */
  tripReason: string | null;
  attempts: number;
  successes: number;
  failures: number;
  latencyMs: number | null;
  firstByteMs: number | null;
  promptTokens: number;
  completionTokens: number;
  /** Wall clock, ms. */
  lastUsedAt: number | null;
  lastError: { readonly text: string; readonly at: string } | null;
}

export interface AccountRecord {
  readonly label: string;
  /** Somebody gave the label; else it is the name of its one key. */
  readonly isGiven: boolean;
  /** Labels of the accounts that were found to be this one, its own first. */
  members: readonly string[];
  disabled: Disabled | null;
  coolUntil: number;
  /** When the first cool-down began that nothing was accepted after; null: none. */
  coolSince: number | null;
  coolReason: string | null;
  /** Cool-downs in a row. */
  coolings: number;
  lanes: Map<string, Lane>;
}

/** One attempt's end as evidence about the provider. */
export interface Evidence {
  readonly at: number;
  readonly sentAt: number;
  readonly key: string;
  readonly call: number;
  readonly speedClass: string;
  readonly ok: boolean;
  /** One call is enough to suspect the provider. */
  readonly outageKind: boolean;
}

/** A slot of one account that is kept free while a call of another tries. */
export interface Swap {
  readonly model: string;
  readonly from: string;
  readonly to: string;
  /** The call that tries; null until it is sent. */
  stay: Stay | null;
}

/** Tries of a pair that were refused. */
export interface Parted {
  readonly times: number;
  readonly nextAt: number;
}

export interface ProviderRecord {
  readonly provider: Provider;
  pace: Pace;
  speed: Map<string, SpeedModel>;
  evidence: Evidence[];
  /** Calls in flight allowed while the provider comes back; null: no ramp. */
  ramp: number | null;
  /** Attempts in flight that were sent since the provider came back. */
  rampInFlight: number;
  outageSince: number | null;
  /** How long a bad end takes: who survives that for long enough is not among them. */
  badMs: number;
  healedAt: number;
  /** The provider served at least once. */
  served: boolean;
  /** What tries above a proven limit are paid from. */
  tries: number;
  /** Refused calls of which it is not yet known what was there meanwhile, by model. */
  flights: Map<string, readonly Flight[]>;
  /** What was seen of calls side by side, by model. */
  sightings: Map<string, Sightings>;
  /** What its accounts have, by the label of each key's own account. */
  readonly balances: Map<string, Balances>;
  swap: Swap | null;
  parted: Map<string, Parted>;
  interactiveAt: number;
  /** Other processes are there, and cannot be asked. */
  isCutOff: boolean;
  /** When the latest-sent call that has its first byte was sent. */
  answeredSentAt: number;
}

/**
 * A refused try costs one: whatever a limit does, and whoever else is on the account, no more than
 * one call in five is refused for our curiosity.
 */
const TRIES_MAX = 8;
const TRIES_GAIN = 0.2;

export function createKeyRecord(
  provider: Provider,
  name: string,
  keyId: string,
  account: string,
): KeyRecord {
  return {
    provider,
    name,
    keyId,
    account,
    draining: false,
    disabled: null,
    forbiddenUntil: new Map(),
    inFlight: 0,
    proven: false,
    underWay: new Map(),
    unanswered: [],
    lastFirstByteAt: Number.NEGATIVE_INFINITY,
    answeredSentAt: Number.NEGATIVE_INFINITY,
    endedLately: 0,
    endedAt: 0,
    lastTurn: 0,
    success: { rate: 1, at: 0 },
    slowness: null,
    suspicions: 0,
    suspectUntil: Number.NEGATIVE_INFINITY,
    faultsInRow: 0,
    outcomes: [],
    trips: 0,
    trippedAt: Number.NEGATIVE_INFINITY,
    tripReason: null,
    attempts: 0,
    successes: 0,
    failures: 0,
    latencyMs: null,
    firstByteMs: null,
    promptTokens: 0,
    completionTokens: 0,
    lastUsedAt: null,
    lastError: null,
  };
}

export function createAccount(label: string, isGiven: boolean): AccountRecord {
  return {
    label,
    isGiven,
    members: [label],
    disabled: null,
    coolUntil: Number.NEGATIVE_INFINITY,
    coolSince: null,
    coolReason: null,
    coolings: 0,
    lanes: new Map(),
  };
}

export function createProvider(provider: Provider, answerMs: number): ProviderRecord {
  return {
    provider,
    pace: expectedPace(answerMs),
    speed: new Map(),
    evidence: [],
    ramp: null,
    rampInFlight: 0,
    outageSince: null,
    badMs: 0,
    healedAt: Number.NEGATIVE_INFINITY,
    served: false,
    tries: TRIES_MAX,
    flights: new Map(),
    sightings: new Map(),
    balances: new Map(),
    swap: null,
    parted: new Map(),
    interactiveAt: Number.NEGATIVE_INFINITY,
    isCutOff: false,
    answeredSentAt: Number.NEGATIVE_INFINITY,
  };
}

/** The lane of a model, made on first use. */
export function laneOf(account: AccountRecord, model: string, ceiling: number): Lane {
  const known = account.lanes.get(model);
  if (known !== undefined) return known;
  const lane = createLane(model, freshLimit(ceiling));
  account.lanes.set(model, lane);
  return lane;
}

/** A call was served. */
export function earnTry(provider: ProviderRecord): void {
  provider.tries = Math.min(TRIES_MAX, provider.tries + TRIES_GAIN);
}
