/**
 * opossum as gate, timer, half-open token and event source; the verdicts are ours.
 *
 * opossum's own statistics do not fit calls that outlast its window, and a call that was started
 * before the breaker opened would close or re-open it when it ends. So every change of state is a
 * new opossum breaker that starts in the state wanted; stale calls belong to a dead generation and
 * change nothing.
 */

import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import type { BreakerState } from '../../snapshot.ts';

type Action = () => Promise<void>;
type Gate = CircuitBreaker<[Action], void>;

/** setTimeout's largest delay: open until somebody closes it. */
const FOREVER_MS = 2 ** 31 - 1;

/** Never emits: without it every breaker runs an interval to rotate statistics nobody reads. */
const NO_ROTATION = new EventEmitter().setMaxListeners(0);

function createGate(state: BreakerState, resetTimeout: number): Gate {
  // A fresh options object each: opossum writes into it. Its types lack `state`.
  const options = {
    timeout: false,
    resetTimeout,
    volumeThreshold: Number.MAX_SAFE_INTEGER,
    errorThresholdPercentage: 100,
    errorFilter: () => true,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    rotateBucketController: NO_ROTATION,
    state: {
      name: 'key',
      enabled: true,
      closed: state === 'closed',
      open: state === 'open',
      halfOpen: state === 'half-open',
      warmUp: false,
      shutdown: false,
    },
  } satisfies CircuitBreaker.Options<[Action]> & { state: object };
  return new CircuitBreaker((action: Action) => action(), options);
}

function stateOf(gate: Gate): BreakerState {
  if (gate.opened) return 'open';
  return gate.halfOpen ? 'half-open' : 'closed';
}

export interface BreakerOptions {
  readonly now: () => number;
  /** After every change of state; half-open comes from opossum's timer. */
  readonly onChange: (state: BreakerState) => void;
}

export class Breaker {
  readonly #now: () => number;
  readonly #onChange: (state: BreakerState) => void;
  #gate = createGate('closed', FOREVER_MS);
  #openUntil: number | null = null;

  constructor(options: BreakerOptions) {
    this.#now = options.now;
    this.#onChange = options.onChange;
  }

  get state(): BreakerState {
    return stateOf(this.#gate);
  }

  /** True when an attempt may start: closed, or half-open with its one token left. */
  get admits(): boolean {
    return this.#gate.closed || this.#gate.pendingClose;
  }

  /** The instant of the half-open trial; null when closed, half-open, or open without an end. */
  get openUntil(): number | null {
    return this.#gate.opened ? this.#openUntil : null;
  }

  /** Runs `action`, which never rejects; in half-open it takes the token. */
  fire(action: Action): Promise<void> {
    return this.#gate.fire(action);
  }

  /** Opens for `ms`; without a number until `heal` or `allowTrial`. */
  trip(ms?: number): void {
    const openMs = Math.min(FOREVER_MS, Math.max(1, Math.round(ms ?? FOREVER_MS)));
    this.#openUntil = ms === undefined ? null : this.#now() + openMs;
    this.#swap('open', openMs);
  }

  heal(): void {
    if (!this.#gate.closed) this.#swap('closed', FOREVER_MS);
  }

  /** Half-open, with a fresh token. */
  allowTrial(): void {
    this.#swap('half-open', FOREVER_MS);
  }

  /** A trial proved nothing: its token goes to the next call. */
  passTrialOn(): void {
    if (this.#gate.halfOpen) this.allowTrial();
  }

  dispose(): void {
    this.#gate.shutdown();
  }

  #swap(state: BreakerState, resetTimeout: number): void {
    const before = this.state;
    this.#gate.shutdown();
    const gate = createGate(state, resetTimeout);
    this.#gate = gate;
    gate.on('halfOpen', () => {
      if (gate === this.#gate) this.#onChange('half-open');
    });
    if (before !== state) this.#onChange(state);
  }
}
