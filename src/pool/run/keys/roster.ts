/** The keys and accounts of one provider, with the records that everybody in the pool works on. */

import type { Provider } from '../../../base/errors.ts';
import type { Logger } from '../../../base/logger.ts';
import type { PoolKey } from '../../lease.ts';
import type { PoolObserver } from '../../observer.ts';
import { lanesOfKeys, mergeAccount } from '../../records/kinship/found-account.ts';
import {
  type AccountRecord,
  createAccount,
  createProvider,
  type ProviderRecord,
} from '../../records/state.ts';
import { type Pace, type Timing, timingFor } from '../../rules/timing.ts';
import type { BreakerState, FoundAccounts } from '../../snapshot.ts';
import { Breaker } from './breaker.ts';
import { KeySlot } from './key-slot.ts';

export interface RosterOptions {
  readonly provider: Provider;
  readonly maxConcurrent: number;
  readonly logger: Logger;
  readonly observer: PoolObserver;
  readonly onAccounts: (found: FoundAccounts) => void;
  /** Expected time of a first answer, until answers are seen. */
  readonly answerMs: number;
  readonly now: () => number;
  readonly random: () => number;
}

export class Roster {
  readonly provider: ProviderRecord;
  /** The provider's own breaker. */
  readonly breaker: Breaker;
  readonly logger: Logger;
  readonly observer: PoolObserver;
  readonly onAccounts: (found: FoundAccounts) => void;
  readonly ceiling: number;
  readonly now: () => number;
  readonly random: () => number;
  /** Somebody's state changed so that waiting calls may go on. */
  onChange: () => void = () => {};
  /** Calls of ours showed that accounts are one, or that they are not. */
  onKinship: (kind: 'joined' | 'parted', account: AccountRecord) => void = () => {};
  #slots: readonly KeySlot[] = [];
  readonly #draining = new Set<KeySlot>();
  /** The timing of the pace that was asked for last. */
  #timed: { readonly pace: Pace; readonly timing: Timing } | null = null;

  constructor(options: RosterOptions) {
    this.provider = createProvider(options.provider, options.answerMs);
    this.logger = options.logger;
    this.observer = options.observer;
    this.onAccounts = options.onAccounts;
    this.ceiling = options.maxConcurrent;
    this.now = options.now;
    this.random = options.random;
    this.breaker = new Breaker({
      now: options.now,
      onChange: (state) => this.#breakerChanged(state),
    });
  }

  get slots(): readonly KeySlot[] {
    return this.#slots;
  }

  get draining(): readonly KeySlot[] {
    return [...this.#draining];
  }

  get accounts(): readonly AccountRecord[] {
    const labels = new Set([...this.#slots, ...this.#draining].map((slot) => slot.account));
    return [...labels];
  }

  timing(): Timing {
    const { pace } = this.provider;
    if (this.#timed?.pace !== pace) this.#timed = { pace, timing: timingFor(pace) };
    return this.#timed.timing;
  }

  /** Kept keys keep their state, removed ones finish their calls, new ones start afresh. */
  setKeys(keys: readonly PoolKey[]): void {
    const before = new Map(this.#slots.map((slot) => [slot.record.name, slot]));
    const wanted = keys.map((key) => {
      const label = key.account ?? key.name;
      const slot = before.get(key.name);
      const isKept = slot?.secret === key.secret && slot.record.account === label;
      return { key, label, isGiven: key.account !== null, kept: isKept ? slot : null };
    });
    // An account is known while a key of it is kept: a replaced key starts without its past.
    const accounts = new Map<string, AccountRecord>();
    for (const { label, kept } of wanted) if (kept) accounts.set(label, kept.account);
    this.#slots = wanted.map(({ key, label, isGiven, kept }) => {
      const account = accounts.get(label) ?? createAccount(label, isGiven);
      accounts.set(label, account);
      return kept ?? this.#createSlot(key, account, label);
    });
    const now = new Set(this.#slots);
    for (const slot of before.values()) if (!now.has(slot)) this.#retire(slot);
    for (const account of this.accounts) this.#forgetMembers(account);
  }

  /** Names of the keys that had this account before others were found to be the same. */
  namesOf(label: string): ReadonlySet<string> {
    const own = [...this.#slots, ...this.#draining].filter((slot) => slot.record.account === label);
    return new Set(own.map((slot) => slot.record.name));
  }

  /** The label of every key's own account, by the key's name. */
  labelsByName(): ReadonlyMap<string, string> {
    const all = [...this.#slots, ...this.#draining];
    return new Map(all.map(({ record }) => [record.name, record.account]));
  }

  /** Two accounts are one: their keys share a limit, a pause and a balance from here on. */
  join(one: AccountRecord, other: AccountRecord): AccountRecord {
    const [into, from] = other.isGiven ? [other, one] : [one, other];
    mergeAccount(into, from);
    for (const slot of [...this.#slots, ...this.#draining]) {
      if (slot.account === from) slot.account = into;
    }
    this.logger.info('Keys share an account, as their refusals show', { keys: keysOf(this, into) });
    this.onKinship('joined', into);
    this.#tellAccounts();
    return into;
  }

  /** They are not one after all. */
  part(account: AccountRecord): void {
    this.logger.info('Keys do not share an account after all', { keys: keysOf(this, account) });
    const now = this.now();
    this.onKinship('parted', account);
    for (const label of account.members) {
      const own = createAccount(label, label === account.label && account.isGiven);
      own.lanes = lanesOfKeys(account, this.namesOf(label), now);
      for (const slot of [...this.#slots, ...this.#draining]) {
        if (slot.account === account && slot.record.account === label) slot.account = own;
      }
    }
    this.#tellAccounts();
  }

  #tellAccounts(): void {
    const found = this.accounts.filter((account) => account.members.length > 1);
    const accounts = found.map((account) => keysOf(this, account));
    this.onAccounts({ provider: this.provider.provider, accounts });
  }

  #forgetMembers(account: AccountRecord): void {
    if (account.members.length < 2) return;
    const kept = account.members.filter((label) => this.namesOf(label).size > 0);
    if (kept.length === account.members.length) return;
    account.members = kept;
    this.#tellAccounts();
  }

  /** A removed key is forgotten with its last call. */
  forgetIfDrained(slot: KeySlot): void {
    if (slot.record.draining && slot.record.inFlight === 0 && this.#draining.delete(slot)) {
      slot.breaker.dispose();
    }
  }

  dispose(): void {
    this.breaker.dispose();
    for (const slot of [...this.#slots, ...this.#draining]) slot.breaker.dispose();
  }

  #createSlot(key: PoolKey, account: AccountRecord, label: string): KeySlot {
    // What was read with the key before it says nothing of this one.
    this.provider.balances.delete(label);
    return new KeySlot({
      key,
      account,
      label,
      now: this.now,
      onBreaker: (state) => this.#breakerChanged(state),
    });
  }

  #retire(slot: KeySlot): void {
    slot.record.draining = true;
    this.#draining.add(slot);
    this.forgetIfDrained(slot);
  }

  #breakerChanged(state: BreakerState): void {
    if (state !== 'open') this.onChange();
  }
}

/** Name and key id of the keys of an account that still take calls. */
export function keysOf(
  roster: Roster,
  account: AccountRecord,
): Array<FoundAccounts['accounts'][number][number]> {
  const own = roster.slots.filter((slot) => slot.account === account);
  return own.map(({ record: { name, keyId } }) => ({ name, keyId }));
}
