/**
 * Disabled keys come back by themselves: a token-free question, ever more rarely.
 * Pools that only shrink are what users of other gateways complain about most.
 */

import { isAbort, PROVIDER_NAMES } from '../../base/errors.ts';
import type { KeyProbe, KeyVerdict } from '../lease.ts';
import { disabledNow } from '../records/ledger.ts';
import type { Disabled } from '../records/state.ts';
import { reasonFor } from '../rules/attribution.ts';
import type { Timing } from '../rules/timing.ts';
import type { KeySlot } from './key-slot.ts';
import type { Roster } from './roster.ts';

export class Revival {
  readonly #roster: Roster;
  readonly #probe: KeyProbe | undefined;
  readonly #controller = new AbortController();
  readonly #asking = new Set<KeySlot>();
  #timer: NodeJS.Timeout | undefined;

  constructor(roster: Roster, probe: KeyProbe | undefined) {
    this.#roster = roster;
    this.#probe = probe;
  }

  /** The upstream refuses the key: out, breaker open. */
  disableKey(slot: KeySlot, reason: string): void {
    const { record, breaker } = slot;
    record.disabled = disabledNow(record.disabled, reason, this.#roster.now(), this.#timing());
    record.tripReason = reason;
    breaker.trip();
    this.schedule();
  }

  /** The account has no money: all its keys are out. */
  disableAccount(slot: KeySlot, reason: string): void {
    const { account } = slot;
    account.disabled = disabledNow(account.disabled, reason, this.#roster.now(), this.#timing());
    for (const each of this.#roster.slots) if (each.account === account) each.breaker.trip();
    this.schedule();
  }

  /** The upstream takes the key again. */
  readmit(slot: KeySlot): void {
    const { record, account } = slot;
    if (record.disabled === null && account.disabled === null) return;
    record.disabled = null;
    account.disabled = null;
    for (const each of this.#roster.slots) {
      if (each.account === account && each.record.disabled === null) each.breaker.heal();
    }
    this.#roster.logger.info(`Key ${record.keyId} (${record.name}) is back`);
  }

  schedule(): void {
    clearTimeout(this.#timer);
    if (this.#controller.signal.aborted) return;
    let next = Number.POSITIVE_INFINITY;
    for (const slot of this.#roster.slots) {
      if (!this.#asking.has(slot)) next = Math.min(next, dueAt(slot));
    }
    if (next === Number.POSITIVE_INFINITY) return;
    const delay = Math.max(0, next - this.#roster.now());
    this.#timer = setTimeout(() => this.#checkDue(), delay);
    this.#timer.unref();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  #timing(): Timing {
    return this.#roster.timing();
  }

  #checkDue(): void {
    const now = this.#roster.now();
    const accounts = new Set<object>();
    for (const slot of this.#roster.slots) {
      // One key answers for its account.
      if (dueAt(slot) > now || this.#asking.has(slot) || accounts.has(slot.account)) continue;
      if (slot.record.disabled === null) accounts.add(slot.account);
      this.#asking.add(slot);
      void this.#check(slot);
    }
    this.schedule();
  }

  async #check(slot: KeySlot): Promise<void> {
    const verdict = await this.#ask(slot);
    this.#asking.delete(slot);
    if (this.#controller.signal.aborted || slot.record.draining) return;
    this.#apply(slot, verdict);
    this.schedule();
    this.#roster.onChange();
  }

  async #ask(slot: KeySlot): Promise<KeyVerdict> {
    if (this.#probe === undefined) return 'unknown';
    try {
      return await this.#probe(slot.toPoolKey(), this.#controller.signal);
    } catch (error) {
      if (!isAbort(error)) this.#roster.logger.warn('Key check failed', { error });
      return 'unknown';
    }
  }

  #apply(slot: KeySlot, verdict: KeyVerdict): void {
    const provider = PROVIDER_NAMES[this.#roster.provider.provider];
    if (verdict === 'invalid_key') this.disableKey(slot, reasonFor('invalid_key', provider));
    else if (verdict === 'no_credit') {
      slot.record.disabled = null;
      this.disableAccount(slot, reasonFor('no_credit', provider));
    } else if (verdict === 'ok') this.readmit(slot);
    else this.#allowTrial(slot);
  }

  /** Without an answer a single call tries, and its end decides. */
  #allowTrial(slot: KeySlot): void {
    const { record, account } = slot;
    const now = this.#roster.now();
    const again = (disabled: Disabled): Disabled =>
      disabledNow(disabled, disabled.reason, now, this.#timing());
    if (record.disabled !== null) record.disabled = again(record.disabled);
    else if (account.disabled !== null) account.disabled = again(account.disabled);
    slot.breaker.allowTrial();
  }
}

function dueAt(slot: KeySlot): number {
  const disabled = slot.record.disabled ?? slot.account.disabled;
  return disabled?.nextCheckAt ?? Number.POSITIVE_INFINITY;
}
