/** What several processes may speak of, by its id: keys, what a key may use, accounts, the provider. */

import type { Provider } from '../../../base/errors.ts';
import type { AccountRecord } from '../../records/state.ts';
import type { Sharing } from '../../sharing.ts';
import type { KeySlot } from '../keys/key-slot.ts';

export type Subject =
  | { readonly kind: 'key'; readonly slot: KeySlot }
  | { readonly kind: 'key-model'; readonly slot: KeySlot; readonly model: string }
  | { readonly kind: 'account'; readonly label: string }
  | { readonly kind: 'calls'; readonly speedClass: string }
  | { readonly kind: 'provider' };

/** Ids of one provider's things. An account without a name is known by its key. */
export class Subjects {
  readonly provider: string;
  readonly #words: readonly string[];
  readonly #idOf: Sharing['idOf'];
  readonly #byId = new Map<string, Subject>();
  readonly #accounts = new Map<string, string>();
  readonly #keys = new Map<KeySlot, string>();
  readonly #models = new Map<string, string>();
  readonly #calls = new Map<string, string>();

  constructor(provider: Provider, idOf: Sharing['idOf']) {
    this.#words = [provider];
    this.#idOf = idOf;
    this.provider = this.#id('provider');
  }

  setSlots(slots: readonly KeySlot[]): void {
    this.#byId.clear();
    this.#accounts.clear();
    this.#keys.clear();
    this.#byId.set(this.provider, { kind: 'provider' });
    for (const slot of slots) {
      const { account: label } = slot.record;
      const key = this.#id('key', slot.secret);
      const account = slot.isGiven ? this.#id('account', label) : this.#id('own', slot.secret);
      this.#keys.set(slot, key);
      this.#accounts.set(label, account);
      this.#byId.set(key, { kind: 'key', slot });
      this.#byId.set(account, { kind: 'account', label });
      for (const model of this.#models.keys()) this.#addKeyModel(slot, model);
    }
    for (const speedClass of this.#calls.keys()) this.#addCalls(speedClass);
  }

  /** Makes the model known; idempotent. */
  addModel(model: string): void {
    if (this.#models.has(model)) return;
    this.#models.set(model, this.#id('model', model));
    for (const slot of this.#keys.keys()) this.#addKeyModel(slot, model);
  }

  /** Makes a class of calls known; idempotent. */
  addCalls(speedClass: string): void {
    if (this.#calls.has(speedClass)) return;
    this.#calls.set(speedClass, this.#id('calls', speedClass));
    this.#addCalls(speedClass);
  }

  get speedClasses(): string[] {
    return [...this.#calls.keys()];
  }

  byId(id: string): Subject | undefined {
    return this.#byId.get(id);
  }

  key(slot: KeySlot): string {
    return this.#keys.get(slot) ?? this.#id('key', slot.secret);
  }

  keyModel(slot: KeySlot, model: string): string {
    return this.#id('key-model', slot.secret, model);
  }

  account(label: string): string {
    return this.#accounts.get(label) ?? this.#id('account', label);
  }

  model(model: string): string {
    return this.#models.get(model) ?? this.#id('model', model);
  }

  calls(speedClass: string): string {
    return this.#calls.get(speedClass) ?? this.#id('calls', speedClass);
  }

  members({ members }: AccountRecord): string[] {
    return members.map((label) => this.account(label));
  }

  #addCalls(speedClass: string): void {
    this.#byId.set(this.calls(speedClass), { kind: 'calls', speedClass });
  }

  #addKeyModel(slot: KeySlot, model: string): void {
    this.#byId.set(this.keyModel(slot, model), { kind: 'key-model', slot, model });
  }

  #id(...words: readonly string[]): string {
    return this.#idOf(...this.#words, ...words);
  }
}
