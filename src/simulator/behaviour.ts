/** How a key answers, and the accounts behind the keys. */

import { Purse, type PurseSettings } from './bill/purse.ts';
import { Bucket, type BucketSettings } from './bucket.ts';
import type { SimulatedProvider } from './call-log.ts';
import { FaultQueue, type FaultScript } from './faults.ts';
import { hashText } from './random.ts';
import type { WireObject } from './wire-json.ts';

/** A fixed text, or one made from the request's body. */
export type ScriptedAnswer = string | ((body: WireObject) => string);

export interface KeyBehaviour {
  readonly provider: SimulatedProvider;
  /** Shown in the log instead of the secret; default the key id. */
  readonly label?: string;
  /** Keys of one account share its capacity and its balance; default an account of its own. */
  readonly account?: string;
  /** Concurrent requests per account and model; over it 429. Sets the account's. */
  readonly capacity?: number;
  /** Money left in the account; zero or less answers 402 (Perplexity: 401). */
  readonly balance?: number;
  /** Milliseconds to the first token. */
  readonly ttftMs?: number;
  readonly tokensPerSecond?: number;
  /** 0..1: how far the times of one call may stray from these, either way. */
  readonly jitter?: number;
  /** Length of generated answers in tokens of about four characters. */
  readonly answerTokens?: number;
  /** Replaces the generated answer. */
  readonly answer?: ScriptedAnswer;
  readonly faults?: FaultScript;
}

export interface AccountSettings extends PurseSettings {
  readonly capacity?: number;
  /** The ceiling that shrank with the balance: over it, a 429 that names it. */
  readonly balanceCapacity?: number;
  /** Perplexity's leaky bucket, requests per second; search and Agent each have their own. */
  readonly ratePerSecond?: number;
  /** Requests at once after a rest; default one second's. */
  readonly rateBurst?: number;
  /** Whether answers tell what is left; by default the Agent's do, as they were captured. */
  readonly rateHeaders?: boolean;
  /** How a request over the limit is refused; default `plain`, at once. */
  readonly refusal?: RefusalStyle;
}

/**
 * DeepSeek's 429s as they were seen: without a number, with both numbers and the clause about the
 * balance, with both and no clause, with a first number that only equals the limit; and a bare
 * "Too Many Requests" of somebody on the way.
 */
export type RefusalWording = 'plain' | 'bare' | 'balance' | 'numbers' | 'equal';

export interface RefusalStyle {
  readonly wording?: RefusalWording;
  /** From the arrival of the request to its refusal. */
  readonly afterMs?: number;
  /** Value of the Retry-After header; default none. */
  readonly retryAfter?: string;
}

/** DeepSeek's published ceilings, per account and model. */
const DEEPSEEK_CAPACITY: Readonly<Record<string, number>> = {
  'deepseek-flash': 2500,
  'deepseek-v4-pro': 500,
};
/** Perplexity's published rates: POST /search on all tiers, the Agent on the highest. */
const PERPLEXITY_RATES = { search: 50, agent: 33 } as const;
export type RateMeter = keyof typeof PERPLEXITY_RATES;

/** What one request takes of which bucket. */
export interface RateUnits {
  readonly meter: RateMeter;
  readonly units: number;
}

export type Admission =
  | { readonly verdict: 'admitted' }
  | { readonly verdict: 'no_balance' | 'rate' }
  | {
      readonly verdict: 'capacity' | 'balance_limit';
      readonly inFlight: number;
      readonly limit: number;
      readonly wording: RefusalWording;
    };

/** What a provider limits and bills. */
export class Account {
  readonly name: string;
  readonly #inFlight = new Map<string, number>();
  readonly #cachedPrefixes = new Set<string>();
  readonly purse = new Purse();
  #settings: AccountSettings = {};
  readonly #buckets = { search: new Bucket(), agent: new Bucket() };

  constructor(name: string) {
    this.name = name;
  }

  configure(settings: AccountSettings): void {
    this.#settings = { ...this.#settings, ...settings };
    this.purse.configure(settings);
  }

  get refusal(): RefusalStyle {
    return this.#settings.refusal ?? {};
  }

  inFlight(model: string | null = null): number {
    if (model !== null) return this.#inFlight.get(model) ?? 0;
    return [...this.#inFlight.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Whether one more request of `model` may start. */
  admit(model: string, units: RateUnits | null, now: number): Admission {
    if (this.purse.isEmpty) return { verdict: 'no_balance' };
    const inFlight = this.inFlight(model);
    const limit = this.#settings.capacity ?? DEEPSEEK_CAPACITY[model] ?? Infinity;
    const { wording = 'plain' } = this.refusal;
    if (inFlight >= limit) return { verdict: 'capacity', inFlight: inFlight + 1, limit, wording };
    const shrunk = this.#settings.balanceCapacity ?? Infinity;
    if (inFlight >= shrunk) {
      const named = wording === 'plain' ? 'balance' : wording;
      return { verdict: 'balance_limit', inFlight: inFlight + 1, limit: shrunk, wording: named };
    }
    if (units === null) return { verdict: 'admitted' };
    const { meter } = units;
    const hasRoom = this.#buckets[meter].take(units.units, this.#bucketOf(meter), now);
    return { verdict: hasRoom ? 'admitted' : 'rate' };
  }

  #bucketOf(meter: RateMeter): BucketSettings {
    const perSecond = this.#settings.ratePerSecond ?? PERPLEXITY_RATES[meter];
    return { perSecond, burst: this.#settings.rateBurst ?? perSecond };
  }

  /** What an answer tells about the bucket that it was taken from. */
  rateHeaders({ meter }: RateUnits, wallNow: number): Record<string, string> {
    const isTold = this.#settings.rateHeaders ?? meter === 'agent';
    return isTold ? this.#buckets[meter].headers(this.#bucketOf(meter), wallNow) : {};
  }

  enter(model: string): void {
    this.#inFlight.set(model, this.inFlight(model) + 1);
  }

  leave(model: string): void {
    this.#inFlight.set(model, this.inFlight(model) - 1);
  }

  /** True when this account has sent the same prompt prefix before; remembers it. */
  hasCached(prefix: string): boolean {
    const known = this.#cachedPrefixes.has(prefix);
    this.#cachedPrefixes.add(prefix);
    return known;
  }
}

/** One key as the simulator knows it. */
export class SimulatedKey {
  readonly keyId: string;
  readonly #secret: string;
  #behaviour: KeyBehaviour;
  #faults: FaultQueue;
  /** Calls seen; makes the randomness of a call independent of how calls interleave. */
  calls = 0;

  constructor(secret: string, behaviour: KeyBehaviour, now: number) {
    this.#secret = secret;
    this.keyId = secret.slice(-6);
    this.#behaviour = behaviour;
    this.#faults = new FaultQueue(behaviour.faults ?? [], now);
  }

  get behaviour(): KeyBehaviour {
    return this.#behaviour;
  }

  get faults(): FaultQueue {
    return this.#faults;
  }

  get label(): string {
    return this.#behaviour.label ?? this.keyId;
  }

  get accountName(): string {
    // Not by key id: two keys may end alike and still be two accounts.
    return this.#behaviour.account ?? `own-${hashText(this.#secret)}`;
  }

  /** The last four characters, which DeepSeek's 401 really echoes. */
  get lastFour(): string {
    return this.#secret.slice(-4);
  }

  change(partial: Partial<KeyBehaviour>, now: number): void {
    this.#behaviour = { ...this.#behaviour, ...partial };
    if (partial.faults !== undefined) this.#faults = new FaultQueue(partial.faults, now);
  }
}
