/** Which accounts are one: the rules of same-account.ts and swap.ts on the records. */

import type { Failure } from '../../../base/errors.ts';
import { areApart, type BalanceRead, withBalance } from '../../rules/accounts/balances.ts';
import {
  accountOf,
  isMistaken,
  namedBy,
  type Sightings,
  surelyTaken,
  withRefusal,
} from '../../rules/accounts/same-account.ts';
import { growsAt } from '../../rules/limit.ts';
import type { Timing } from '../../rules/timing.ts';
import type { AttemptRecord, Place } from '../attempt-record.ts';
import { type Companion, type Flight, isSettled, refusalOf } from '../flight.ts';
import { isDivided, isFull, mostAtOnce } from '../lane.ts';
import { grow, neighbourRefused, proven } from '../lane-writer.ts';
import type { AccountRecord, ProviderRecord } from '../state.ts';
import {
  awaitsSwap,
  type Bystanders,
  beginSwap,
  endSwap,
  isRefusalDear,
  mayBeOne,
  swapRefused,
} from './swap.ts';

/** What is older than so many services says nothing about today. */
const MEMORY_SERVICES = 40;
const MEMORY_MIN_MS = 5_000;
/** Refused calls that are not explained yet; more say nothing new. */
const FLIGHTS_KEPT = 24;
/** With more accounts than these, somebody who knows them should name them. */
const MANY_ACCOUNTS = 32;
const NEVER = Number.NEGATIVE_INFINITY;

/** The accounts of one provider. */
export interface Family {
  readonly provider: ProviderRecord;
  readonly accounts: readonly AccountRecord[];
  /** Keys that take calls, and whether somebody said which account each is of. */
  readonly slots: ReadonlyArray<{ readonly isGiven: boolean }>;
  /** The label of every key's own account, by the key's name. */
  labelsByName(): ReadonlyMap<string, string>;
  join(one: AccountRecord, other: AccountRecord): AccountRecord;
  part(account: AccountRecord): void;
  timing(): Timing;
  now(): number;
}

/** The account's numbers, where a refusal names them. */
type Numbers = Pick<Failure, 'namedInFlight' | 'namedLimit'>;

/** One attempt, where it was. */
export type Visit = Place & { readonly attempt: AttemptRecord };

export class Kinship {
  readonly #family: Family;

  constructor(family: Family) {
    this.#family = family;
  }

  /** A call of the model waits, and this slot came free: whose else may it be? */
  begin({ account, attempt }: Visit): void {
    if (this.#isOpen()) beginSwap(account, attempt.model, this.#about());
  }

  /** No call was there to try with. */
  unlessBegun(): void {
    const { swap } = this.#family.provider;
    if (swap !== null && swap.stay === null) endSwap(this.#about());
  }

  sent({ account, attempt }: Visit): void {
    const { swap } = this.#family.provider;
    if (swap === null || swap.stay !== null) return;
    const isIts = swap.to === account.label && swap.model === attempt.model;
    if (isIts) swap.stay = attempt.stay;
  }

  taken({ attempt }: Visit): void {
    if (this.#family.provider.swap?.stay === attempt.stay) endSwap(this.#about());
  }

  refused(visit: Visit, numbers: Numbers): void {
    const { account, lane } = visit;
    const { stay } = visit.attempt;
    const about = this.#about();
    if (about.provider.swap?.stay === stay) swapRefused(about, this.#family.timing());
    for (const other of about.accounts) {
      const neighbour = mayBeOne(about.provider, account, other)
        ? other.lanes.get(lane.model)
        : undefined;
      if (neighbour === undefined) continue;
      neighbourRefused(neighbour);
    }
    if (this.#isOpen()) this.#explain(visit, numbers);
  }

  left({ attempt }: Visit): void {
    if (this.#family.provider.swap?.stay === attempt.stay) endSwap(this.#about());
  }

  /** What an account has was asked, for whatever reason. */
  noteBalance(read: BalanceRead): void {
    const { balances } = this.#family.provider;
    balances.set(read.account, withBalance(balances.get(read.account), read));
    const account = this.#family.accounts.find(({ members }) => members.includes(read.account));
    const isMixed = account?.members.some((label) =>
      areApart(balances.get(label), balances.get(read.account)),
    );
    if (account !== undefined && isMixed) this.#start(account);
  }

  /** When a full account may be tried above its capacity, while calls wait; Infinity for never. */
  growsAt(account: AccountRecord, model: string, now: number): number {
    const lane = account.lanes.get(model);
    const { swap, tries, pace } = this.#family.provider;
    // With other processes there the limit is tried by all together.
    if (lane === undefined || !isFull(lane) || isDivided(lane)) return Number.POSITIVE_INFINITY;
    if (swap !== null && (swap.from === account.label || swap.to === account.label)) {
      return Number.POSITIVE_INFINITY;
    }
    // Before the first call was served nothing can have changed. After a pause one call goes, whatever
    // it costs; else nothing would ever go again.
    const mayTry = tries >= 1 && pace.serviceMs !== null;
    if (lane.limit.capacity !== 0 && !mayTry) return Number.POSITIVE_INFINITY;
    const at = Math.max(growsAt(lane.limit), account.coolUntil);
    const isAwaited = this.#isOpen() && awaitsSwap(account, lane, { ...this.#about(), now });
    return isAwaited ? at + this.#family.timing().limitProbeMs : at;
  }

  /** Lets full accounts be tried above their capacity where it is time. */
  growDue(model: string, now: number): void {
    const { provider, accounts } = this.#family;
    for (const account of accounts) {
      const lane = account.lanes.get(model);
      if (lane === undefined || this.growsAt(account, model, now) > now) continue;
      grow(lane, Math.max(1, Math.floor(provider.tries)));
    }
  }

  /**
   * Where a refusal takes longer than half an answer: fewer calls are there than were, at some
   * instant since the last refusal, on all keys that may be one account. What each of them has by
   * itself is more than they have together.
   */
  hasFreed(account: AccountRecord, model: string): boolean {
    if (!this.#isOpen() || !isRefusalDear(this.#family.provider)) return true;
    const lanes = this.#family.accounts
      .filter((other) => other === account || mayBeOne(this.#family.provider, account, other))
      .flatMap((each) => each.lanes.get(model) ?? []);
    const refusedAt = Math.max(...lanes.map(({ shut }) => shut?.sentAt ?? NEVER));
    const there = lanes.reduce((sum, { inFlight }) => sum + inFlight, 0);
    if (refusedAt === NEVER || there === 0) return true;
    return (
      there <
      mostAtOnce(
        lanes.flatMap(({ stays }) => stays),
        refusedAt,
      )
    );
  }

  /** True while there is anything to find out. */
  #isOpen(): boolean {
    const { slots } = this.#family;
    if (slots.length < 2 || slots.length > MANY_ACCOUNTS) return false;
    return slots.some((slot) => !slot.isGiven);
  }

  #about(): Bystanders {
    const { provider, accounts } = this.#family;
    return { provider, accounts, now: this.#family.now() };
  }

  #since(): number {
    const memoryMs = MEMORY_SERVICES * this.#family.timing().limitProbeMs;
    return this.#family.now() - Math.max(MEMORY_MIN_MS, memoryMs);
  }

  #explain({ key, attempt }: Visit, numbers: Numbers): void {
    const { model, sentAt } = attempt;
    const { provider } = this.#family;
    const flight: Flight = {
      label: key.account,
      sentAt,
      refusedAt: this.#family.now(),
      named: namedBy(numbers.namedInFlight, numbers.namedLimit),
      companions: this.#companions(model, sentAt),
    };
    const open = [...(provider.flights.get(model) ?? []), flight].slice(-FLIGHTS_KEPT);
    for (const label of this.#settle(model, open)) this.#judge(label, model);
  }

  /** @returns labels of accounts of which more is known now */
  #settle(model: string, flights: readonly Flight[]): ReadonlySet<string> {
    const { provider } = this.#family;
    const { wayMs } = this.#family.timing();
    const now = this.#family.now();
    const labels = new Set<string>();
    const open: Flight[] = [];
    for (const flight of flights) {
      if (!isSettled(flight, now, wayMs)) {
        open.push(flight);
        continue;
      }
      const seen = provider.sightings.get(model) ?? [];
      const next = withRefusal(seen, refusalOf(flight, wayMs), this.#since());
      provider.sightings.set(model, next);
      labels.add(flight.label);
    }
    provider.flights.set(model, open);
    return labels;
  }

  #judge(label: string, model: string): void {
    const { provider, accounts } = this.#about();
    const seen = provider.sightings.get(model);
    const account = accounts.find(({ members }) => members.includes(label));
    if (seen === undefined || account === undefined) return;
    if (account.members.length > 1 && isMistaken(seen, account.members)) {
      this.#start(account);
      return;
    }
    const isOther = (other: AccountRecord): boolean => mayBeOne(provider, account, other);
    const others = accounts.filter((other) => isOther(other) && !other.disabled);
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
      if (isPart && mayBeOne(this.#family.provider, into, other))
        into = this.#family.join(into, other);
    }
    // Each had found what the others had left it at its worst moment.
    const lane = into.lanes.get(model);
    if (lane !== undefined) proven(lane, surelyTaken(seen, into.members));
  }

  /** Back to what was said, or not said; what was seen was misread. */
  #start(account: AccountRecord): void {
    endSwap(this.#about());
    this.#family.provider.flights.clear();
    this.#family.provider.sightings.clear();
    this.#family.part(account);
  }

  #companions(model: string, sentAt: number): Companion[] {
    const labels = this.#family.labelsByName();
    const found: Companion[] = [];
    for (const account of this.#family.accounts) {
      for (const stay of account.lanes.get(model)?.stays ?? []) {
        const label = labels.get(stay.key);
        if (label !== undefined && stay.endAt > sentAt) found.push({ label, stay });
      }
    }
    return found;
  }
}
