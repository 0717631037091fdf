/** Everything that a coordinator knows. Plain data; instants are milliseconds of its own clock. */

import type { LimitState } from '../../pool/rules/limit.ts';

/** What one process has on a lane, as it said last, and what it may use. */
export interface Stake {
  readonly account: string;
  readonly model: string;
  /** The process's own names for the lane's account, with its calls under each. */
  readonly names: ReadonlyArray<{ readonly account: string; readonly inFlight: number }>;
  readonly inFlight: number;
  readonly accepted: number;
  /** When the latest-sent of its accepted calls was sent. */
  readonly acceptedSentAt: number;
  readonly interactive: number;
  readonly batch: number;
  readonly isInteractive: boolean;
  readonly ceiling: number;
  readonly ended: number;
  /** Slots that it may use without asking. */
  readonly held: number;
  /** Of those, above what is proven. */
  readonly tries: number;
  readonly isAlone: boolean;
  readonly isContended: boolean;
  readonly reserve: number;
  /** When it was given a slot last. */
  readonly turn: number;
}

export interface MemberRecord {
  readonly client: string | null;
  readonly seenAt: number;
  readonly seq: number;
  /** Reports up to this number were taken in. */
  readonly reported: number;
  /** By lane. */
  readonly stakes: ReadonlyMap<string, Stake>;
  /** What it would try. */
  readonly asks: readonly string[];
}

/** One account and model. */
export interface SharedLane {
  readonly account: string;
  readonly model: string;
  readonly generation: number;
  readonly limit: LimitState;
  /** What tries above a proven limit are paid from. */
  readonly tries: number;
  readonly probeMs: number;
  readonly probeMaxMs: number;
  readonly usedAt: number;
}

/** What is known of a key, a model of a key, an account or a provider. */
export interface SharedFact {
  readonly generation: number;
  /** The state's version when it changed. */
  readonly version: number;
  readonly isOut: boolean;
  readonly checks: number;
  readonly checkAt: number;
  readonly restsUntil: number;
  readonly works: boolean;
  /** The process that may try, and since when. */
  readonly trial: { readonly member: string; readonly since: number } | null;
}

export interface SharedState {
  /** Of this coordinator. */
  readonly epoch: string;
  /** Grows with every change of a fact. */
  readonly version: number;
  /** Grows with every slot given. */
  readonly turn: number;
  /** Until then processes that come from another coordinator keep what that one gave them. */
  readonly settlesUntil: number;
  readonly members: ReadonlyMap<string, MemberRecord>;
  readonly lanes: ReadonlyMap<string, SharedLane>;
  readonly facts: ReadonlyMap<string, SharedFact>;
  /** Account → the first one of those that it is one with. */
  readonly joined: ReadonlyMap<string, string>;
}

/** A copy that one exchange writes into. */
export type StateDraft = {
  -readonly [Name in keyof SharedState]: SharedState[Name] extends ReadonlyMap<
    infer Key,
    infer Value
  >
    ? Map<Key, Value>
    : SharedState[Name];
};

/** @param epoch tells this coordinator from every other one */
export function createState(epoch: string): SharedState {
  return {
    epoch,
    version: 0,
    turn: 0,
    settlesUntil: Number.NEGATIVE_INFINITY,
    members: new Map(),
    lanes: new Map(),
    facts: new Map(),
    joined: new Map(),
  };
}

/** What a new coordinator takes over from one that has ended: everything but its processes. */
export function inherited(state: SharedState, epoch: string): SharedState {
  const { version, turn, lanes, facts, joined } = state;
  return { ...createState(epoch), version, turn, lanes, facts, joined };
}

export function draftOf(state: SharedState): StateDraft {
  return {
    ...state,
    members: new Map(state.members),
    lanes: new Map(state.lanes),
    facts: new Map(state.facts),
    joined: new Map(state.joined),
  };
}

/** The account that these words stand for, as far as is known. */
export function accountIn({ joined }: Pick<SharedState, 'joined'>, account: string): string {
  return joined.get(account) ?? account;
}

export function laneKey(account: string, model: string): string {
  return `${account} ${model}`;
}
