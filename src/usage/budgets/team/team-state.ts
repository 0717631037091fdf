/**
 * What homes that spend from the same budgets know of each other: what each has spent, and what each
 * process holds for its calls in flight. Plain data; instants are milliseconds of the keeper's clock.
 */

/** Of one process, for the calls of one scope. */
export interface TeamRow {
  readonly scope: string;
  /** The day or month that counts, as the scope's period has it. */
  readonly label: string;
  readonly capUsd: number;
  /** Room that it goes on using, whatever the answer. */
  readonly keepUsd: number;
  /** Upper estimates: of its calls under way, of the first that waits (0: none), and of all. */
  readonly inFlightUsd: number;
  readonly nextUsd: number;
  readonly wantUsd: number;
}

/** Spent by a home, as its ledger has it: a whole sum, never a difference. */
export interface TeamSum {
  readonly scope: string;
  readonly label: string;
  readonly usd: number;
}

/** Everything that a process has to say; nothing is added up from one to the next. */
export interface TeamRequest {
  /** Grows with every request of the process. */
  readonly seq: number;
  readonly home: string;
  readonly spent: readonly TeamSum[];
  readonly rows: readonly TeamRow[];
}

/** How a scope stands for the process that asked. */
export interface TeamScope {
  readonly scope: string;
  readonly roomUsd: number;
  /** Rooms of all processes of its home, of those of other homes. */
  readonly heldHereUsd: number;
  readonly heldElsewhereUsd: number;
  /** Others wait for some of it. */
  readonly isWanted: boolean;
}

export interface TeamAnswer {
  readonly seq: number;
  readonly scopes: readonly TeamScope[];
  /** By this home as it was told, and by all others. */
  readonly spentHere: readonly TeamSum[];
  readonly spentElsewhere: readonly TeamSum[];
  /** That take part, this one among them. */
  readonly homes: number;
}

export interface TeamMember {
  readonly home: string;
  readonly seenAt: number;
  readonly seq: number;
  /** By scope, upper estimates in dollars. */
  readonly rooms: ReadonlyMap<string, number>;
  /** Scopes that it waits for, and its place among those who wait. */
  readonly unmet: readonly string[];
  readonly turn: number | null;
}

export interface SpentSum extends TeamSum {
  readonly toldAt: number;
}

export interface TeamHome {
  readonly seenAt: number;
  /** False once its last process said that it leaves. */
  readonly isHere: boolean;
  readonly spent: ReadonlyMap<string, SpentSum>;
}

export interface TeamState {
  readonly turn: number;
  readonly members: ReadonlyMap<string, TeamMember>;
  readonly homes: ReadonlyMap<string, TeamHome>;
}

export const NO_TEAM: TeamState = { turn: 0, members: new Map(), homes: new Map() };

export function sumKey({ scope, label }: Pick<TeamSum, 'scope' | 'label'>): string {
  return `${label} ${scope}`;
}
