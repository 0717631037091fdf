/** Everything that a coordinator knows. Plain data; instants are milliseconds of its own clock. */

import type { LimitState } from '../../pool/rules/limit.ts';
import type { RateState, Taken } from '../../pool/rules/rate.ts';
import type { KnownSpeed } from '../../pool/sharing.ts';

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
  /** Null: requests per time are not limited there. */
  readonly paced: PacedStake | null;
}

/** A process in the line of those that wait for their turn to send. */
export interface PacedStake {
  /** Calls that it has sent. */
  readonly sent: number;
  /** Units of its next call; 0: it waits for no turn. */
  readonly wants: number;
  /** Its place in the line, a number that grows; 0: none. */
  readonly place: number;
  /** When its turn comes. */
  readonly goesAt: number;
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
  /** Null: requests per time are not limited there. */
  readonly paced: SharedPace | null;
}

export interface SharedPace {
  readonly rate: RateState;
  /** What all processes sent lately and was not refused, in the order of sending. */
  readonly taken: readonly SharedSend[];
}

/** A call that a process sent, by its number there. */
export interface SharedSend extends Taken {
  readonly member: string;
  readonly number: number;
}

/** How fast something was when it was measured. */
export interface SharedSpeed {
  readonly speed: WithoutAge<KnownSpeed>;
  readonly at: number;
}

/** Of each kind for itself. */
type WithoutAge<T> = T extends KnownSpeed ? Omit<T, 'agoMs'> : never;

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
  /** Grows with every slot given, and with every place in a line. */
  readonly turn: number;
  /** Until then processes that come from another coordinator keep what that one gave them. */
  readonly settlesUntil: number;
  readonly members: ReadonlyMap<string, MemberRecord>;
  readonly lanes: ReadonlyMap<string, SharedLane>;
  readonly facts: ReadonlyMap<string, SharedFact>;
  readonly speeds: ReadonlyMap<string, SharedSpeed>;
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
    speeds: new Map(),
    joined: new Map(),
  };
}

/** What a new coordinator takes over from one that has ended: everything but its processes. */
export function inherited(state: SharedState, epoch: string): SharedState {
  const { version, turn, lanes, facts, speeds, joined } = state;
  return { ...createState(epoch), version, turn, lanes, facts, speeds, joined };
}

export function draftOf(state: SharedState): StateDraft {
  return {
    ...state,
    members: new Map(state.members),
    lanes: new Map(state.lanes),
    facts: new Map(state.facts),
    speeds: new Map(state.speeds),
    joined: new Map(state.joined),
  };
}

/** The account that these words stand for, as far as is known. */
export function accountIn({ joined }: Pick<SharedState, 'joined'>, account: string): string {
  return joined.get(account) ?? account;
}

/** Of the lane that a process speaks of. */
export function keyOf(
  state: Pick<SharedState, 'joined'>,
  { account, model }: { readonly account: string; readonly model: string },
): string {
  return laneKey(accountIn(state, account), model);
}

/** What the other processes have or want there. */
export function othersOn(
  { members }: Pick<SharedState, 'members'>,
  member: string,
  key: string,
): Stake[] {
  const stakes: Stake[] = [];
  for (const [id, each] of members) {
    const stake = id === member ? undefined : each.stakes.get(key);
    if (stake !== undefined && isThere(stake)) stakes.push(stake);
  }
  return stakes;
}

function isThere(stake: Stake): boolean {
  return stake.held + stake.interactive + stake.batch > 0;
}

export function laneKey(account: string, model: string): string {
  return `${account} ${model}`;
}
