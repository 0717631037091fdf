/**
 * The pool of one provider: queue → choose → lease → record → fail over. Mechanism only; what a
 * failure means, which key is best and what a limit is, is decided in the pure modules beside it.
 */

import type { Provider } from '../base/errors.ts';
import type {
  AttemptResult,
  CallRequest,
  CallResult,
  KeyProbe,
  Lender,
  PoolKey,
  Send,
} from './lease.ts';
import type { Outcome } from './observer.ts';
import { Kinship } from './records/kinship/kinship.ts';
import type { BalanceRead } from './rules/accounts/balances.ts';
import { waitedForMoney } from './run/attempts/account-money.ts';
import type { Attempt, Settled } from './run/attempts/attempt.ts';
import { PendingCall } from './run/attempts/pending-call.ts';
import { Dispatcher } from './run/calls/dispatcher.ts';
import { type Next, Reporter } from './run/calls/reporter.ts';
import { Rescue } from './run/calls/rescue.ts';
import { Revival } from './run/calls/revival.ts';
import { unavailability, waitedTooLong } from './run/keys/exhausted.ts';
import { viewProvider } from './run/keys/provider-view.ts';
import { Roster, type RosterOptions } from './run/keys/roster.ts';
import { Neighbours } from './run/neighbours/neighbours.ts';
import type { Sharing } from './sharing.ts';
import type { ProviderSnapshot } from './snapshot.ts';

export interface ProviderPoolOptions extends RosterOptions {
  readonly probe: KeyProbe | undefined;
  /** Absent: a process on its own. */
  readonly sharing: Sharing | undefined;
}

/** How one attempt went for its call. */
type Ended<T> =
  | { readonly kind: 'served'; readonly result: AttemptResult<T>; readonly keyName: string }
  | Next;

export class ProviderPool implements Lender {
  readonly #provider: Provider;
  readonly #roster: Roster;
  readonly #revival: Revival;
  readonly #reporter: Reporter;
  readonly #dispatcher: Dispatcher;
  readonly #rescue: Rescue;
  readonly #kinship: Kinship;
  readonly #neighbours: Neighbours | null;
  #calls = 0;

  constructor(options: ProviderPoolOptions) {
    this.#provider = options.provider;
    this.#roster = new Roster(options);
    this.#revival = new Revival(this.#roster, options.probe);
    this.#kinship = new Kinship(this.#roster);
    this.#reporter = new Reporter(this.#roster, this.#revival, this.#kinship);
    this.#dispatcher = new Dispatcher(this.#roster, this.#reporter, this.#kinship);
    this.#rescue = new Rescue(this.#roster, () => this.#dispatcher.depth);
    this.#roster.onChange = () => this.#dispatcher.pump();
    this.#neighbours = options.sharing === undefined ? null : this.#joinOthers(options.sharing);
  }

  setKeys(keys: readonly PoolKey[]): void {
    this.#roster.setKeys(keys);
    this.#neighbours?.rekey();
    this.#revival.schedule();
    this.#dispatcher.pump();
  }

  noteBalance(read: BalanceRead): void {
    this.#kinship.noteBalance(read);
    this.#dispatcher.pump();
  }

  /** One call, one deadline, one loop: the only place where anything is sent again. */
  async call<T>(request: CallRequest, send: Send<T>): Promise<CallResult<T>> {
    const now = this.#roster.now();
    this.#calls += 1;
    const call = new PendingCall(this.#calls, request, now);
    if (request.priority === 'interactive') this.#roster.provider.interactiveAt = now;
    try {
      let afterMs = 0;
      for (;;) {
        if (call.end !== null) throw this.#endError(call);
        const ended = await this.#attempt(call, afterMs, send);
        if (ended.kind === 'served') {
          const { value } = ended.result;
          return { value, keyName: ended.keyName, attempts: call.attempts };
        }
        if (ended.kind === 'fail') throw ended.error;
        ({ afterMs } = ended);
      }
    } finally {
      call.dispose();
    }
  }

  snapshot(): ProviderSnapshot {
    return viewProvider({
      provider: this.#roster.provider,
      slots: this.#roster.slots,
      draining: this.#roster.draining,
      accounts: this.#roster.accounts,
      breaker: this.#roster.breaker.state,
      breakerOpenUntil: this.#roster.breaker.openUntil,
      queueDepth: this.#dispatcher.depth,
      oldestSince: this.#dispatcher.oldestSince,
      now: this.#roster.now(),
    });
  }

  close(): void {
    this.#revival.dispose();
    this.#rescue.dispose();
    this.#dispatcher.dispose(() => new DOMException('the pool was closed', 'AbortError'));
    this.#roster.dispose();
  }

  #joinOthers(sharing: Sharing): Neighbours {
    const neighbours = new Neighbours(this.#roster, sharing, {
      depth: () => this.#dispatcher.depth,
      waiting: (model) => this.#dispatcher.waiting(model),
      checks: () => this.#revival.due(),
      check: () => this.#revival.schedule(),
    });
    this.#dispatcher.neighbours = neighbours;
    this.#revival.neighbours = neighbours;
    this.#reporter.telling = neighbours.telling;
    return neighbours;
  }

  /** What a call that may not go on is told. */
  #endError(call: PendingCall): Error {
    if (call.end === 'cancelled') return call.abortReason();
    if (call.lastError !== null) return call.lastError;
    const now = this.#roster.now();
    const { slots } = this.#roster;
    const broke = waitedForMoney(call, slots);
    if (broke !== null) return broke;
    const reasons = slots.flatMap((slot) => unavailability(slot, call.request.model, now) ?? []);
    return waitedTooLong(this.#provider, call.request.timeoutMs, reasons);
  }

  #attempt<T>(call: PendingCall, afterMs: number, send: Send<T>): Promise<Ended<T>> {
    return new Promise((resolve, reject) => {
      this.#dispatcher.enqueue({
        call,
        afterMs,
        start: (attempt) => resolve(this.#run(attempt, send)),
        // Ended while waiting: what to say depends on why.
        fail: (error) => reject(call.end === null ? error : this.#endError(call)),
      });
    });
  }

  /** Fires through the breakers; the verdict falls inside, before opossum sees the end. */
  async #run<T>(attempt: Attempt, send: Send<T>): Promise<Ended<T>> {
    const { breaker, record } = attempt.slot;
    let ended: Ended<T> = { kind: 'again', afterMs: 0 };
    const action = async (): Promise<void> => {
      ended = this.#conclude(attempt, await attempt.settle(send));
    };
    this.#roster.logger.info(`Selected key ${record.keyId} (${record.name})`);
    this.#rescue.watch(attempt);
    try {
      const fire = (): Promise<void> => breaker.fire(action);
      await (attempt.record.isProviderTrial ? this.#roster.breaker.fire(fire) : fire());
    } finally {
      attempt.call.onEnd(null);
      this.#reporter.left(attempt);
      this.#roster.forgetIfDrained(attempt.slot);
      this.#dispatcher.ended(attempt);
    }
    return ended;
  }

  #conclude<T>(attempt: Attempt, settled: Settled<T>): Ended<T> {
    this.#rescue.forget(attempt);
    if (settled.ok) {
      const { result } = settled;
      this.#report(attempt, this.#reporter.served(attempt, result), result);
      return { kind: 'served', result, keyName: attempt.slot.record.name };
    }
    const { outcome, next } = this.#reporter.failed(attempt, settled);
    this.#report(attempt, outcome, null);
    if (next.kind === 'again') {
      this.#roster.observer.failedOver?.({ provider: this.#provider, reason: outcome });
    }
    return next;
  }

  #report(attempt: Attempt, outcome: Outcome, result: AttemptResult<unknown> | null): void {
    const { name, keyId, account } = attempt.slot.record;
    this.#roster.observer.attemptEnded?.({
      provider: this.#provider,
      keyName: name,
      keyId,
      account,
      outcome,
      durationMs: this.#roster.now() - attempt.record.sentAt,
      promptTokens: result?.promptTokens ?? 0,
      completionTokens: result?.completionTokens ?? 0,
    });
  }
}
