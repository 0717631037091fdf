/** A simulated provider on the virtual clock: accounts with capacities, keys with faults. */

import { type Failure, type FailureKind, UpstreamError } from '../../../src/base/errors.ts';
import type { AttemptResult, Lease, PoolKey } from '../../../src/pool/lease.ts';
import { exponential } from './exponential.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a key does at an instant; null: it works. */
export type FaultAt = (now: number) => KeyFault | null;

export interface KeyFault {
  readonly kind: FailureKind | 'hang';
  readonly retryAfterMs?: number;
}

export interface AccountSpec {
  /** Calls in flight; may change with time. */
  readonly capacity: number | ((now: number) => number);
  /** Calls in flight that are somebody else's. */
  readonly others?: (now: number) => number;
  /** What it has, as it is told soon after the first call; default: nobody asks. */
  readonly balance?: number;
}

/** How a call over the limit is refused; default bare, as soon as the upstream answers at all. */
export interface RefusalSpec {
  /** `numbers`: how many are there, this one among them, and the limit; `equal`: without this one. */
  readonly wording: 'bare' | 'numbers' | 'equal';
  /** From the decision to the refusal. */
  readonly ms: number;
}

export interface KeySpec {
  readonly account: number;
  /** Factor on every duration. */
  readonly slow?: number;
  readonly fault?: FaultAt;
}

export interface UpstreamSpec {
  readonly accounts: readonly AccountSpec[];
  readonly keys: readonly KeySpec[];
  /** Until the upstream refuses or sends headers. */
  readonly answerMs: number;
  readonly firstByteMs: number;
  readonly tokenMs: number;
  /** False: headers come with the first byte. */
  readonly earlyHeaders: boolean;
  /** How long after its headers a call counts as taken; default at once. */
  readonly signMs?: number;
  /** False: the whole answer comes at once, at its end. */
  readonly streams: boolean;
  /** Idle time-out of the client. */
  readonly idleMs: number;
  /** Share of the requests that are never answered, whatever their key. */
  readonly lostShare?: number;
  /** Share of the requests that end in a 500, whatever their key. */
  readonly failShare?: number;
  /** Calls in flight, of all accounts together, with which the provider answers 503. */
  readonly overloadAt?: (now: number) => number;
  readonly refusal?: RefusalSpec;
  /** Nobody says which keys share an account. */
  readonly isUnlabelled?: boolean;
}

/** An upstream of ordinary speed that streams: a hundred tokens take some three seconds. */
export const USUAL = {
  answerMs: 80,
  firstByteMs: 800,
  tokenMs: 20,
  earlyHeaders: true,
  streams: true,
  idleMs: 45_000,
} as const satisfies Partial<UpstreamSpec>;

export interface Work {
  readonly tokens: number;
  /** The caller's own fault. */
  readonly isBad?: boolean;
}

const STATUS: Partial<Record<FailureKind, number>> = {
  invalid_key: 401,
  no_credit: 402,
  concurrency: 429,
  balance_limit: 429,
  bad_request: 400,
  server_error: 500,
  overloaded: 503,
};
const BILLED: ReadonlySet<FailureKind> = new Set(['cut', 'idle', 'connection_lost']);

const UNNAMED = { namedInFlight: null, namedLimit: null };

export function keySpecsOf(spec: UpstreamSpec): PoolKey[] {
  return spec.keys.map((key, index) => ({
    provider: 'deepseek',
    name: `DEEPSEEK_API_KEY_${index + 1}`,
    account: spec.isUnlabelled ? null : `account-${key.account}`,
    secret: `sk-test-fake-${String(index + 1).padStart(6, '0')}`,
  }));
}

/** Position of a key by its name. */
export function indexOfKey(name: string): number {
  return Number(name.split('_').at(-1)) - 1;
}

function failure(
  kind: FailureKind,
  retryAfterMs: number | null = null,
  named: Pick<Failure, 'namedInFlight' | 'namedLimit'> = UNNAMED,
): UpstreamError {
  const facts = {
    kind,
    status: STATUS[kind] ?? null,
    retryAfterMs,
    requestId: null,
    ...named,
    mayBeBilled: BILLED.has(kind),
  };
  return new UpstreamError('deepseek', facts, kind);
}

/** What happened at the upstream, for the tables. */
export interface UpstreamCounts {
  sent: number;
  refused: number;
  faults: number;
  readonly byKey: number[];
  /** Calls that reached a faulty key. */
  readonly dead: number[];
  mostOver: number;
}

export class SimulatedUpstream {
  readonly spec: UpstreamSpec;
  readonly counts: UpstreamCounts;
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  readonly #inFlight: number[];

  constructor(spec: UpstreamSpec, clock: VirtualClock, random: () => number) {
    this.spec = spec;
    this.#clock = clock;
    this.#random = random;
    this.#inFlight = spec.accounts.map(() => 0);
    const zeros = (): number[] => spec.keys.map(() => 0);
    this.counts = { sent: 0, refused: 0, faults: 0, byKey: zeros(), dead: zeros(), mostOver: 0 };
  }

  /** Undisturbed duration on a key of ordinary speed. */
  durationMs(work: Work): number {
    return this.spec.firstByteMs + work.tokens * this.spec.tokenMs;
  }

  async send(work: Work, lease: Lease): Promise<AttemptResult<string>> {
    const index = indexOfKey(lease.keyName);
    const key = this.spec.keys[index];
    if (key === undefined) throw new Error('no such key');
    this.counts.sent += 1;
    this.counts.byKey[index] = (this.counts.byKey[index] ?? 0) + 1;
    await this.#clock.sleep(this.spec.answerMs * (0.8 + 0.4 * this.#random()), lease.signal);
    const fault = key.fault?.(this.#clock.now) ?? null;
    if (fault !== null) await this.#fail(index, fault, lease);
    await this.#failAtRandom(index, lease);
    if (work.isBad) throw failure('bad_request');
    const account = key.account;
    const busy = this.#inFlight[account] ?? 0;
    const capacity = this.#capacity(account);
    const others = this.spec.accounts[account]?.others?.(this.#clock.now) ?? 0;
    if (busy + others >= capacity) await this.#refuse(busy + others, capacity, lease);
    this.#inFlight[account] = busy + 1;
    try {
      const isLost = this.#random() < (this.spec.lostShare ?? 0);
      if (isLost) await this.#fail(index, { kind: 'hang' }, lease);
      return await this.#serve(work, key, lease);
    } finally {
      this.#inFlight[account] = (this.#inFlight[account] ?? 1) - 1;
    }
  }

  async #failAtRandom(index: number, lease: Lease): Promise<void> {
    const { overloadAt, failShare = 0 } = this.spec;
    const there = this.#inFlight.reduce((sum, each) => sum + each, 0);
    const isOverloaded = overloadAt !== undefined && there >= overloadAt(this.#clock.now);
    if (isOverloaded) await this.#fail(index, { kind: 'overloaded' }, lease);
    const isFailing = failShare > 0 && this.#random() < failShare;
    if (isFailing) await this.#fail(index, { kind: 'server_error' }, lease);
  }

  async #refuse(there: number, limit: number, lease: Lease): Promise<never> {
    const { wording = 'bare', ms = 0 } = this.spec.refusal ?? {};
    this.counts.refused += 1;
    if (ms > 0) await this.#clock.sleep(ms, lease.signal);
    if (wording === 'bare') throw failure('concurrency');
    const namedInFlight = wording === 'equal' ? there : there + 1;
    throw failure('balance_limit', null, { namedInFlight, namedLimit: limit });
  }

  #capacity(account: number): number {
    const capacity = this.spec.accounts[account]?.capacity ?? 0;
    return typeof capacity === 'number' ? capacity : capacity(this.#clock.now);
  }

  async #fail(index: number, fault: KeyFault, lease: Lease): Promise<never> {
    this.counts.faults += 1;
    this.counts.dead[index] = (this.counts.dead[index] ?? 0) + 1;
    if (fault.kind === 'hang') {
      await this.#clock.sleep(this.spec.idleMs, lease.signal);
      throw failure('idle');
    }
    throw failure(fault.kind, fault.retryAfterMs ?? null);
  }

  async #serve(work: Work, key: KeySpec, lease: Lease): Promise<AttemptResult<string>> {
    const { firstByteMs, tokenMs, earlyHeaders, signMs = 0 } = this.spec;
    const factor = key.slow ?? 1;
    const untilSign = Math.min(signMs, firstByteMs * factor);
    if (untilSign > 0) await this.#clock.sleep(untilSign, lease.signal);
    if (earlyHeaders) lease.accepted?.();
    await this.#clock.sleep(firstByteMs * factor - untilSign, lease.signal);
    if (this.spec.streams) lease.firstByte();
    await this.#clock.sleep(work.tokens * tokenMs * factor, lease.signal);
    return { value: lease.keyName, completionTokens: work.tokens, promptTokens: 100 };
  }
}

/** Lengths as code generation has them: many short, some long. */
export function drawTokens(mean: number, random: () => number): number {
  return Math.max(1, Math.round(0.4 * mean + exponential(0.6 * mean, random)));
}
