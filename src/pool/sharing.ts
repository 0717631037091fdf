/**
 * What the pools of several processes tell each other about the accounts that all of them use. Plain
 * data without a clock: every instant is told as the milliseconds until it, or since. Ids are
 * opaque; who implements the port makes them, so that no name and no secret leaves.
 */

import type { Provider } from '../base/errors.ts';

/** What is known of a lane's limit: `LimitState` of rules/limit.ts without a clock. */
export interface ToldLimit {
  /** Grows with every change: of two that were told the higher one is newer. 0: nothing is known. */
  readonly generation: number;
  readonly limit: number;
  readonly capacity: number | null;
  readonly isEager: boolean;
  /** Null: never refused. */
  readonly refusedAgoMs: number | null;
  /** 0 or less: it may be tried above its capacity now. */
  readonly probeInMs: number;
  readonly refusedProbes: number;
  readonly step: number;
}

/**
 * What is known of an account's requests per time: `RateState` of rules/rate.ts without a clock.
 * Rates are units per millisecond; a null instant never was.
 */
export interface KnownRate {
  readonly refusedRate: number | null;
  readonly wantedMs: number;
  /** At that instant; less than 0: it is still to come. */
  readonly room: number;
  readonly roomAgoMs: number;
  readonly burstUnits: number;
  readonly burstMs: number;
  readonly restedAgoMs: number | null;
  readonly refusalSentAgoMs: number | null;
  readonly refusedAgoMs: number | null;
  readonly fullAgoMs: number | null;
  readonly refusals: number;
  readonly leastRate: number;
  readonly askedMs: number;
  readonly closedAgoMs: number | null;
  readonly closedMs: number;
  readonly cuts: number;
  readonly isSettled: boolean;
  readonly inRow: number;
  readonly pausedForMs: number;
  readonly named: number | null;
}

/** What one process sends where requests per time are limited. */
export interface PacedRow {
  /** As new as the lane's limit. */
  readonly rate: KnownRate;
  /** Calls that it has sent there, refused ones among them. */
  readonly sent: number;
  /** The latest of them that were not refused, by their number, in the order of sending. */
  readonly sends: readonly PacedSend[];
  /** Units of the call that is to go next; 0 when none waits. */
  readonly wants: number;
}

export interface PacedSend {
  readonly number: number;
  readonly agoMs: number;
  readonly units: number;
}

/** When a process may send where requests per time are limited. */
export interface PacedGrant {
  readonly rate: KnownRate;
  /** That many it had sent when it asked: the turn is that of the next one. */
  readonly sent: number;
  /** Null: it wants none. */
  readonly turn: { readonly inMs: number; readonly units: number } | null;
}

/** What one process has on one account and model, and what it waits for. */
export interface LaneRow {
  readonly account: string;
  readonly model: string;
  readonly inFlight: number;
  /** Of those in flight, the ones that the upstream took. */
  readonly accepted: number;
  /** When the latest-sent of these was sent; null when there is none. */
  readonly acceptedSentAgoMs: number | null;
  readonly waitingInteractive: number;
  readonly waitingBatch: number;
  /** Interactive calls came within the last minute. */
  readonly isInteractive: boolean;
  /** Calls that ended there since the process began. */
  readonly ended: number;
  /** The user's own: more than these it never starts. */
  readonly ceiling: number;
  /** Slots that it keeps: calls may start in them while it asks. */
  readonly share: number;
  /** What it was told of the limit, or found out while nobody else was there. */
  readonly limit: ToldLimit;
  /** Until a proven limit is tried one higher: first time, and at most. */
  readonly probeMs: number;
  readonly probeMaxMs: number;
  /** Null: requests per time are not limited there. */
  readonly paced: PacedRow | null;
}

/** What happened, told once. */
export type Report =
  /** An account took no more. */
  | {
      readonly kind: 'refused';
      readonly account: string;
      readonly model: string;
      /** When the refused call was sent. */
      readonly sentAgoMs: number;
      /** The most calls of this process that were there at once during its flight. */
      readonly seen: number;
      readonly namedInFlight: number | null;
      readonly namedLimit: number | null;
      readonly retryAfterMs: number | null;
      /** It was sent above the proven capacity. */
      readonly isTry: boolean;
    }
  /** An account took no more requests per time. */
  | {
      readonly kind: 'rate-refused';
      readonly account: string;
      readonly model: string;
      /** Of the refused call. */
      readonly number: number;
      readonly sentAgoMs: number;
      readonly retryAfterMs: number | null;
      /** In [0, 1): jitter. */
      readonly chance: number;
    }
  /** What an answer said about an account's requests per time. */
  | {
      readonly kind: 'rate-told';
      readonly account: string;
      readonly model: string;
      readonly number: number;
      readonly sentAgoMs: number;
      readonly limit: number | null;
      readonly remaining: number | null;
    }
  /** A key, a model of a key, an account or a provider rests, and then one call tries. */
  | { readonly kind: 'resting'; readonly id: string; readonly forMs: number }
  /** A key is dead, or an account has no money, until a check or an operator says otherwise. */
  | {
      readonly kind: 'out';
      readonly id: string;
      readonly checks: number;
      readonly checkInMs: number;
    }
  /** It takes calls: out or resting no more. */
  | { readonly kind: 'works'; readonly id: string }
  /** Accounts that are one, as their refusals show; and that they are not, after all. */
  | { readonly kind: 'joined'; readonly accounts: readonly string[] }
  | { readonly kind: 'parted'; readonly accounts: readonly string[] };

/** A refusal of an account that is busy, in whichever way. */
export type RefusalReport = Extract<Report, { readonly kind: 'refused' | 'rate-refused' }>;

/** What is known of a key, a model of a key, an account or a provider. */
export interface Fact {
  readonly id: string;
  /** Of two facts about one thing the higher one is newer. */
  readonly generation: number;
  readonly isOut: boolean;
  /** Token-free checks in vain, and the time to the next one. */
  readonly checks: number;
  readonly checkInMs: number;
  /** 0: it does not rest. */
  readonly restsMs: number;
  /** The upstream took a call of it, for all that is known. */
  readonly works: boolean;
}

/** How fast things were, as whoever measured it last says. Of two, the later one counts. */
export type KnownSpeed =
  /** A key's times over those of the fastest key, for the same calls. */
  | { readonly kind: 'key'; readonly id: string; readonly agoMs: number; readonly ratio: number }
  /** What a class of calls takes with the fastest key: `SpeedModel` of rules/score.ts. */
  | {
      readonly kind: 'calls';
      readonly id: string;
      readonly agoMs: number;
      readonly weight: number;
      readonly tokens: number;
      readonly ms: number;
      readonly tokensSquared: number;
      readonly tokensMs: number;
    };

/** What one process may use of one account and model until it asks again. */
export interface LaneGrant {
  readonly account: string;
  readonly model: string;
  /** Calls in flight that it may have; those that it has are never fewer. */
  readonly share: number;
  /** Of the share, the slots above what is proven. */
  readonly tries: number;
  /** Nobody else is there: it finds the limit itself, and the share says nothing. */
  readonly isAlone: boolean;
  /** Slots of the limit that it leaves free all the same, for a newcomer's first call. */
  readonly reserve: number;
  /** Others wait: what ends, or is not used, is told at once. */
  readonly isContended: boolean;
  /** Calls of the other processes. */
  readonly elsewhere: number;
  readonly limit: ToldLimit;
  /** Null: requests per time are not limited there. */
  readonly paced: PacedGrant | null;
}

/** What one pool says: everything that it has and wants, every time. */
export interface Statement {
  readonly rows: readonly LaneRow[];
  /** Ids that it is trying, and ids that it wants to try: one process at a time may. */
  readonly tries: readonly string[];
  readonly asks: readonly string[];
  /** What it measured lately, and the ids of what it never did and would like to know. */
  readonly measured: readonly KnownSpeed[];
  readonly unmeasured: readonly string[];
  /** Calls wait, whatever for: there will be more to ask. */
  readonly waits: boolean;
}

/** What it is told. */
export interface Told {
  readonly grants: readonly LaneGrant[];
  /** Refusals that were not known when these were granted. */
  readonly unheard: readonly RefusalReport[];
  /** What changed since it was told last. */
  readonly facts: readonly Fact[];
  /** Of what it has not measured, as far as others did. */
  readonly speeds: readonly KnownSpeed[];
  /** Those of its tries and asks that it may try. */
  readonly trials: readonly string[];
  /** Accounts that were found to be one, every group; null while a report about it is under way. */
  readonly joined: ReadonlyArray<readonly string[]> | null;
  /** Processes that are connected, this one among them. */
  readonly processes: number;
}

/** One provider's pool, as the port sees it. */
export interface Participant {
  readonly provider: Provider;
  state(): Statement;
  hear(told: Told): void;
  /** Nobody can be asked: each goes on with its part of what is known. */
  lost(processes: number): void;
  /** Everything it knows, for who knows nothing yet. */
  facts(): readonly Fact[];
  joined(): ReadonlyArray<readonly string[]>;
}

/** A pool's way to the others. */
export interface Membership {
  /** True while the others can be asked, or may come to be: nothing starts unasked. */
  readonly isShared: boolean;
  report(report: Report): void;
  /** What was stated has changed, or time to ask has come. At most one question is under way. */
  ask(): void;
}

/** Absent: a process on its own. */
export interface Sharing {
  /** Makes the id of a thing that several processes know by the same words. */
  idOf(...words: readonly string[]): string;
  join(participant: Participant): Membership;
  /** Gives everything back. */
  leave(): Promise<void>;
}
