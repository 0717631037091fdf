/** What other processes found out, brought into our records and breakers. */

import { type FailureKind, PROVIDER_NAMES } from '../../../base/errors.ts';
import {
  heardAccountOut,
  heardAccountWorks,
  heardForbidden,
  heardKeyOut,
  heardKeyWorks,
  heardOutage,
  heardRest,
} from '../../records/course/heard.ts';
import { comeBack } from '../../records/course/outages.ts';
import { mayBeOne } from '../../records/kinship/swap.ts';
import type { AccountRecord } from '../../records/state.ts';
import { reasonFor } from '../../rules/attribution.ts';
import type { Fact } from '../../sharing.ts';
import type { KeySlot } from '../keys/key-slot.ts';
import type { Roster } from '../keys/roster.ts';
import type { Subjects } from './subjects.ts';

export class Hearsay {
  readonly #roster: Roster;
  readonly #subjects: Subjects;

  constructor(roster: Roster, subjects: Subjects) {
    this.#roster = roster;
    this.#subjects = subjects;
  }

  hear(fact: Fact): void {
    const subject = this.#subjects.byId(fact.id);
    switch (subject?.kind) {
      case undefined:
      case 'calls':
        return;
      case 'key':
        this.#key(subject.slot, fact);
        return;
      case 'key-model':
        this.#forbid(subject.slot, subject.model, fact);
        return;
      case 'account':
        this.#account(subject.label, fact);
        return;
      case 'provider':
        this.#provider(fact);
    }
  }

  /** Accounts that others found to be one, or not to be one after all. */
  hearJoined(groups: ReadonlyArray<readonly string[]>): void {
    for (const account of this.#roster.accounts) {
      if (account.members.length < 2) continue;
      const members = this.#subjects.members(account);
      const isKnown = groups.some((group) => members.every((id) => group.includes(id)));
      if (!isKnown) this.#roster.part(account);
    }
    for (const group of groups) this.#joinAll(new Set(group));
  }

  #joinAll(group: ReadonlySet<string>): void {
    const parts = this.#roster.accounts.filter((account) =>
      this.#subjects.members(account).some((id) => group.has(id)),
    );
    let into: AccountRecord | undefined;
    for (const account of parts) {
      if (into === undefined) into = account;
      else if (mayBeOne(this.#roster.provider, into, account))
        into = this.#roster.join(into, account);
    }
  }

  #key(slot: KeySlot, fact: Fact): void {
    const { record, account, breaker } = slot;
    if (fact.isOut) {
      heardKeyOut(record, this.#reason('invalid_key'), fact, this.#roster.now());
      if (breaker.state !== 'open') breaker.trip();
      return;
    }
    if (fact.works) {
      const isBack = heardKeyWorks(record);
      if (account.disabled === null) breaker.heal();
      if (isBack) this.#roster.logger.info(`Key ${record.keyId} (${record.name}) is back`);
    } else if (fact.restsMs > 0 && breaker.state === 'closed') breaker.trip(fact.restsMs);
  }

  #forbid({ record }: KeySlot, model: string, { restsMs }: Fact): void {
    if (restsMs > 0) heardForbidden(record, model, this.#roster.now() + restsMs);
  }

  #account(label: string, fact: Fact): void {
    const account = this.#roster.accounts.find((each) => each.members.includes(label));
    if (account === undefined) return;
    const now = this.#roster.now();
    const slots = this.#roster.slots.filter((slot) => slot.account === account);
    if (fact.isOut) {
      heardAccountOut(account, this.#reason('no_credit'), fact, now);
      for (const { breaker } of slots) if (breaker.state !== 'open') breaker.trip();
      return;
    }
    if (fact.works && heardAccountWorks(account)) {
      for (const { record, breaker } of slots) if (record.disabled === null) breaker.heal();
    }
    if (fact.restsMs > 0) heardRest(account, now + fact.restsMs, this.#reason('concurrency'));
  }

  #reason(kind: FailureKind): string {
    return reasonFor(kind, PROVIDER_NAMES[this.#roster.provider.provider]);
  }

  #provider(fact: Fact): void {
    const { provider, breaker } = this.#roster;
    const now = this.#roster.now();
    if (fact.restsMs > 0) {
      const isLater = breaker.state !== 'open' || (breaker.openUntil ?? now) < now + fact.restsMs;
      if (!isLater) return;
      heardOutage(provider, now, breaker.state === 'closed');
      breaker.trip(fact.restsMs);
    } else if (fact.works && breaker.state !== 'closed') {
      comeBack(provider, now);
      breaker.heal();
    }
  }
}
