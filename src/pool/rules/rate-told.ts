/** What an answer's own numbers teach about requests per time. Pure. */

import { type RateState, rateOf, regainMsOf, type Taken } from './rate.ts';
import { foretold, unitsAfter } from './rate-guess.ts';

/** What an answer says about the limit. */
export interface ToldRate {
  readonly limit: number | null;
  readonly remaining: number | null;
}

/** An answer told how much room was left when its request, sent at `sentAt`, had been counted. */
export function afterRateTold(
  state: RateState,
  told: ToldRate,
  sentAt: number,
  taken: readonly Taken[],
): RateState {
  const known = told.limit === null ? state : renamed(state, told.limit);
  if (told.remaining === null) return known;
  const room = told.remaining - unitsAfter(taken, sentAt);
  if (known.refusedRate === null) {
    if (room >= 1) return known;
    const guess = foretold(known, told.remaining, sentAt, taken);
    return { ...guess, wantedMs: 0, room, roomAt: sentAt };
  }
  // It only ever holds back: what is counted there may be another limit than the one we meet.
  const atMost = room + (rateOf(known) ?? 0) * Math.max(0, known.roomAt - sentAt);
  return atMost < known.room ? { ...known, room: atMost } : known;
}

/** Another limit than before: as much more, or less, may go. */
function renamed(state: RateState, limit: number): RateState {
  const { named, refusedRate, burst } = state;
  if (limit <= 0 || limit === named) return state;
  if (named === null || refusedRate === null) return { ...state, named: limit };
  const factor = limit / named;
  return {
    ...state,
    named: limit,
    refusedRate: refusedRate * factor,
    burst: { units: burst.units * factor, ms: burst.ms },
    wantedMs: regainMsOf(refusedRate * factor, state),
  };
}
