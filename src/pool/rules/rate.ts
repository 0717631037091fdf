/**
 * How many requests per time an account takes, found from its refusals. Pure.
 *
 * The upstream's limit is a leaky bucket, a window, or several of them; nobody says which. What all
 * have in common: refused means full, and from then on room comes back at the allowed rate. So until
 * the first refusal nothing is held back. Afterwards calls take turns, at a rate that falls a little
 * below the refused one and then rises again: slowly up to it, for a while flat around it, and ever
 * faster where nothing is refused (the curve of TCP's CUBIC, RFC 9438, on a rate instead of a
 * window). One refusal now and then is the price of knowing that the limit has been raised.
 *
 * Rates are units per millisecond; most calls are one unit.
 */

import type { Provider } from '../../base/errors.ts';

/** Perplexity limits requests per time; DeepSeek, calls in flight. */
export function isRateLimited(provider: Provider): boolean {
  return provider === 'perplexity';
}

export interface RateState {
  /** The rate that was refused last; null while nothing was. */
  readonly refusedRate: number | null;
  /** Since then, the time in which calls waited for their turn: who does not ask learns nothing. */
  readonly wantedMs: number;
  /** What may be sent at once, at `roomAt`; less than nothing after calls of many units. */
  readonly room: number;
  readonly roomAt: number;
  /** What was taken from a rest to a refusal: it tells how much may go at once after a rest. */
  readonly burst: Burst;
  /** When what is being sent now began, after a rest. */
  readonly restedAt: number;
  /** When the latest refusal was sent, and when it was learnt of. */
  readonly refusal: { readonly sentAt: number; readonly at: number };
  /** An earlier refusal, since which the bucket cannot have run dry. */
  readonly fullAt: number;
  /** Refusals since then: each may have cost the time of a call. */
  readonly refusals: number;
  /** The lowest rate of our own since then. */
  readonly leastRate: number;
  /** The longest pause since then that the upstream asked for. */
  readonly askedMs: number;
  /** The last time in which nothing at all was taken. */
  readonly closed: { readonly at: number; readonly ms: number };
  /** Refusals that it was found by; the first one gives a mere guess. */
  readonly cuts: number;
  /** Met twice at about the same rate: there is no hurry to try a higher one. */
  readonly isSettled: boolean;
  /** Refusals in a row, with nothing taken between. */
  readonly inRow: number;
  /** Nothing goes before this instant: a pause. */
  readonly pausedUntil: number;
  /** The limit that the upstream's answers name; null while none did. */
  readonly named: number | null;
}

export interface Burst {
  readonly units: number;
  readonly ms: number;
}

/** A call that was not refused, as far as we know. */
export interface Taken {
  readonly sentAt: number;
  readonly units: number;
}

const NEVER = Number.NEGATIVE_INFINITY;

export const FRESH_RATE: RateState = {
  refusedRate: null,
  wantedMs: 0,
  room: 0,
  roomAt: 0,
  burst: { units: 1, ms: 0 },
  restedAt: NEVER,
  refusal: { sentAt: NEVER, at: NEVER },
  fullAt: NEVER,
  refusals: 0,
  leastRate: 0,
  askedMs: 0,
  closed: { at: NEVER, ms: 0 },
  cuts: 0,
  isSettled: false,
  inRow: 0,
  pausedUntil: NEVER,
  named: null,
};

/** After a refusal the rate goes on with this share of the refused one. */
export const KEPT = 0.95;
/** From the kept share up to the refused rate: at least so long, and so many calls. */
const REGAIN_MS = 15_000;
const REGAIN_UNITS = 20;
/** From there to twice as much, while nothing is refused. */
const DOUBLING_MS = 30_000;
/** So many times longer where a refusal costs a pause that is asked for. */
const DEAR = 1.5;
/** So many times faster while the rate is not settled. */
const HURRY = 2;
/** A guess that nothing contradicts doubles in this time. */
const GUESS_DOUBLING_MS = 2_000;
/** Without any call for so long, a limit that was never met is asked anew. */
const REST_MS = 1_000;

/** How long it takes from the kept share up to the refused rate. */
export function regainMsOf(rate: number, { isSettled, askedMs }: RateState): number {
  const dear = askedMs > 0 ? DEAR : 1;
  return (dear * Math.max(REGAIN_MS, REGAIN_UNITS / rate)) / (isSettled ? 1 : HURRY);
}

/** Units per millisecond at present; null for as many as one likes. */
export function rateOf(state: RateState): number | null {
  const { refusedRate, wantedMs, cuts, isSettled } = state;
  if (refusedRate === null) return null;
  if (cuts === 0) return refusedRate * 2 ** (wantedMs / GUESS_DOUBLING_MS);
  const regainMs = regainMsOf(refusedRate, state);
  if (wantedMs < regainMs) return refusedRate * (1 - (1 - KEPT) * (1 - wantedMs / regainMs) ** 3);
  const doublingMs = DOUBLING_MS / (isSettled ? 1 : HURRY);
  return refusedRate * (1 + ((wantedMs - regainMs) / doublingMs) ** 3);
}

/** What may go at once after a rest. A part of a unit would only make the next one early. */
export function depthOf({ refusedRate, burst }: RateState): number {
  return Math.max(1, Math.floor(burst.units - (refusedRate ?? 0) * burst.ms));
}

function roomAt(state: RateState, now: number): number {
  const rate = rateOf(state) ?? 0;
  return Math.min(depthOf(state), state.room + rate * Math.max(0, now - state.roomAt));
}

/** When a call of so many units may go, and leave `spare` for others. */
export function turnAt(state: RateState, units: number, spare = 0): number {
  const rate = rateOf(state);
  if (rate === null) return state.pausedUntil;
  const needed = Math.min(units + spare, depthOf(state));
  return Math.max(state.pausedUntil, state.roomAt + Math.max(0, needed - state.room) / rate);
}

/** So many turns late at most, and the call has waited for its own: nothing else kept it. */
const PROMPT = 1.3;
/** So many turns late, and it is a rest, where no more than one goes at once. */
const RESTED = 2;

/**
 * The same for a process of several, behind those that asked before it.
 *
 * @param before units of those that have not gone yet
 */
export function turnBehind(
  state: RateState,
  before: number,
  units: number,
  spare: number,
  now: number,
): number {
  const rate = rateOf(state);
  if (rate === null) return state.pausedUntil;
  const needed = Math.min(units + spare, depthOf(state)) + before;
  // Room that was there before now is no more than goes at once.
  const from = Math.max(now, state.roomAt);
  return Math.max(state.pausedUntil, from + Math.max(0, needed - roomAt(state, now)) / rate);
}

/** What was taken before this instant is not known: no bound on the rate reaches back to it. */
export function countedFrom(state: RateState, now: number): RateState {
  return state.refusedRate === null ? state : { ...state, fullAt: now, refusals: 0 };
}

/** What one of so many has of it, while nobody says what the others send. */
export function dividedRate(state: RateState, processes: number): RateState {
  const { refusedRate, leastRate, burst } = state;
  if (refusedRate === null) return state;
  return {
    ...state,
    refusedRate: refusedRate / processes,
    leastRate: leastRate / processes,
    burst: { ...burst, units: burst.units / processes },
  };
}

/**
 * A call of so many units is sent; `before` is when the one before it was. Of what several processes
 * sent, one is heard of late now and then.
 */
export function afterSent(state: RateState, units: number, now: number, before: number): RateState {
  const rate = rateOf(state);
  if (rate === null) {
    return now - before > REST_MS ? { ...state, restedAt: now } : state;
  }
  const room = roomAt(state, now);
  const depth = depthOf(state);
  const isRested = now - turnAt(state, depth) > (depth > 1 ? 0 : RESTED / rate);
  const isWanted = now - turnAt(state, units) < PROMPT / rate;
  const waited = Math.max(0, now - Math.max(before, state.refusal.at, state.pausedUntil));
  // One call that is taken says no more than that a guess may be doubled.
  const gap = state.cuts === 0 ? Math.min(waited, GUESS_DOUBLING_MS) : waited;
  return {
    ...state,
    room: room - units,
    roomAt: Math.max(state.roomAt, now),
    restedAt: isRested ? now : state.restedAt,
    wantedMs: state.wantedMs + (isWanted ? gap : 0),
  };
}
