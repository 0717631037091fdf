/** What the other processes leave us of a lane. Pure. */

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
}

/** Until we were told: nothing, where others may be. */
export const NO_SHARE: LaneShare = {
  slots: 0,
  tries: 0,
  isAlone: false,
  isContended: false,
  reserve: 0,
  elsewhere: 0,
};

/** No more than so many slots. */
export function atMost(share: LaneShare, slots: number): LaneShare {
  return { ...share, slots: Math.min(share.slots, slots) };
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
  };
}
