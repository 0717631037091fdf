/** What happens here, told to the other processes. Without them it says nothing. */

import type { Failure } from '../../../base/errors.ts';
import type { Outcome } from '../../observer.ts';
import type { Effect } from '../../records/effect.ts';
import { isDivided, mostAtOnce } from '../../records/lane.ts';
import type { AccountRecord, Disabled } from '../../records/state.ts';
import { isRateLimited } from '../../rules/rate.ts';
import type { ToldRate } from '../../rules/rate-told.ts';
import { FORBIDDEN_MS } from '../../rules/timing.ts';
import type { Report } from '../../sharing.ts';
import type { Attempt } from '../attempts/attempt.ts';
import type { KeySlot } from '../keys/key-slot.ts';
import type { Roster } from '../keys/roster.ts';
import type { Subjects } from './subjects.ts';

export class Telling {
  readonly #roster: Roster;
  readonly #subjects: Subjects;
  readonly #report: (report: Report) => void;

  constructor(roster: Roster, subjects: Subjects, report: (report: Report) => void) {
    this.#roster = roster;
    this.#subjects = subjects;
    this.#report = report;
  }

  /** A breaker of ours moved. */
  effect(effect: Effect, slot: KeySlot): void {
    const { provider } = this.#subjects;
    switch (effect.kind) {
      case 'open-key':
        if (effect.forMs === null) this.checked(slot);
        else this.#rests(this.#subjects.key(slot), effect.forMs);
        return;
      case 'open-account':
      case 'readmit-account':
        this.checked(slot);
        return;
      case 'close-key':
        this.works(slot);
        return;
      case 'open-provider':
        this.#rests(provider, effect.forMs);
        return;
      case 'close-provider':
        this.#report({ kind: 'works', id: provider });
        return;
      case 'pass-key-trial':
      case 'pass-provider-trial':
      case 'wake':
        return;
    }
  }

  /** The upstream takes calls of the key. */
  works(slot: KeySlot): void {
    this.#report({ kind: 'works', id: this.#subjects.key(slot) });
  }

  /** What is known of a key and its account since the upstream was asked about them. */
  checked(slot: KeySlot): void {
    const { record, account } = slot;
    if (record.disabled !== null) this.#out(this.#subjects.key(slot), record.disabled);
    else this.works(slot);
    const id = this.#subjects.account(account.label);
    if (account.disabled !== null) this.#out(id, account.disabled);
    else if (record.disabled === null) this.#report({ kind: 'works', id });
  }

  /** A refusal, and what the pool made of it. */
  failed(attempt: Attempt, failure: Failure, outcome: Outcome): void {
    const { account } = attempt.visit();
    const { provider } = this.#roster;
    if (outcome === 'key_forbidden') {
      const { model } = attempt.record;
      this.#rests(this.#subjects.keyModel(attempt.slot, model), FORBIDDEN_MS);
    }
    if (outcome === 'account_limited') this.#refused(attempt, failure);
    if (isRateLimited(provider.provider)) this.#rateRefused(attempt, failure, outcome);
    // Who cannot ask does not know whether one of theirs was there, unless a pause was asked for.
    else if (
      outcome === 'account_rate_limited' &&
      (!provider.isCutOff || failure.retryAfterMs !== null)
    ) {
      const forMs = account.coolUntil - this.#roster.now();
      this.#rests(this.#subjects.account(account.label), Math.max(0, forMs));
    }
  }

  /** What an answer said moved the account's rate. */
  told(attempt: Attempt, { limit, remaining }: ToldRate): void {
    const facts = this.#sent(attempt);
    if (facts !== null) this.#report({ kind: 'rate-told', ...facts, limit, remaining });
  }

  kinship(kind: 'joined' | 'parted', account: AccountRecord): void {
    this.#report({ kind, accounts: this.#subjects.members(account) });
  }

  #refused(attempt: Attempt, { namedInFlight, namedLimit, retryAfterMs }: Failure): void {
    const { account, lane } = attempt.visit();
    // Alone, what it shows is in the limit that we tell.
    if (!isDivided(lane)) return;
    const { sentAt, stay, model } = attempt.record;
    const sentAgoMs = this.#roster.now() - sentAt;
    this.#report({
      kind: 'refused',
      account: this.#subjects.account(account.label),
      model: this.#subjects.model(model),
      sentAgoMs,
      seen: mostAtOnce(lane.stays, sentAt),
      namedInFlight,
      namedLimit,
      retryAfterMs,
      isTry: stay.isTry,
    });
  }

  #rateRefused(attempt: Attempt, { retryAfterMs }: Failure, outcome: Outcome): void {
    const facts = outcome === 'account_rate_limited' ? this.#sent(attempt) : null;
    const chance = this.#roster.random();
    if (facts !== null) this.#report({ kind: 'rate-refused', ...facts, retryAfterMs, chance });
  }

  /** Which call it was; null for one that nobody else has to hear of. */
  #sent(attempt: Attempt) {
    const { account, lane } = attempt.visit();
    if (!isDivided(lane)) return null;
    const { stay, sentAt, model } = attempt.record;
    return {
      account: this.#subjects.account(account.label),
      model: this.#subjects.model(model),
      number: stay.number,
      sentAgoMs: this.#roster.now() - sentAt,
    };
  }

  #rests(id: string, forMs: number): void {
    this.#report({ kind: 'resting', id, forMs });
  }

  #out(id: string, { checks, nextCheckAt }: Disabled): void {
    const checkInMs = Math.max(0, nextCheckAt - this.#roster.now());
    this.#report({ kind: 'out', id, checks, checkInMs });
  }
}
