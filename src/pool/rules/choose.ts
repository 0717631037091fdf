/**
 * Which key serves next. Pure: one scan over all keys; in one event loop the counts
 * are exact, so nothing has to be sampled.
 */

/** What the choice knows of one key that may take the call. */
export interface Candidate {
  /** Relative cost: slowness over success, 1 as the median. */
  readonly cost: number;
  readonly inFlight: number;
  /** Of the account and model. */
  readonly laneInFlight: number;
  readonly laneLimit: number;
  readonly lastTurn: number;
  /** A half-open breaker: its one trial is how capacity comes back. */
  readonly trial: boolean;
}

/** Costs within this factor count as equal. */
const BAND = 1.25;
/** Utilisations within this distance count as equal. */
const SAME_USE = 0.1;

function use(candidate: Candidate): number {
  return candidate.laneInFlight / candidate.laneLimit;
}

/** The best of the candidates: cheap, then least used, then longest unused; null for none. */
export function choose<T extends Candidate>(candidates: readonly T[]): T | null {
  let cheapest = Number.POSITIVE_INFINITY;
  for (const each of candidates) {
    if (each.trial) return each;
    if (each.cost < cheapest) cheapest = each.cost;
  }
  let leastUse = Number.POSITIVE_INFINITY;
  for (const each of candidates) {
    if (each.cost <= cheapest * BAND) leastUse = Math.min(leastUse, use(each));
  }
  let best: T | null = null;
  for (const each of candidates) {
    if (each.cost > cheapest * BAND || use(each) > leastUse + SAME_USE) continue;
    const isFresher =
      best === null ||
      each.lastTurn < best.lastTurn ||
      (each.lastTurn === best.lastTurn && each.inFlight < best.inFlight);
    if (isFresher) best = each;
  }
  return best;
}

/** Busy keys that are cheaper than the chosen one. */
export interface Faster {
  /** Their cost, averaged over their slots. */
  readonly cost: number;
  readonly slots: number;
}

/** Much slower than the busy ones: only then waiting can pay. */
const MUCH_SLOWER = 1.5;

/**
 * Earliest finish: true when the whole queue drains over the faster keys before the slow one
 * would be done. Costs stand for service times: both sides share the factor.
 */
export function waitingPays(chosenCost: number, faster: Faster, waiting: number): boolean {
  if (faster.slots === 0 || chosenCost < MUCH_SLOWER * faster.cost) return false;
  const drain = (waiting / faster.slots) * faster.cost;
  return drain + faster.cost < chosenCost;
}
