/** Which accounts are one: the rules of same-account.ts and found-account.ts on the live keys. */

import type { Attempt } from './attempt.ts';
import { sawRefused, sawTaken } from './found-account.ts';
import { isFull, isTry } from './lane.ts';
import { afterNeighbour, grown, growsAt } from './limit.ts';
import type { Roster } from './roster.ts';
import {
  abandonTest,
  awaitsTest,
  type Bystanders,
  beginTest,
  isStale,
  mayBeOne,
  testLeft,
  testRefused,
  testTaken,
  unlink,
} from './same-account.ts';
import type { Pick } from './selector.ts';
import type { AccountRecord } from './state.ts';

/** After a mistake, nothing is taken for one account again so soon. */
const MISTAKE_SERVICES = 50;

export class Kinship {
  readonly #roster: Roster;

  constructor(roster: Roster) {
    this.#roster = roster;
  }

  /** A call of the model waits, and this slot came free: whose else may it be? */
  begin(attempt: Attempt): void {
    const { test } = this.#roster.provider;
    const about = this.#about();
    if (test !== null && isStale(test, about.now, this.#roster.timing())) abandonTest(about);
    beginTest(attempt.slot.account, attempt.call.request.model, about);
  }

  /** No call was there to try with. */
  unlessBegun(): void {
    const { test } = this.#roster.provider;
    if (test?.stage === 'try' && test.stay === null) abandonTest(this.#about());
  }

  sent(attempt: Attempt): void {
    const { test } = this.#roster.provider;
    if (test?.stage !== 'try' || test.stay !== null) return;
    const isIts = test.to === attempt.slot.account.label && test.model === attempt.lane.model;
    if (isIts) test.stay = attempt.stay;
  }

  taken(attempt: Attempt): void {
    const { slot, lane, stay } = attempt;
    testTaken(slot.account.label, stay, this.#about());
    if (slot.account.members.length < 2) return;
    sawTaken(lane, slot.record.account, this.#roster.namesOf(slot.record.account));
  }

  /** @param named calls in flight on the account, by the refusal's own numbers */
  refused(attempt: Attempt, named: number | null): void {
    const { slot, lane, stay, sentAt } = attempt;
    const label = slot.record.account;
    const isFound = slot.account.members.length > 1;
    const seen = { label, keys: this.#roster.namesOf(label), sentAt, named };
    if (isFound && sawRefused(lane, seen)) this.#part(slot.account);
    const about = this.#about();
    const pair = testRefused(slot.account.label, stay, about, this.#roster.timing());
    if (pair !== null) this.#join(pair);
    for (const other of about.accounts) {
      const neighbour = mayBeOne(slot.account, other) ? other.lanes.get(lane.model) : undefined;
      if (neighbour === undefined) continue;
      neighbour.limit = afterNeighbour(neighbour.limit, neighbour.inFlight);
    }
  }

  left(attempt: Attempt): void {
    testLeft(attempt.stay, this.#about());
  }

  /** Likely to be refused: a try, or the control of a test. */
  isRisky({ slot, lane }: Pick): boolean {
    const { test } = this.#roster.provider;
    const { label } = slot.account;
    const isControl = test?.stage === 'control' && test.model === lane.model;
    return isTry(lane) || (isControl && (test.from === label || test.to === label));
  }

  /** When a full account may be tried above its capacity, while calls wait; Infinity for never. */
  growsAt(account: AccountRecord, model: string, now: number): number {
    const lane = account.lanes.get(model);
    const { test, tries } = this.#roster.provider;
    if (lane === undefined || !isFull(lane)) return Number.POSITIVE_INFINITY;
    if (test !== null && (test.from === account.label || test.to === account.label)) {
      return Number.POSITIVE_INFINITY;
    }
    // After a pause one call goes whatever it costs; else nothing would ever go again.
    if (lane.limit.capacity !== 0 && tries < 1) return Number.POSITIVE_INFINITY;
    const at = Math.max(growsAt(lane.limit), account.coolUntil);
    const isTested = awaitsTest(account, lane, { ...this.#about(), now });
    return isTested ? at + this.#roster.timing().limitProbeMs : at;
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

  #about(): Bystanders {
    const { provider, accounts } = this.#roster;
    return { provider, accounts, now: this.#roster.now() };
  }

  #join(labels: readonly [string, string]): void {
    const [one, other] = labels.map((label) =>
      this.#roster.accounts.find((account) => account.label === label),
    );
    if (one === undefined || other === undefined || one.disabled || other.disabled) return;
    this.#roster.join(one, other);
  }

  #part(account: AccountRecord): void {
    abandonTest(this.#about());
    const until = this.#roster.now() + MISTAKE_SERVICES * this.#roster.timing().limitProbeMs;
    unlink(this.#roster.provider, account.members, until);
    this.#roster.part(account);
  }
}
