/**
 * A scheduler that knows everything beforehand: capacities, speeds, lengths, faults and their ends.
 *
 * Each call, in order of arrival, gets the slot on which it finishes first; a slot is one unit of
 * an account's capacity on its fastest healthy key. Where the capacity changes there are no slots:
 * what was begun under a higher limit still counts under a lower one. No refusal, no failed attempt,
 * no search.
 */

import type { Arrival } from './simulation/traffic.ts';
import type { AccountSpec, KeySpec, UpstreamSpec } from './simulation/virtual-upstream.ts';

interface Slot {
  readonly account: number;
  /** Null for all of an account together whose capacity changes. */
  readonly index: number | null;
  freeAt: number;
}

const STEP_MS = 5;
const HORIZON_MS = 3_600_000;

function capacityAt(spec: UpstreamSpec, account: number, now: number): number {
  const { capacity = 0, others } = spec.accounts[account] ?? {};
  const all = typeof capacity === 'number' ? capacity : capacity(now);
  return all - (others?.(now) ?? 0);
}

function isSteady({ capacity, others }: AccountSpec): boolean {
  return typeof capacity === 'number' && others === undefined;
}

function slotsOf(spec: UpstreamSpec): Slot[] {
  return spec.accounts.flatMap((each, account): Slot[] => {
    if (!isSteady(each)) return [{ account, index: null, freeAt: 0 }];
    const count = capacityAt(spec, account, 0);
    return Array.from({ length: count }, (_, index) => ({ account, index, freeAt: 0 }));
  });
}

/** The speed factor of the account's best key that works at this instant; null for none. */
function factorAt(spec: UpstreamSpec, account: number, now: number): number | null {
  const working = spec.keys.filter(
    (key: KeySpec) => key.account === account && (key.fault?.(now) ?? null) === null,
  );
  if (working.length === 0) return null;
  return Math.min(...working.map((key) => key.slow ?? 1));
}

function changes(spec: UpstreamSpec, account: number): boolean {
  const hasFaults = spec.keys.some((key) => key.account === account && key.fault !== undefined);
  const each = spec.accounts[account];
  return hasFaults || (each !== undefined && !isSteady(each));
}

/** What an account takes at an instant, and how fast; looked up once for every step. */
interface Open {
  readonly capacity: number;
  readonly factor: number | null;
}

class Timeline {
  readonly #spec: UpstreamSpec;
  readonly #steps: Open[][];
  readonly #changes: readonly boolean[];
  /** Calls there at every step, where the capacity changes. */
  readonly #busy: number[][];

  constructor(spec: UpstreamSpec) {
    this.#spec = spec;
    this.#steps = spec.accounts.map(() => []);
    this.#busy = spec.accounts.map(() => []);
    this.#changes = spec.accounts.map((_, account) => changes(spec, account));
  }

  at(account: number, step: number): Open {
    const steps = this.#steps[account] ?? [];
    const known = steps[step];
    if (known !== undefined) return known;
    const now = step * STEP_MS;
    const open = {
      capacity: capacityAt(this.#spec, account, now),
      factor: factorAt(this.#spec, account, now),
    };
    steps[step] = open;
    return open;
  }

  occupy({ account, index }: Slot, from: number, to: number): void {
    const busy = this.#busy[account];
    if (index !== null || busy === undefined) return;
    for (let step = Math.floor(from / STEP_MS); step * STEP_MS < to; step++) {
      busy[step] = (busy[step] ?? 0) + 1;
    }
  }

  /** The first instant from `from` at which the slot can start a call, with its speed. */
  opening({ account, index }: Slot, from: number, before: number) {
    const end = Math.min(before, from + HORIZON_MS);
    for (let step = Math.floor(from / STEP_MS); step * STEP_MS < end; step++) {
      const { capacity, factor } = this.at(account, step);
      const there = index ?? this.#busy[account]?.[step] ?? 0;
      if (factor !== null && there < capacity)
        return { at: Math.max(from, step * STEP_MS), factor };
      if (!this.#changes[account]) return null;
    }
    return null;
  }
}

export interface OracleResult {
  readonly makespanMs: number;
  /** Per call, in order of arrival. */
  readonly latenciesMs: readonly number[];
}

/**
 * @param callers loops that share the calls, each with its next as soon as its last one ended;
 *   without a number every call comes at its own time
 */
export function runOracle(
  spec: UpstreamSpec,
  arrivals: readonly Arrival[],
  callers?: number,
): OracleResult {
  const slots = slotsOf(spec);
  const timeline = new Timeline(spec);
  const latenciesMs: number[] = [];
  const freeAt = new Array<number>(callers ?? 0).fill(0);
  let end = 0;
  for (const call of arrivals) {
    const at = callers === undefined ? call.at : Math.min(...freeAt);
    const arrival = { ...call, at };
    if (arrival.work.isBad || arrival.cancelAfterMs !== undefined) continue;
    const duration = spec.answerMs + spec.firstByteMs + arrival.work.tokens * spec.tokenMs;
    let best: { slot: Slot; from: number; doneAt: number } | null = null;
    for (const slot of slots) {
      const from = Math.max(arrival.at, slot.freeAt);
      if (best !== null && from >= best.doneAt) continue;
      const open = timeline.opening(slot, from, best?.doneAt ?? Number.POSITIVE_INFINITY);
      if (open === null) continue;
      const doneAt = open.at + duration * open.factor;
      if (best === null || doneAt < best.doneAt) best = { slot, from: open.at, doneAt };
    }
    if (best === null) throw new Error('the oracle found no slot');
    timeline.occupy(best.slot, best.from, best.doneAt);
    if (best.slot.index !== null) best.slot.freeAt = best.doneAt;
    if (callers !== undefined) freeAt[freeAt.indexOf(at)] = best.doneAt;
    latenciesMs.push(best.doneAt - arrival.at);
    end = Math.max(end, best.doneAt);
  }
  return { makespanMs: end - (arrivals[0]?.at ?? 0), latenciesMs };
}
