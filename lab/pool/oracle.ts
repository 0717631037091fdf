/**
 * A scheduler that knows everything beforehand: capacities, speeds, lengths, faults and their ends.
 *
 * Each call, in order of arrival, gets the slot on which it finishes first; a slot is one unit of
 * an account's capacity on its fastest healthy key. No refusal, no failed attempt, no search.
 */

import type { Arrival } from './scenarios.ts';
import type { KeySpec, UpstreamSpec } from './upstream.ts';

interface Slot {
  readonly account: number;
  readonly index: number;
  freeAt: number;
}

const STEP_MS = 5;
const HORIZON_MS = 3_600_000;

function capacityAt(spec: UpstreamSpec, account: number, now: number): number {
  const { capacity = 0, others } = spec.accounts[account] ?? {};
  const all = typeof capacity === 'number' ? capacity : capacity(now);
  return all - (others?.(now) ?? 0);
}

function mostCapacity(spec: UpstreamSpec, account: number): number {
  const capacity = spec.accounts[account]?.capacity ?? 0;
  if (typeof capacity === 'number') return capacity;
  let most = 0;
  for (let now = 0; now < 120_000; now += 1_000) most = Math.max(most, capacity(now));
  return most;
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
  const { capacity, others } = spec.accounts[account] ?? {};
  return hasFaults || typeof capacity === 'function' || others !== undefined;
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

  constructor(spec: UpstreamSpec) {
    this.#spec = spec;
    this.#steps = spec.accounts.map(() => []);
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

  /** The first instant from `from` at which the slot can start a call, with its speed. */
  opening({ account, index }: Slot, from: number, before: number) {
    const end = Math.min(before, from + HORIZON_MS);
    for (let step = Math.floor(from / STEP_MS); step * STEP_MS < end; step++) {
      const { capacity, factor } = this.at(account, step);
      if (factor !== null && index < capacity)
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

export function runOracle(spec: UpstreamSpec, arrivals: readonly Arrival[]): OracleResult {
  const slots: Slot[] = spec.accounts.flatMap((_each, account) =>
    Array.from({ length: mostCapacity(spec, account) }, (_slot, index) => ({
      account,
      index,
      freeAt: 0,
    })),
  );
  const timeline = new Timeline(spec);
  const latenciesMs: number[] = [];
  let end = 0;
  for (const arrival of arrivals) {
    if (arrival.work.isBad || arrival.cancelAfterMs !== undefined) continue;
    const duration = spec.answerMs + spec.firstByteMs + arrival.work.tokens * spec.tokenMs;
    let best: { slot: Slot; doneAt: number } | null = null;
    for (const slot of slots) {
      const from = Math.max(arrival.at, slot.freeAt);
      if (best !== null && from >= best.doneAt) continue;
      const open = timeline.opening(slot, from, best?.doneAt ?? Number.POSITIVE_INFINITY);
      if (open === null) continue;
      const doneAt = open.at + duration * open.factor;
      if (best === null || doneAt < best.doneAt) best = { slot, doneAt };
    }
    if (best === null) throw new Error('the oracle found no slot');
    best.slot.freeAt = best.doneAt;
    latenciesMs.push(best.doneAt - arrival.at);
    end = Math.max(end, best.doneAt);
  }
  return { makespanMs: end - (arrivals[0]?.at ?? 0), latenciesMs };
}
