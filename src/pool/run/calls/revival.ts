/**
 * Disabled keys come back by themselves: a token-free question, ever more rarely.
 * Pools that only shrink are what users of other gateways complain about most.
 */

import { isAbort, PROVIDER_NAMES } from '../../../base/errors.ts';
import type { KeyProbe, KeyVerdict } from '../../lease.ts';
import {
  blameAccount,
  checkedInVain,
  disableAccount,
  disableKey,
  readmit,
} from '../../records/course/disabling.ts';
import type { AccountRecord } from '../../records/state.ts';
import { reasonFor } from '../../rules/attribution.ts';
import type { KeySlot } from '../keys/key-slot.ts';
import type { Roster } from '../keys/roster.ts';
import type { Neighbours } from '../neighbours/neighbours.ts';

export class Revival {
  readonly #roster: Roster;
  readonly #probe: KeyProbe | undefined;
  readonly #controller = new AbortController();
  readonly #asking = new Set<KeySlot>();
  #timer: NodeJS.Timeout | undefined;
  /** Of several processes one asks. */
  neighbours: Neighbours | null = null;

  constructor(roster: Roster, probe: KeyProbe | undefined) {
    this.#roster = roster;
    this.#probe = probe;
  }

  /** The account has no money: all its keys are out. */
  openAccount(account: AccountRecord): void {
    for (const each of this.#roster.slots) if (each.account === account) each.breaker.trip();
    this.schedule();
  }

  /** The upstream takes the key again. */
  readmitted({ record, account }: KeySlot): void {
    for (const each of this.#roster.slots) {
      if (each.account === account && each.record.disabled === null) each.breaker.heal();
    }
    this.#roster.logger.info(`Key ${record.keyId} (${record.name}) is back`);
  }

  /** Keys that are being asked about, or should be. */
  due(): KeySlot[] {
    const now = this.#roster.now();
    return this.#roster.slots.filter((slot) => dueAt(slot) <= now || this.#asking.has(slot));
  }

  schedule(): void {
    clearTimeout(this.#timer);
    if (this.#controller.signal.aborted) return;
    const now = this.#roster.now();
    let next = Number.POSITIVE_INFINITY;
    for (const slot of this.#roster.slots) {
      const at = dueAt(slot);
      // Somebody else asks; we hear of it.
      const isOthers = at <= now && !(this.neighbours?.mayCheck(slot) ?? true);
      if (!this.#asking.has(slot) && !isOthers) next = Math.min(next, at);
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

  #checkDue(): void {
    const now = this.#roster.now();
    const accounts = new Set<object>();
    let isRefused = false;
    for (const slot of this.#roster.slots) {
      // One key answers for its account.
      if (dueAt(slot) > now || this.#asking.has(slot) || accounts.has(slot.account)) continue;
      if (!(this.neighbours?.mayCheck(slot) ?? true)) {
        isRefused = true;
        continue;
      }
      if (slot.record.disabled === null) accounts.add(slot.account);
      this.#asking.add(slot);
      void this.#check(slot);
    }
    if (isRefused) this.neighbours?.ask();
    this.schedule();
  }

  async #check(slot: KeySlot): Promise<void> {
    const verdict = await this.#ask(slot);
    this.#asking.delete(slot);
    if (this.#controller.signal.aborted || slot.record.draining) return;
    this.#apply(slot, verdict);
    this.neighbours?.telling.checked(slot);
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
    const { record, account, breaker } = slot;
    const now = this.#roster.now();
    const timing = this.#roster.timing();
    const provider = PROVIDER_NAMES[record.provider];
    switch (verdict) {
      case 'invalid_key':
        disableKey(record, reasonFor('invalid_key', provider), now, timing);
        breaker.trip();
        return;
      case 'no_credit':
        blameAccount(record);
        disableAccount(account, reasonFor('no_credit', provider), now, timing);
        this.openAccount(account);
        return;
      case 'ok':
        if (readmit(record, account)) this.readmitted(slot);
        return;
      case 'unknown':
        // Without an answer a single call tries, and its end decides.
        checkedInVain(record, account, now, timing);
        breaker.allowTrial();
        return;
    }
  }
}

function dueAt(slot: KeySlot): number {
  const disabled = slot.record.disabled ?? slot.account.disabled;
  return disabled?.nextCheckAt ?? Number.POSITIVE_INFINITY;
}
