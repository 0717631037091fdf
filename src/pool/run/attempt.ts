/** One attempt: a slot taken from a key and its account, given back exactly once. */

import type { PatientTimer } from '../../base/system/patient-timer.ts';
import { type AttemptResult, AttemptStopped, type Send } from '../lease.ts';
import { accept, enter, type Lane, leave, type Stay } from '../records/lane.ts';
import { laneOf, type ProviderRecord } from '../records/state.ts';
import { ABORT_GRACE_MS } from '../rules/timing.ts';
import { BorrowedKey } from './borrowed-key.ts';
import type { KeySlot } from './key-slot.ts';
import type { PendingCall } from './pending-call.ts';

export type Settled<T> =
  | { readonly ok: true; readonly result: AttemptResult<T> }
  | { readonly ok: false; readonly error: unknown };

export interface AttemptOptions {
  readonly call: PendingCall;
  readonly slot: KeySlot;
  /** Ceiling of calls in flight for an account and model. */
  readonly ceiling: number;
  readonly provider: ProviderRecord;
  readonly now: number;
  /** The half-open trial of the key, or of the provider. */
  readonly keyTrial: boolean;
  readonly providerTrial: boolean;
  readonly onAccepted: (attempt: Attempt) => void;
  readonly onFirstByte: (attempt: Attempt) => void;
}

/** From the bytes of a refusal to our verdict on it. */
const READING_TURNS = 4;

function afterTurns(turns: number, done: () => void): void {
  setImmediate(() => (turns > 1 ? afterTurns(turns - 1, done) : done()));
}

export class Attempt {
  readonly call: PendingCall;
  readonly slot: KeySlot;
  readonly stay: Stay;
  readonly number: number;
  readonly sentAt: number;
  readonly keyTrial: boolean;
  readonly providerTrial: boolean;
  acceptedAt: number | null = null;
  firstByteAt: number | null = null;
  /** Taken from its key by the pool: it said nothing, or was far too slow. */
  rescued: 'silent' | 'slow' | null = null;
  /** When the pool looks at it next; on the attempt, for a Map of attempts would keep them (key-slot.ts). */
  lookTimer: PatientTimer | undefined;
  readonly #options: AttemptOptions;
  readonly #onRamp: boolean;
  readonly #controller = new AbortController();
  /** Refused without having been there. */
  wasRefused = false;
  #released = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AttemptOptions) {
    this.call = options.call;
    this.slot = options.slot;
    this.sentAt = options.now;
    this.keyTrial = options.keyTrial;
    this.providerTrial = options.providerTrial;
    this.#options = options;
    this.call.attempts += 1;
    this.number = this.call.attempts;
    this.stay = enter(this.lane, options.slot.record.name, options.now);
    this.slot.record.inFlight += 1;
    this.slot.record.lastSentAt = options.now;
    this.slot.record.sentAtSum += options.now;
    this.slot.unanswered.push(this);
    this.#onRamp = options.provider.ramp !== null;
    if (this.#onRamp) options.provider.rampInFlight += 1;
  }

  /** Looked up anew: the account may have been found to be part of another meanwhile. */
  get lane(): Lane {
    return laneOf(this.slot.account, this.call.request.model, this.#options.ceiling);
  }

  get aborted(): boolean {
    return this.#controller.signal.aborted;
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Idempotent; an aborted request may still occupy the upstream for a while. */
  release(now: number, refused: boolean): void {
    if (this.#released) return;
    this.#released = true;
    this.wasRefused = refused;
    clearTimeout(this.#timer);
    leave(this.lane, this.stay, now, refused ? 'refused' : this.aborted ? 'aborted' : 'ended');
    this.slot.record.inFlight -= 1;
    this.slot.record.sentAtSum -= this.sentAt;
    this.slot.answered(this);
    if (this.#onRamp) this.#options.provider.rampInFlight -= 1;
  }

  /** Sends, and waits for the end; an aborted send that does not let go is abandoned. */
  settle<T>(send: Send<T>): Promise<Settled<T>> {
    const { signal } = this.#controller;
    return new Promise((resolve) => {
      let grace: NodeJS.Timeout | undefined;
      const end = (settled: Settled<T>): void => {
        clearTimeout(grace);
        signal.removeEventListener('abort', onAbort);
        resolve(settled);
      };
      const onAbort = (): void => {
        grace = setTimeout(() => end({ ok: false, error: signal.reason }), ABORT_GRACE_MS);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      void this.#send(send).then(end);
    });
  }

  async #send<T>(send: Send<T>): Promise<Settled<T>> {
    try {
      return { ok: true, result: await send(this.#lease()) };
    } catch (error) {
      return { ok: false, error };
    }
  }

  #lease(): BorrowedKey {
    const { record, secret } = this.slot;
    const facts = {
      keyName: record.name,
      keyId: record.keyId,
      account: record.account,
      attempt: this.number,
      signal: this.#controller.signal,
      remainingMs: Math.max(0, this.call.deadlineAt - this.sentAt),
    };
    return new BorrowedKey(facts, secret, {
      accepted: () => this.markAccepted(),
      firstByte: () => this.markFirstByte(),
      giveUp: () => this.abort(new AttemptStopped('idle')),
    });
  }

  /**
   * Refusals come at once; who is not refused for `ms` was taken. On a busy event loop the refusal
   * may have arrived and only not been read: a timer that fires late proves nothing and starts
   * again, and after one in time the loop turns until what has arrived is read to its end.
   *
   * @param now the pool's clock
   */
  presumeAfter(ms: number, now: () => number, survived: () => void): void {
    const dueAt = now() + ms;
    this.#timer = setTimeout(() => {
      if (now() - dueAt > ms / 2) this.presumeAfter(ms, now, survived);
      else afterTurns(READING_TURNS, survived);
    }, ms);
    this.#timer.unref();
  }

  /** True the first time, while the attempt is under way. */
  accept(now: number): boolean {
    if (this.acceptedAt !== null || this.#released) return false;
    this.acceptedAt = now;
    return accept(this.lane, this.stay);
  }

  markAccepted(): void {
    this.#options.onAccepted(this);
  }

  markFirstByte(): void {
    if (this.firstByteAt !== null || this.#released) return;
    this.markAccepted();
    this.#options.onFirstByte(this);
  }
}
