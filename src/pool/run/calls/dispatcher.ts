/** Hands free keys to waiting calls, one call per freed slot, and refuses calls without hope. */

import type { KeyReason, PoolExhaustedError } from '../../../base/errors.ts';
import type { WaitNotice } from '../../lease.ts';
import type { Kinship } from '../../records/kinship/kinship.ts';
import { goesAt, isTry, type Lane } from '../../records/lane.ts';
import { MAX_QUEUE } from '../../rules/timing.ts';
import {
  book,
  isBroke,
  isCapped,
  MONEY_LOOK_MS,
  waitedForMoney,
} from '../attempts/account-money.ts';
import { Attempt } from '../attempts/attempt.ts';
import type { PendingCall } from '../attempts/pending-call.ts';
import {
  isInRotation,
  isOut,
  type Moment,
  momentOf,
  type Pick,
  pickFor,
} from '../attempts/selector.ts';
import { exhausted, noCredentials, noKeys, queueFull, unavailability } from '../keys/exhausted.ts';
import type { KeySlot } from '../keys/key-slot.ts';
import type { Roster } from '../keys/roster.ts';
import type { Neighbours, Waiting } from '../neighbours/neighbours.ts';
import { type Queued, WaitQueue } from './queue.ts';
import type { Reporter } from './reporter.ts';

/** Who outlives a failure this many times over is not failing. */
const SURVIVED_FAILURES = 4;
/** A call that was refused so often is no more used for tries. */
const MOST_REFUSED = 2;
const PATIENT_SERVICES = 4;

export interface Waiter extends Queued {
  readonly call: PendingCall;
  readonly since: number;
  /** Begins at once, within this very turn: a half-open token must not be given twice. */
  readonly start: (attempt: Attempt) => void;
  readonly fail: (error: Error) => void;
}

interface WaiterOptions {
  readonly call: PendingCall;
  readonly afterMs: number;
  readonly start: (attempt: Attempt) => void;
  readonly fail: (error: Error) => void;
}

export class Dispatcher {
  readonly #roster: Roster;
  readonly #reporter: Reporter;
  readonly #kinship: Kinship;
  readonly #queues = new Map<string, WaitQueue<Waiter>>();
  #timer: NodeJS.Timeout | undefined;
  #isPumping = false;
  #isAsked = false;
  /** Some call came with a budget of an account. */
  #isCapped = false;
  /** A call that was refused before is on its way until then. */
  #againUntil = Number.NEGATIVE_INFINITY;
  #turn = 0;
  /** Other processes on the same accounts, where there may be some. */
  neighbours: Neighbours | null = null;

  constructor(roster: Roster, reporter: Reporter, kinship: Kinship) {
    this.#roster = roster;
    this.#reporter = reporter;
    this.#kinship = kinship;
  }

  get depth(): number {
    let depth = 0;
    for (const queue of this.#queues.values()) depth += queue.size;
    return depth;
  }

  waiting(model: string): Waiting {
    const queue = this.#queues.get(model);
    const [next] = queue?.candidates(this.#roster.now()) ?? [];
    return {
      interactive: queue?.sizeOf('interactive') ?? 0,
      batch: queue?.sizeOf('batch') ?? 0,
      units: next?.call.units ?? 0,
    };
  }

  get oldestSince(): number | null {
    let oldest: number | null = null;
    for (const waiter of this.#waiters()) {
      if (oldest === null || waiter.since < oldest) oldest = waiter.since;
    }
    return oldest;
  }

  enqueue(options: WaiterOptions): void {
    const { call, afterMs } = options;
    const now = this.#roster.now();
    const depth = this.depth;
    if (depth >= MAX_QUEUE && call.attempts === 0) {
      options.fail(queueFull(this.#roster.provider.provider, depth));
      return;
    }
    const { session, priority, model } = call.request;
    const notBefore = now + afterMs;
    const waiter: Waiter = { ...options, id: call.id, session, priority, notBefore, since: now };
    const queue = this.#queueOf(model);
    this.neighbours?.expectCalls(call.request.speedClass);
    if (isCapped(call)) this.#isCapped = true;
    if (call.attempts > 0) queue.addAgain(waiter);
    else queue.add(waiter);
    call.onEnd(() => {
      if (queue.drop(waiter)) waiter.fail(call.abortReason());
    });
    this.pump();
    const { onWait } = call.request;
    if (onWait !== undefined && queue.has(waiter)) onWait(this.#notice(waiter, depth));
  }

  /** An attempt is over: its slot goes to a waiting call, or shows for a moment whose else it is. */
  ended(attempt: Attempt): void {
    const { model } = attempt.call.request;
    const queue = this.#queues.get(model);
    // Who had a turn before has the first claim on a slot that is sure.
    const isSpare = queue !== undefined && queue.size > 0 && queue.returned === 0;
    if (isSpare && !attempt.record.wasRefused) this.#kinship.begin(attempt.visit());
    this.pump();
    this.#kinship.unlessBegun();
  }

  /** Starts what can start; wakes itself for what can start later. */
  pump(): void {
    this.#isAsked = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#isAsked) {
        this.#isAsked = false;
        this.#round();
      }
    } finally {
      this.#isPumping = false;
    }
    this.#refuseHopeless();
    this.#wakeLater();
    this.neighbours?.changed();
  }

  /** Ends every waiting call. */
  dispose(error: () => Error): void {
    clearTimeout(this.#timer);
    for (const waiter of this.#waiters()) {
      this.#queueOf(waiter.call.request.model).drop(waiter);
      waiter.fail(error());
    }
  }

  #queueOf(model: string): WaitQueue<Waiter> {
    const known = this.#queues.get(model);
    if (known !== undefined) return known;
    const queue = new WaitQueue<Waiter>();
    this.#queues.set(model, queue);
    return queue;
  }

  #waiters(): Waiter[] {
    return [...this.#queues.values()].flatMap((queue) => [...queue]);
  }

  #round(): void {
    if (this.depth === 0) return;
    const { slots, provider, ceiling } = this.#roster;
    const now = this.#roster.now();
    if (this.neighbours !== null) {
      for (const model of this.#queues.keys()) this.neighbours.open(model);
    }
    const moment = momentOf(slots, provider, ceiling, now, this.#roster.timing());
    for (const [model, queue] of this.#queues) {
      if (queue.size > 0) this.#kinship.growDue(model, now);
      while (queue.size > 0 && this.#mayStart() && this.#startOne(queue, moment));
    }
  }

  /** The provider's own gate: closed, or the one trial; and the ramp after an outage. */
  #mayStart(): boolean {
    const { breaker, provider } = this.#roster;
    if (!breaker.admits) return false;
    if (breaker.state === 'half-open' && this.neighbours?.mayTryProvider === false) return false;
    return provider.ramp === null || provider.rampInFlight < provider.ramp;
  }

  #startOne(queue: WaitQueue<Waiter>, moment: Moment): boolean {
    const isTrial = this.#roster.breaker.state === 'half-open';
    // What a call without a history cannot have, no other one can: many wait after a refused burst.
    let isFull = false;
    let spare: { readonly waiter: Waiter; readonly pick: Pick } | null = null;
    for (const waiter of queue.candidates(moment.now, isTrial, moment.provider.healedAt)) {
      const isPlain = waiter.call.tried.size === 0;
      if (isFull && isPlain) continue;
      const pick = pickFor(waiter.call, moment, queue.size);
      const wasRefused = waiter.call.refusals > 0;
      const isOver = pick !== null && this.#isOver(queue, pick, moment.now);
      if (pick === null || (isOver && !wasRefused && !isTry(pick.lane))) {
        // What a call waits for by its own estimate, another one may have.
        isFull ||= isPlain && waiter.priority === 'interactive' && !isCapped(waiter.call);
        continue;
      }
      // A try is likely to be refused, and nobody is to be refused again and again; but where all
      // wait to hear whether the provider is back, a refusal is an answer.
      if (wasRefused && !isTrial && (isOver || isTry(pick.lane))) {
        if (this.#mayRisk(waiter, moment)) spare ??= { waiter, pick };
        continue;
      }
      if (this.#take(queue, waiter, pick, isTrial)) return true;
    }
    return spare !== null && this.#take(queue, spare.waiter, spare.pick, isTrial);
  }

  /** Who was refused has the first claim on what comes free: until it is there, others take no more
   * than that. A call that is a try of the limit goes all the same. */
  #isOver({ returned }: WaitQueue<Waiter>, { slot, lane }: Pick, now: number): boolean {
    const isClaimed = returned > 0 || now < this.#againUntil;
    return isClaimed && !this.#kinship.hasFreed(slot.account, lane.model);
  }

  /** Who was refused tries again for others only after it waited long, and then once. */
  #mayRisk(waiter: Waiter, { now, timing }: Moment): boolean {
    const { refusals } = waiter.call;
    return refusals < MOST_REFUSED && now - waiter.since > PATIENT_SERVICES * timing.limitProbeMs;
  }

  /** @returns false where another process has booked the rest of the account's budget meanwhile */
  #take(queue: WaitQueue<Waiter>, waiter: Waiter, pick: Pick, isTrial: boolean): boolean {
    if (!book(waiter.call.request.funds, pick.slot.record.account)) return false;
    queue.take(waiter);
    if (waiter.call.refusals > 0) {
      this.#againUntil = this.#roster.now() + this.#roster.timing().wayMs;
    }
    this.#start(waiter, pick, isTrial);
    return true;
  }

  #start(waiter: Waiter, pick: Pick, providerTrial: boolean): void {
    const now = this.#roster.now();
    const { provider } = this.#roster;
    const { slot } = pick;
    this.#turn += 1;
    const attempt = new Attempt({
      call: waiter.call,
      slot,
      ceiling: this.#roster.ceiling,
      provider,
      now,
      turn: this.#turn,
      isProviderTrial: providerTrial,
      onAccepted: (it) => this.#reporter.accepted(it),
      onFirstByte: (it) => this.#reporter.firstByte(it),
      onTold: (it, told) => this.#reporter.told(it, told),
    });
    const survivalMs = this.#survivalMs(slot, providerTrial);
    attempt.presumeAfter(survivalMs, this.#roster.now, () => this.#reporter.survived(attempt));
    waiter.call.onEnd((end) => attempt.stop(end));
    this.#roster.observer.leftQueue?.({
      provider: provider.provider,
      waitedMs: now - waiter.since,
    });
    this.#kinship.sent(attempt.visit());
    waiter.start(attempt);
  }

  /** In an outage and on the way out of it, failures take longer than refusals. */
  #survivalMs(slot: KeySlot, providerTrial: boolean): number {
    const { provider } = this.#roster;
    const { firstSignMs, rampMs } = this.#roster.timing();
    const usual = slot.record.proven ? rampMs : firstSignMs;
    const isShaky = providerTrial || provider.ramp !== null;
    return isShaky ? Math.max(usual, SURVIVED_FAILURES * provider.badMs) : usual;
  }

  #notice(waiter: Waiter, ahead: number): WaitNotice {
    const now = this.#roster.now();
    if (!this.#roster.breaker.admits) return { reason: 'outage', ahead };
    if (waiter.notBefore > now && waiter.call.faults > 0) return { reason: 'retry', ahead: null };
    const { model } = waiter.call.request;
    if (waitedForMoney(waiter.call, this.#roster.slots) !== null)
      return { reason: 'budget', ahead };
    const anyUp = this.#roster.slots.some((slot) => isInRotation(slot, model, now));
    return { reason: anyUp ? 'slot' : 'cooldown', ahead };
  }

  /** Fails what cannot be served in time; waiting is only for what waiting helps. */
  #refuseHopeless(): void {
    for (const [model, queue] of this.#queues) {
      if (queue.size === 0) continue;
      const verdict = this.#hopeFor(model);
      if (verdict === null && !this.#isCapped) continue;
      for (const waiter of [...queue]) {
        const error = isBroke(waiter.call, this.#roster.slots) ?? verdict?.(waiter.call) ?? null;
        if (error !== null && queue.drop(waiter)) waiter.fail(error);
      }
    }
  }

  /** Null when a key may come free at any time. */
  #hopeFor(model: string): ((call: PendingCall) => PoolExhaustedError | null) | null {
    const { slots, provider, breaker } = this.#roster;
    const now = this.#roster.now();
    const name = provider.provider;
    if (slots.length === 0) return () => noKeys(name);
    const reasons: KeyReason[] = [];
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const slot of slots) {
      const reason = unavailability(slot, model, now);
      if (reason === null) return null;
      reasons.push(reason);
      if (!isOut(slot)) earliestMs = Math.min(earliestMs, reason.retryAfterMs ?? earliestMs);
    }
    if (earliestMs === Number.POSITIVE_INFINITY) return () => noCredentials(name, reasons);
    if (breaker.state !== 'closed') return null;
    const least = this.#roster.timing().leastMs;
    return (call) =>
      now + earliestMs + least > call.deadlineAt ? exhausted(name, reasons, earliestMs) : null;
  }

  #wakeLater(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.depth === 0) return;
    const now = this.#roster.now();
    const timing = this.#roster.timing();
    let at = now + (this.#isCapped ? MONEY_LOOK_MS : 2 * timing.coolMs);
    for (const [model, queue] of this.#queues) {
      if (queue.size > 0) at = Math.min(at, this.#nextChance(model, queue, now));
    }
    this.#timer = setTimeout(() => this.pump(), Math.max(1, Math.ceil(at - now)));
  }

  /** The next instant at which time alone lets a call start. */
  #nextChance(model: string, queue: WaitQueue<Waiter>, now: number): number {
    let at = queue.nextBackOff(now);
    if (this.#againUntil > now) at = Math.min(at, this.#againUntil);
    for (const slot of this.#roster.slots) {
      const { record, account } = slot;
      if (record.suspectUntil > now) at = Math.min(at, record.suspectUntil);
      if (account.coolUntil > now) at = Math.min(at, account.coolUntil);
      const forbiddenUntil = record.forbiddenUntil.get(model) ?? 0;
      if (forbiddenUntil > now) at = Math.min(at, forbiddenUntil);
      const lane = account.lanes.get(model);
      const shutUntil = lane?.shut?.until ?? 0;
      if (shutUntil > now) at = Math.min(at, shutUntil);
      if (lane !== undefined) at = Math.min(at, nextTurn(lane, queue, now));
      const growth = this.#kinship.growsAt(account, model, now);
      if (growth > now) at = Math.min(at, growth);
    }
    return at;
  }
}

/** When the turn of a call that waits comes in this lane; Infinity where it is not that what it waits for. */
function nextTurn(lane: Lane, queue: WaitQueue<Waiter>, now: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { call } of queue.candidates(now)) {
    for (const spare of [0, 1]) {
      const turn = goesAt(lane, call.units, spare);
      if (turn > now) next = Math.min(next, turn);
    }
  }
  return next;
}
