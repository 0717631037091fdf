/** What the other processes leave us of a lane. Pure. */

import type { LaneGrant } from '../sharing.ts';

export interface LaneShare {
  /** Calls in flight that we may have. */
  readonly slots: number;
  /** Of these, the ones above what is proven. */
  readonly tries: number;
  /** Nobody else is there: the limit is ours to find, the slots say nothing. */
  readonly isAlone: boolean;
  /** Others wait for slots. */
  readonly isContended: boolean;
  /** Slots that stay free for a newcomer while we are alone. */
  readonly reserve: number;
  /** Calls of the others. */
  readonly elsewhere: number;
  /** When our next call may go, and of so many units, where requests per time are limited; null:
   * not before we have asked. */
  readonly turn: { readonly at: number; readonly units: number } | null;
}

/** Until we were told: nothing, where others may be. */
export const NO_SHARE: LaneShare = {
  slots: 0,
  tries: 0,
  isAlone: false,
  isContended: false,
  reserve: 0,
  elsewhere: 0,
  turn: null,
};

/** No more than so many slots. */
export function atMost(share: LaneShare, slots: number): LaneShare {
  return { ...share, slots: Math.min(share.slots, slots) };
}

/** A call has gone: the next one has to ask. */
export function withoutTurn(share: LaneShare): LaneShare {
  return share.turn === null ? share : { ...share, turn: null };
}

/** @param sent calls that have gone: the turn may have been one of theirs */
export function turnIn({ paced }: LaneGrant, sent: number, now: number): LaneShare['turn'] {
  if (paced === null || paced.turn === null || paced.sent !== sent) return null;
  return { at: now + paced.turn.inMs, units: paced.turn.units };
}

/** What we may have of each, we may have of both together. */
export function joinedShare(one: LaneShare | null, other: LaneShare | null): LaneShare | null {
  if (one === null || other === null) return one ?? other;
  return {
    slots: one.slots + other.slots,
    tries: 0,
    isAlone: one.isAlone && other.isAlone,
    isContended: one.isContended || other.isContended,
    reserve: Math.max(one.reserve, other.reserve),
    elsewhere: one.elsewhere + other.elsewhere,
    turn: null,
  };
}
