/** One attempt: the send on a borrowed key, its stop and its end. */

import type { PatientTimer } from '../../../base/system/patient-timer.ts';
import {
  type AttemptResult,
  AttemptStopped,
  type Send,
  type StopReason,
  stopReasonOf,
} from '../../lease.ts';
import { type AttemptRecord, begin } from '../../records/attempt-record.ts';
import type { Visit } from '../../records/kinship/kinship.ts';
import { laneOf, type ProviderRecord } from '../../records/state.ts';
import type { ToldRate } from '../../rules/rate-told.ts';
import { ABORT_GRACE_MS } from '../../rules/timing.ts';
import { BorrowedKey } from '../keys/borrowed-key.ts';
import type { KeySlot } from '../keys/key-slot.ts';
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
  /** Order of sending. */
  readonly turn: number;
  /** The half-open trial of the provider. */
  readonly isProviderTrial: boolean;
  readonly onAccepted: (attempt: Attempt) => void;
  readonly onFirstByte: (attempt: Attempt) => void;
  readonly onTold: (attempt: Attempt, told: ToldRate) => void;
}

/** From the bytes of a refusal to our verdict on it. */
const READING_TURNS = 4;

function afterTurns(turns: number, done: () => void): void {
  setImmediate(() => (turns > 1 ? afterTurns(turns - 1, done) : done()));
}

export class Attempt {
  readonly call: PendingCall;
  readonly slot: KeySlot;
  readonly record: AttemptRecord;
  /** When the pool looks at it next; on the attempt, for a Map of attempts would keep them: what
   * its outgrown tables held stays in memory until a full collection, whole calls with it. */
  lookTimer: PatientTimer | undefined;
  /** Why its key was taken back: it said nothing, or was far too slow. */
  recalledFor: 'silent' | 'slow' | null = null;
  readonly #options: AttemptOptions;
  readonly #number: number;
  readonly #controller = new AbortController();
  #presumeTimer: NodeJS.Timeout | undefined;

  constructor(options: AttemptOptions) {
    const { call, slot, now, turn, isProviderTrial } = options;
    this.call = call;
    this.slot = slot;
    this.#options = options;
    this.call.attempts += 1;
    this.#number = this.call.attempts;
    this.record = begin(this.#place(), {
      call: call.id,
      model: call.request.model,
      speedClass: call.request.speedClass,
      units: call.units,
      sentAt: now,
      isKeyTrial: slot.breaker.state === 'half-open',
      isProviderTrial,
      turn,
      usedAt: Date.now(),
    });
  }

  /** Looked up anew: the account may have been found to be part of another meanwhile. */
  visit(): Visit {
    return { ...this.#place(), attempt: this.record };
  }

  /** Why it was stopped from our side; the first reason counts. */
  get stopped(): StopReason | null {
    return stopReasonOf(this.#controller.signal);
  }

  stop(why: StopReason): void {
    const isCancel = why === 'cancelled';
    this.#controller.abort(isCancel ? this.call.abortReason() : new AttemptStopped(why));
  }

  recall(cause: 'silent' | 'slow'): void {
    if (this.stopped !== null) return;
    this.recalledFor = cause;
    this.stop('recalled');
  }

  /** Sends, and waits for the end; an aborted send that does not let go is abandoned. */
  settle<T>(send: Send<T>): Promise<Settled<T>> {
    const { signal } = this.#controller;
    return new Promise((resolve) => {
      let grace: NodeJS.Timeout | undefined;
      const end = (settled: Settled<T>): void => {
        clearTimeout(grace);
        clearTimeout(this.#presumeTimer);
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

  #place() {
    const { slot } = this;
    const { provider, ceiling } = this.#options;
    const lane = laneOf(slot.account, this.call.request.model, ceiling);
    return { provider, account: slot.account, key: slot.record, lane };
  }

  #lease(): BorrowedKey {
    const { record, secret } = this.slot;
    const facts = {
      keyName: record.name,
      keyId: record.keyId,
      account: record.account,
      attempt: this.#number,
      signal: this.#controller.signal,
      remainingMs: Math.max(0, this.call.deadlineAt - this.record.sentAt),
    };
    return new BorrowedKey(facts, secret, {
      accepted: () => this.#options.onAccepted(this),
      firstByte: () => this.#options.onFirstByte(this),
      giveUp: () => this.stop('idle'),
      told: (told) => this.#options.onTold(this, told),
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
    this.#presumeTimer = setTimeout(() => {
      if (now() - dueAt > ms / 2) this.presumeAfter(ms, now, survived);
      else afterTurns(READING_TURNS, survived);
    }, ms);
    this.#presumeTimer.unref();
  }
}
