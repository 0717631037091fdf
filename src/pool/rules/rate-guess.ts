/** The first guess at a rate, before anything is known of it. Pure. */

import type { Burst, RateState, Taken } from './rate.ts';

/** A first guess needs some time behind it; and limits are told per second. */
const GUESS_MS = 1_000;
/** Between calls while nothing at all was taken. */
const UNKNOWN_MS = 250;
/** Sent in the same turn of the event loop: which came first at the upstream, nobody knows. */
const AT_ONCE_MS = 1;

/** Units that were sent from one instant until before another. */
export function unitsIn(taken: readonly Taken[], from: number, to: number): number {
  return sum(taken.filter(({ sentAt }) => sentAt >= from && sentAt < to));
}

export function unitsAfter(taken: readonly Taken[], at: number): number {
  return sum(taken.filter(({ sentAt }) => sentAt > at));
}

function sum(taken: readonly Taken[]): number {
  return taken.reduce((units, each) => units + each.units, 0);
}

/** The first refusal: a limit of as many per second as were taken in the last one, or since. */
export function guessed(state: RateState, sentAt: number, taken: readonly Taken[]): RateState {
  const from = guessedFrom(state, sentAt);
  const units = unitsIn(taken, from, sentAt + AT_ONCE_MS);
  return guessedOf(state, { units, ms: sentAt - from }, sentAt);
}

/**
 * The same where nothing was refused yet: an answer told how much room was left when its request,
 * sent at `sentAt`, had been counted, and that is gone by now.
 */
export function foretold(
  state: RateState,
  room: number,
  sentAt: number,
  taken: readonly Taken[],
): RateState {
  const from = guessedFrom(state, sentAt);
  let units = sum(taken.filter((each) => each.sentAt >= from && each.sentAt <= sentAt));
  const fullOf = units + room;
  let fullAt = sentAt;
  for (const each of taken) {
    if (each.sentAt <= sentAt || units >= fullOf) continue;
    units += each.units;
    fullAt = each.sentAt;
  }
  return guessedOf(state, { units, ms: fullAt - from }, fullAt);
}

function guessedFrom({ restedAt }: RateState, sentAt: number): number {
  const knowsRest = restedAt !== Number.NEGATIVE_INFINITY;
  return knowsRest ? Math.max(restedAt, sentAt - 60 * GUESS_MS) : sentAt - GUESS_MS;
}

function guessedOf(state: RateState, burst: Burst, fullAt: number): RateState {
  // Nothing was taken: somebody else's requests, and nothing to guess from.
  const refusedRate =
    burst.units === 0 ? 1 / UNKNOWN_MS : burst.units / Math.max(GUESS_MS, burst.ms);
  return { ...state, ...fullFrom(fullAt, refusedRate), refusedRate, burst };
}

/** Nothing before this refusal counts any more. */
export function fullFrom(sentAt: number, leastRate: number) {
  return { fullAt: sentAt, leastRate, refusals: 0, askedMs: 0 };
}
