/** The calls of this process that one scope of a budget counts, in their order, and the room they have. */

import { type Budget, budgetScope } from '../budget.ts';
import type { TeamRow } from './team-state.ts';

/** A call that looks for an account asks many times a second. */
const WISHED_MS = 500;
/** Sums of floats are right to far more than this. */
const EXACT_USD = 1e-9;

interface Place {
  readonly usd: number;
  isUnderWay: boolean;
}

export class ScopeLine {
  readonly #places = new Map<string, Place>();
  /** What may be spent from here on before that is told. */
  #roomUsd = 0;
  /** Spent since it was last said how things are. */
  #untoldUsd = 0;
  #wish: { readonly usd: number; readonly at: number } | null = null;
  /** As it is set at the moment. */
  budget: Budget;
  /** Others wait for some of the room. */
  isWanted = false;

  constructor(budget: Budget) {
    this.budget = budget;
  }

  get isOfAccount(): boolean {
    return this.budget.account !== null;
  }

  get isEmpty(): boolean {
    return this.#places.size === 0 && this.#roomUsd === 0 && this.#wish === null;
  }

  /** Whether the budget counts what is spent with this account, for this client. */
  counts(account: string, client: string | null): boolean {
    const { account: ofAccount, client: ofClient } = this.budget;
    return (ofAccount ?? account) === account && (ofClient ?? client) === client;
  }

  has(id: string): boolean {
    return this.#places.has(id);
  }

  enter(id: string, usd: number, isUnderWay: boolean): void {
    if (!this.#places.has(id)) this.#places.set(id, { usd, isUnderWay });
  }

  start(id: string): void {
    const place = this.#places.get(id);
    if (place !== undefined) place.isUnderWay = true;
  }

  /** @returns whether it stood there */
  exit(id: string): boolean {
    return this.#places.delete(id);
  }

  /** Part of the room is used up. */
  spend(usd: number): void {
    this.#roomUsd = Math.max(0, this.#roomUsd - usd);
    this.#untoldUsd += usd;
  }

  clear(): void {
    this.#places.clear();
  }

  isClear(id: string): boolean {
    let sum = 0;
    for (const [each, { usd }] of this.#places) {
      sum += usd;
      if (each === id) return sum <= this.#roomUsd + EXACT_USD;
    }
    return false;
  }

  wouldFit(usd: number): boolean {
    return this.#sum() + usd <= this.#roomUsd + EXACT_USD;
  }

  wish(usd: number, now: number): void {
    this.#wish = { usd, at: now };
  }

  /**
   * What is to be said of it; nothing where there is nothing. Room that others wait for, or that no
   * call has a use for, is not used from here on.
   */
  row(label: string, now: number): TeamRow[] {
    if (this.#wish !== null && now - this.#wish.at > WISHED_MS) this.#wish = null;
    this.#untoldUsd = 0;
    if (this.isEmpty) return [];
    const wishUsd = this.#wish?.usd ?? 0;
    const inFlightUsd = this.#sum(({ isUnderWay }) => isUnderWay);
    const first = [...this.#places.values()].find(({ isUnderWay }) => !isUnderWay);
    const wantUsd = this.#sum() + wishUsd;
    this.#roomUsd = Math.min(this.#roomUsd, this.isWanted ? inFlightUsd : wantUsd);
    return [
      {
        scope: budgetScope(this.budget),
        label,
        capUsd: this.budget.usd,
        keepUsd: this.#roomUsd,
        inFlightUsd,
        nextUsd: first?.usd ?? wishUsd,
        wantUsd,
      },
    ];
  }

  hear(roomUsd: number, isWanted: boolean): void {
    this.#roomUsd = Math.max(0, roomUsd - this.#untoldUsd);
    this.isWanted = isWanted;
  }

  #sum(isCounted: (place: Place) => boolean = () => true): number {
    let sum = 0;
    for (const place of this.#places.values()) if (isCounted(place)) sum += place.usd;
    return sum;
  }
}
