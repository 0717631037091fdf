/** Accounts that nobody named and that were found to be one, for all processes. */

import {
  accountIn,
  laneKey,
  type MemberRecord,
  type SharedLane,
  type SharedState,
  type Stake,
  type StateDraft,
} from './shared-state.ts';

/** Accounts that are one from here on. */
export function join(draft: StateDraft, accounts: readonly string[]): void {
  const [first, ...others] = accounts.map((each) => accountIn(draft, each));
  if (first === undefined) return;
  const absorbed = new Set(others.filter((each) => each !== first));
  for (const account of accounts) draft.joined.set(account, first);
  for (const [account, to] of draft.joined) if (absorbed.has(to)) draft.joined.set(account, first);
  for (const lane of [...draft.lanes.values()]) {
    if (!absorbed.has(lane.account)) continue;
    draft.lanes.delete(laneKey(lane.account, lane.model));
    const key = laneKey(first, lane.model);
    const known = draft.lanes.get(key);
    const own = { ...lane, account: first };
    draft.lanes.set(key, known === undefined ? own : mergedLane(known, own));
  }
  for (const [id, member] of draft.members) {
    draft.members.set(id, { ...member, stakes: joinedStakes(draft, member.stakes) });
  }
}

/** Each has found its part of the whole. Who joined them may know better, and says so in a row. */
function mergedLane(one: SharedLane, other: SharedLane): SharedLane {
  const [newer, older] = one.generation >= other.generation ? [one, other] : [other, one];
  const [known, loose] = newer.limit.capacity === null ? [older, newer] : [newer, older];
  const { capacity, ceiling } = known.limit;
  const sum = Math.min(ceiling, (capacity ?? 0) + (loose.limit.capacity ?? 0));
  const limit = capacity === null ? known.limit : { ...known.limit, limit: sum, capacity: sum };
  return { ...newer, limit, tries: Math.min(one.tries, other.tries) };
}

function joinedStakes(draft: StateDraft, stakes: MemberRecord['stakes']): Map<string, Stake> {
  const joined = new Map<string, Stake>();
  for (const stake of stakes.values()) {
    const key = laneKey(accountIn(draft, stake.account), stake.model);
    const known = joined.get(key);
    joined.set(key, known === undefined ? stake : mergedStake(known, stake));
  }
  return joined;
}

/** One process on one lane by two names. What waits for one waits for the other. */
export function mergedStake(one: Stake, other: Stake): Stake {
  const waits = ({ interactive, inFlight }: Stake): number => interactive - inFlight;
  return {
    ...one,
    names: [...one.names, ...other.names],
    inFlight: one.inFlight + other.inFlight,
    accepted: one.accepted + other.accepted,
    acceptedSentAt: Math.max(one.acceptedSentAt, other.acceptedSentAt),
    interactive: one.inFlight + other.inFlight + Math.max(waits(one), waits(other)),
    batch: Math.max(one.batch, other.batch),
    isInteractive: one.isInteractive || other.isInteractive,
    ceiling: Math.max(one.ceiling, other.ceiling),
    ended: one.ended + other.ended,
    held: one.held + other.held,
    turn: Math.max(one.turn, other.turn),
  };
}

/** They are not one after all, and what was found of them together says nothing of each. */
export function part(draft: StateDraft, accounts: readonly string[]): void {
  const firsts = new Set(accounts.map((each) => accountIn(draft, each)));
  for (const [account, first] of draft.joined) if (firsts.has(first)) draft.joined.delete(account);
  for (const [key, lane] of draft.lanes) if (firsts.has(lane.account)) draft.lanes.delete(key);
}

export function groupsIn({ joined }: Pick<SharedState, 'joined'>): string[][] {
  const groups = new Map<string, string[]>();
  for (const [account, first] of joined) {
    const group = groups.get(first);
    if (group === undefined) groups.set(first, [account]);
    else group.push(account);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}
