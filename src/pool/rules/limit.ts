/**
 * How many calls an account takes at once, found from its refusals. Pure.
 *
 * A refusal is exact: at some instant of its flight no more calls were there than we had sent and
 * not seen end. So the limit falls to the most of ours that were there at once meanwhile, whatever
 * the refusal says, and what was refused can be sent again only after one of them ended, a pause
 * passed or the limit grew. There is no multiplicative cut. The way up: doubling while no refusal
 * was ever seen, afterwards one more now and then, ever more rarely where it is refused.
 */

import { doubled, type Timing } from './timing.ts';

export interface LimitState {
  /** The working limit; 0 while a pause is all that can help. */
  readonly limit: number;
  /** What a refusal showed to be the capacity; null while nothing was refused. */
  readonly capacity: number | null;
  /** The user's ceiling; never the estimate. */
  readonly ceiling: number;
  /** Nothing speaks of a limit yet: eight at once, then doubling. */
  readonly eager: boolean;
  /** When the last refusal was learnt of. */
  readonly refusedAt: number;
  /** Not above the proven capacity before this instant. */
  readonly probeAt: number;
  /** Tries above the capacity that were refused, in a row. */
  readonly refusedProbes: number;
  /** How far above the capacity to try; doubles while it works, to follow a raised limit. */
  readonly step: number;
}

/** A second call waits for the first sign; then eight at once, and doubling. */
const SECOND_LIMIT = 4;

export function freshLimit(ceiling: number): LimitState {
  return {
    limit: 1,
    capacity: null,
    ceiling,
    eager: true,
    refusedAt: Number.NEGATIVE_INFINITY,
    probeAt: 0,
    refusedProbes: 0,
    step: 1,
  };
}

function raised(state: LimitState, limit: number): LimitState {
  return { ...state, limit: Math.min(state.ceiling, Math.max(state.limit, limit)) };
}

/**
 * The upstream took a call.
 *
 * @param accepted calls of ours that it took and that are there, this one included
 * @param sentAt what was sent before the last refusal proves nothing against it
 */
export function afterAccepted(state: LimitState, accepted: number, sentAt: number): LimitState {
  const { capacity } = state;
  if (capacity === null) {
    return raised(state, state.eager ? Math.max(SECOND_LIMIT, 2 * accepted) : accepted + 1);
  }
  if (accepted <= capacity || sentAt < state.refusedAt) return state;
  const proven = raised({ ...state, capacity: Math.min(accepted, state.ceiling) }, accepted);
  return { ...proven, refusedProbes: 0, step: Math.min(2 * state.step, accepted), probeAt: 0 };
}

/** One refusal, as far as the limit is concerned. */
export interface Refused {
  /** Most calls of ours that were there at once during its flight, this one not among them. */
  readonly seen: number;
  /** What the refusal's own numbers leave for us; null when it named none. */
  readonly room: number | null;
  readonly now: number;
  /** A pause that the upstream asks for. */
  readonly retryAfterMs: number | null;
}

/** The upstream refused a call for too many in flight. */
export function afterRefused(
  state: LimitState,
  refused: Refused,
  timing: Pick<Timing, 'limitProbeMs' | 'limitProbeMaxMs'>,
): LimitState {
  const { seen, room, now, retryAfterMs } = refused;
  const limit = Math.min(state.limit, seen, room ?? seen);
  const wasTry = isTrying(state) && limit >= (state.capacity ?? 0);
  const refusedProbes = wasTry ? state.refusedProbes + 1 : 0;
  const pause = doubled(timing.limitProbeMs, refusedProbes, timing.limitProbeMaxMs);
  const probeAt = Math.max(state.probeAt, now + Math.max(pause, retryAfterMs ?? 0));
  return {
    ...state,
    limit,
    capacity: limit,
    eager: false,
    refusedAt: now,
    refusedProbes,
    step: 1,
    probeAt,
  };
}

/** Above what a refusal proved. */
export function isTrying(state: LimitState): boolean {
  return state.capacity !== null && state.limit > state.capacity;
}

/** Until a pause of the whole account has passed, none; then one, and up in steps that double while
 * they are taken. Eight at once would be refused by a limit of calls per time again and again. */
export function afterPause(state: LimitState, until: number): LimitState {
  const { ceiling, refusedAt } = state;
  const fresh = freshLimit(ceiling);
  return { ...fresh, limit: 0, capacity: 0, eager: false, refusedAt, probeAt: until };
}

/** A key that may be of the same account was refused: one more at a time from here on. */
export function afterNeighbour(state: LimitState, inFlight: number): LimitState {
  if (state.capacity !== null) return state;
  return { ...state, eager: false, limit: Math.max(1, Math.min(state.limit, inFlight + 1)) };
}

/** Time for a try above the capacity, by at most so many calls. */
export function grown(state: LimitState, most: number): LimitState {
  const { capacity, step } = state;
  return raised(state, (capacity ?? state.limit) + Math.min(step, most));
}

/** So many were there at once, as the calls of all its keys show together. */
export function atLeast(state: LimitState, taken: number): LimitState {
  if (state.capacity === null || taken <= state.capacity) return state;
  return raised({ ...state, capacity: Math.min(taken, state.ceiling) }, taken);
}

/** The try is off, or was never begun. */
export function withoutTry(state: LimitState): LimitState {
  return { ...state, limit: Math.min(state.limit, state.capacity ?? state.limit) };
}

/** When a full account may be tried above its capacity; Infinity for never. */
export function growsAt(state: LimitState): number {
  const { limit, capacity } = state;
  if (limit >= state.ceiling || capacity === null || limit > capacity) {
    return Number.POSITIVE_INFINITY;
  }
  return state.probeAt;
}

/** A limit, and the calls that are there. */
interface Held {
  readonly limit: LimitState;
  readonly inFlight: number;
}

/** Two accounts are one: each has found its part of the whole. */
export function joinedLimit(one: Held, other: Held): LimitState {
  const [known, loose] = one.limit.capacity === null ? [other, one] : [one, other];
  const { capacity, ceiling } = known.limit;
  if (capacity === null) {
    const limit = Math.max(known.limit.limit, loose.limit.limit);
    return { ...known.limit, limit };
  }
  const sum = Math.min(ceiling, capacity + (loose.limit.capacity ?? loose.inFlight));
  const probeAt = Math.max(known.limit.probeAt, loose.limit.probeAt);
  const refusedAt = Math.max(known.limit.refusedAt, loose.limit.refusedAt);
  return { ...known.limit, limit: sum, capacity: sum, step: 1, probeAt, refusedAt };
}

/** An account of its own after all: as many as it has there. */
export function partedLimit({ ceiling }: LimitState, inFlight: number, now: number): LimitState {
  const capacity = Math.max(1, inFlight);
  return { ...freshLimit(ceiling), limit: capacity, capacity, eager: false, probeAt: now };
}

/** So many processes each go on with their part; a pause is the same for everybody. */
export function dividedLimit(state: LimitState, processes: number): LimitState {
  const { limit, capacity } = state;
  if (limit === 0) return state;
  const part = (slots: number): number => Math.max(1, Math.floor(slots / processes));
  return { ...state, limit: part(limit), capacity: capacity === null ? null : part(capacity) };
}
