/** Which accounts are one: the rules of same-account.ts and swap.ts on the live keys. */

import { isFull, isTry, type Stay } from '../records/lane.ts';
import type { AccountRecord } from '../records/state.ts';
import {
  awaitsSwap,
  type Bystanders,
  beginSwap,
  endSwap,
  mayBeOne,
  swapRefused,
} from '../records/swap.ts';
import { afterNeighbour, atLeast, grown, growsAt } from '../rules/limit.ts';
import {
  accountOf,
  type Counts,
  isMistaken,
  mostTaken,
  type Named,
  NOTHING_SEEN,
  type Sightings,
  withRefusal,
  withTaken,
} from '../rules/same-account.ts';
import type { Attempt } from './attempt.ts';
import type { Roster } from './roster.ts';
import type { Pick } from './selector.ts';

/** What is older than so many services says nothing about today. */
const MEMORY_SERVICES = 40;
const MEMORY_MIN_MS = 5_000;
/** With more accounts than these, somebody who knows them should name them. */
const MANY_ACCOUNTS = 32;

export class Kinship {
  readonly #roster: Roster;

  constructor(roster: Roster) {
    this.#roster = roster;
  }

  /** A call of the model waits, and this slot came free: whose else may it be? */
  begin(attempt: Attempt): void {
    if (this.#isOpen()) beginSwap(attempt.slot.account, attempt.call.request.model, this.#about());
  }

  /** No call was there to try with. */
  unlessBegun(): void {
    const { swap } = this.#roster.provider;
    if (swap !== null && swap.stay === null) endSwap(this.#about());
  }

  sent(attempt: Attempt): void {
    const { swap } = this.#roster.provider;
    if (swap === null || swap.stay !== null) return;
    const isIts = swap.to === attempt.slot.account.label && swap.model === attempt.lane.model;
    if (isIts) swap.stay = attempt.stay;
  }

  /** @param isSeen the upstream said so itself */
  taken(attempt: Attempt, isSeen: boolean): void {
    const { stay, slot, lane } = attempt;
    const about = this.#about();
    if (about.provider.swap?.stay === stay) endSwap(about);
    if (!isSeen) return;
    stay.isSeen = true;
    const seen = about.provider.sightings.get(lane.model);
    // Before the first refusal there is nothing to explain.
    if (seen === undefined || !this.#isOpen()) return;
    const there = this.#count(lane.model, (each) => each.isSeen && isThere(each));
    const taken = { at: about.now, label: slot.record.account, there };
    about.provider.sightings.set(lane.model, withTaken(seen, taken, this.#since()));
  }

  /** @param named calls in flight on the account, by the refusal's own numbers */
  refused(attempt: Attempt, named: Named | null): void {
    const { slot, lane, stay } = attempt;
    const about = this.#about();
    if (about.provider.swap?.stay === stay) swapRefused(about, this.#roster.timing());
    for (const other of about.accounts) {
      const neighbour = mayBeOne(slot.account, other) ? other.lanes.get(lane.model) : undefined;
      if (neighbour === undefined) continue;
      neighbour.limit = afterNeighbour(neighbour.limit, neighbour.inFlight);
    }
    if (this.#isOpen()) this.#explain(attempt, named);
  }

  left(attempt: Attempt): void {
    if (this.#roster.provider.swap?.stay === attempt.stay) endSwap(this.#about());
  }

  /** Likely to be refused. */
  isRisky({ lane }: Pick): boolean {
    return isTry(lane);
  }

  /** When a full account may be tried above its capacity, while calls wait; Infinity for never. */
  growsAt(account: AccountRecord, model: string, now: number): number {
    const lane = account.lanes.get(model);
    const { swap, tries, pace } = this.#roster.provider;
    if (lane === undefined || !isFull(lane)) return Number.POSITIVE_INFINITY;
    if (swap !== null && (swap.from === account.label || swap.to === account.label)) {
      return Number.POSITIVE_INFINITY;
    }
    // Before the first call was served nothing can have changed. After a pause one call goes, whatever
    // it costs; else nothing would ever go again.
    const mayTry = tries >= 1 && pace.serviceMs !== null;
    if (lane.limit.capacity !== 0 && !mayTry) return Number.POSITIVE_INFINITY;
    const at = Math.max(growsAt(lane.limit), account.coolUntil);
    const isAwaited = this.#isOpen() && awaitsSwap(account, lane, { ...this.#about(), now });
    return isAwaited ? at + this.#roster.timing().limitProbeMs : at;
  }

  /** Lets full accounts be tried above their capacity where it is time. */
  growDue(model: string, now: number): void {
    const { provider, accounts } = this.#roster;
    for (const account of accounts) {
      const lane = account.lanes.get(model);
      if (lane === undefined || this.growsAt(account, model, now) > now) continue;
      lane.limit = grown(lane.limit, Math.max(1, Math.floor(provider.tries)));
    }
  }

  /** True while there is anything to find out. */
  #isOpen(): boolean {
    const { slots } = this.#roster;
    if (slots.length < 2 || slots.length > MANY_ACCOUNTS) return false;
    return slots.some((slot) => !slot.isGiven);
  }

  #about(): Bystanders {
    const { provider, accounts } = this.#roster;
    return { provider, accounts, now: this.#roster.now() };
  }

  #since(): number {
    const memoryMs = MEMORY_SERVICES * this.#roster.timing().limitProbeMs;
    return this.#roster.now() - Math.max(MEMORY_MIN_MS, memoryMs);
  }

  #explain(attempt: Attempt, named: Named | null): void {
    const { slot, lane, sentAt } = attempt;
    const { provider, accounts, now } = this.#about();
    const { model } = lane;
    const isBefore = (each: Stay): boolean => each.sentAt <= sentAt && each.endAt > sentAt;
    const refusal = {
      at: now,
      label: slot.record.account,
      before: this.#count(model, isBefore),
      sure: this.#count(model, (each) => isBefore(each) && (each.isAccepted || !isThere(each))),
      after: this.#count(model, isThere),
      least: this.#count(model, (each) => each.isSeen && each.sentAt < sentAt && isThere(each)),
      named,
    };
    const before = provider.sightings.get(model) ?? NOTHING_SEEN;
    const seen = withRefusal(before, refusal, this.#since());
    provider.sightings.set(model, seen);
    const { account } = slot;
    if (account.members.length > 1 && isMistaken(seen, account.members)) {
      this.#start(account);
      return;
    }
    const others = accounts.filter((other) => mayBeOne(account, other) && !other.disabled);
    this.#join(account, others, seen, model);
  }

  #join(
    account: AccountRecord,
    others: readonly AccountRecord[],
    seen: Sightings,
    model: string,
  ): void {
    const labels = others.flatMap((other) => other.members);
    const found = accountOf(seen, account.members, labels);
    if (found === null) return;
    let into = account;
    for (const other of others) {
      const isPart = other.members.some((label) => found.includes(label));
      if (isPart && mayBeOne(into, other)) into = this.#roster.join(into, other);
    }
    // Each had found what the others had left it at its worst moment.
    const lane = into.lanes.get(model);
    const taken = mostTaken(seen, into.members);
    if (lane === undefined) return;
    lane.limit = atLeast(lane.limit, Math.min(taken, lane.named ?? taken));
  }

  /** Back to what was said, or not said; what was seen was misread. */
  #start(account: AccountRecord): void {
    endSwap(this.#about());
    this.#roster.provider.sightings.clear();
    this.#roster.part(account);
  }

  #count(model: string, counts: (stay: Stay) => boolean): Counts {
    const { accounts } = this.#roster;
    const labels = this.#roster.labelsByName();
    const found = new Map<string, number>();
    for (const account of accounts) {
      for (const stay of account.lanes.get(model)?.stays ?? []) {
        const label = labels.get(stay.key);
        if (label !== undefined && counts(stay)) found.set(label, (found.get(label) ?? 0) + 1);
      }
    }
    return found;
  }
}

function isThere(stay: Stay): boolean {
  return stay.endAt === Number.POSITIVE_INFINITY;
}
