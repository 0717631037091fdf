/**
 * Who may have how many slots of one lane. Pure.
 *
 * What a process was granted it may use at any moment, so that it is its own until it gives it back,
 * which it does as its calls end while others wait. What is left goes, one slot at a time, to
 * whoever has least of those who want more: for interactive calls first, then for batch work. Equal
 * ones take turns: who was given a slot longest ago is next. Only when nobody waits any more, spare
 * slots are handed out, so that a call which comes later need not ask; the last one stays, for a
 * newcomer's first call.
 */

export interface Claim {
  /** What it cannot lose now: the share that it was granted and has not given back. */
  readonly floor: number;
  /** Calls in flight, and interactive ones that wait. */
  readonly interactive: number;
  /** Batch calls that wait. */
  readonly batch: number;
  /** Its own most. */
  readonly ceiling: number;
  /** When it was given a slot last: a number that grows. */
  readonly turn: number;
}

export interface Allotted {
  /** Slots of each claim, in the order of the claims. */
  readonly shares: readonly number[];
  /** Somebody wants, or has, more than there is. */
  readonly isContended: boolean;
}

/** Calls that may come without asking. */
const SPARE = 2;

interface Share extends Claim {
  slots: number;
}

/** Whoever has least of those below what they want; null when all have it. */
function neediest(shares: readonly Share[], wanted: (share: Share) => number): Share | null {
  let best: Share | null = null;
  for (const each of shares) {
    if (each.slots >= Math.min(wanted(each), each.ceiling)) continue;
    const isNeedier =
      best === null ||
      each.slots < best.slots ||
      (each.slots === best.slots && each.turn < best.turn);
    if (isNeedier) best = each;
  }
  return best;
}

/**
 * @param limit slots of the lane
 * @param leavesOne interactive calls came lately: batch work leaves them one slot
 */
export function allot(limit: number, claims: readonly Claim[], leavesOne: boolean): Allotted {
  const shares = claims.map((claim): Share => ({ ...claim, slots: claim.floor }));
  let left = limit - claims.reduce((sum, claim) => sum + claim.floor, 0);
  const handOut = (wanted: (share: Share) => number, kept: number): Share | null => {
    for (;;) {
      const next = neediest(shares, wanted);
      if (next === null || left <= kept) return next;
      next.slots += 1;
      left -= 1;
    }
  };
  const interactive = handOut((each) => each.interactive, 0);
  const batch = handOut((each) => each.interactive + each.batch, leavesOne && limit > 1 ? 1 : 0);
  // After a limit fell, more may be out than there is.
  const isContended = interactive !== null || batch !== null || left < 0;
  if (!isContended) handOut((each) => each.interactive + each.batch + SPARE, 1);
  return { shares: shares.map((each) => each.slots), isContended };
}
