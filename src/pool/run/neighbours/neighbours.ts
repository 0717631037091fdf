/**
 * The other processes that use the same accounts: asked before a call of ours goes beyond what we
 * have of an account, and heard whenever they found something out. Without a port, nobody is there.
 */

import type { Lane } from '../../records/lane.ts';
import {
  awaitGrant,
  goAlone,
  prepareToTell,
  takeGrant,
  withdraw,
} from '../../records/lane-writer.ts';
import { rowOf } from '../../records/neighbourhood.ts';
import { type AccountRecord, laneOf } from '../../records/state.ts';
import { isRateLimited } from '../../rules/rate.ts';
import type {
  Fact,
  LaneRow,
  Membership,
  Participant,
  Sharing,
  Statement,
  Told,
} from '../../sharing.ts';
import { awaitsLeave, INTERACTIVE_MEMORY_MS, isInRotation, isOut } from '../attempts/selector.ts';
import type { KeySlot } from '../keys/key-slot.ts';
import type { Roster } from '../keys/roster.ts';
import { Hearsay } from './hearsay.ts';
import { hearSpeed, measuredBy, unmeasuredBy } from './speeds.ts';
import { Subjects } from './subjects.ts';
import { Telling } from './telling.ts';

/** Calls that wait for a model. */
export interface Waiting {
  readonly interactive: number;
  readonly batch: number;
  /** What the one that is to go next counts for, where requests per time are limited. */
  readonly units: number;
}

/** The rest of the pool, as far as it is needed here. */
export interface Household {
  readonly depth: () => number;
  readonly waiting: (model: string) => Waiting;
  /** Keys whose check is due or under way. */
  readonly checks: () => readonly KeySlot[];
  /** Somebody else's word may let a check go on. */
  readonly check: () => void;
}

const NOBODY_WAITS: Waiting = { interactive: 0, batch: 0, units: 0 };
/** More are not asked for at once. */
const MOST_ASKS = 128;
/** Lanes of which is spoken at once; the ones in use first. */
const MOST_ROWS = 200;

/** One process's part among several; made where there is a port. */
export class Neighbours implements Participant {
  readonly provider;
  readonly telling: Telling;
  readonly #roster: Roster;
  readonly #subjects: Subjects;
  readonly #hearsay: Hearsay;
  readonly #membership: Membership;
  readonly #household: Household;
  readonly #heard = new Map<string, { readonly fact: Fact; readonly at: number }>();
  #trials: ReadonlySet<string> = new Set();
  /** Lanes for whose slots others wait. */
  #contended: readonly Lane[] = [];
  /** What was wanted when it was asked for last. */
  #wanted = '';
  #isHearing = false;

  constructor(roster: Roster, port: Sharing, household: Household) {
    this.provider = roster.provider.provider;
    this.#roster = roster;
    this.#household = household;
    this.#subjects = new Subjects(this.provider, (...words) => port.idOf(...words));
    this.#hearsay = new Hearsay(roster, this.#subjects);
    this.#membership = port.join(this);
    this.telling = new Telling(roster, this.#subjects, (it) => this.#membership.report(it));
    roster.onKinship = (kind, account) => {
      if (!this.#isHearing) this.telling.kinship(kind, account);
    };
  }

  /** The keys have changed. */
  rekey(): void {
    this.#subjects.setSlots(this.#roster.slots);
    this.#allow();
  }

  /** A model's accounts are others', too: nothing starts there before these were heard. */
  open(model: string): void {
    if (!this.#membership.isShared) return;
    this.#subjects.addModel(model);
    for (const account of this.#roster.accounts) {
      awaitGrant(laneOf(account, model, this.#roster.ceiling));
    }
  }

  /** Calls of this class come: how fast they are others may know. */
  expectCalls(speedClass: string): void {
    this.#subjects.addCalls(speedClass);
  }

  /** The one trial of the provider is ours. */
  get mayTryProvider(): boolean {
    return !this.#membership.isShared || this.#trials.has(this.#subjects.provider);
  }

  /** The check of a key, or of its account, is ours. */
  mayCheck(slot: KeySlot): boolean {
    return !this.#membership.isShared || this.#trials.has(this.#checkOf(slot));
  }

  /** Asks at once where something is wanted, or of no use any more, that was not told yet. */
  changed(): void {
    const depth = this.#household.depth();
    if (!this.#membership.isShared) {
      // Perhaps they can be asked again; nothing waits for it.
      if (depth > 0) this.#membership.ask();
      return;
    }
    const wanted = this.#wantedNow(depth);
    // Asked once: what the answer did not change, another one will not change either.
    const isNew = wanted !== '' && wanted !== this.#wanted;
    this.#wanted = wanted;
    if (isNew) this.#membership.ask();
  }

  /**
   * In one word, to be compared; empty when there is nothing to ask. While calls wait, only what
   * changes here counts: what others take and give back is heard at the regular times.
   */
  #wantedNow(depth: number): string {
    const inFlight = this.#inFlight();
    const { slots, breaker } = this.#roster;
    const now = this.#roster.now();
    if (depth > 0) {
      const usable = slots.filter((slot) => isInRotation(slot, null, now)).length;
      return `${depth} ${inFlight} ${usable} ${breaker.state} ${this.mayTryProvider}`;
    }
    if (this.#contended.some((lane) => (lane.share?.slots ?? 0) > lane.inFlight)) return 'useless';
    const lanes = this.#roster.accounts.flatMap((account) => [...account.lanes.values()]);
    if (lanes.some(({ share }) => (share?.turn ?? null) !== null)) return 'unused turn';
    const isBlocked = (slot: KeySlot): boolean =>
      awaitsLeave(slot) && isInRotation(slot, null, now);
    return inFlight > 0 && slots.some(isBlocked) ? 'blocked' : '';
  }

  #inFlight(): number {
    return this.#roster.slots.reduce((sum, { record }) => sum + record.inFlight, 0);
  }

  ask(): void {
    this.#membership.ask();
  }

  state(): Statement {
    const { provider, accounts, ceiling } = this.#roster;
    const now = this.#roster.now();
    const timing = this.#roster.timing();
    const isInteractive = now - provider.interactiveAt < INTERACTIVE_MEMORY_MS;
    const depth = this.#household.depth();
    const isActive = depth + this.#inFlight() > 0;
    const trials = this.#trialsOf(isActive, depth);
    const rows: LaneRow[] = [];
    const waiting = new Map<string, (account: AccountRecord) => Waiting>();
    for (const account of accounts) {
      for (const [model, lane] of account.lanes) {
        const waits = waiting.get(model) ?? this.#waitingFor(model, now);
        waiting.set(model, waits);
        const { interactive, batch, units } = waits(account);
        prepareToTell(lane, isActive);
        const row = rowOf(lane, {
          account: this.#subjects.account(account.label),
          model: this.#subjects.model(model),
          waitingInteractive: interactive,
          waitingBatch: batch,
          units: isRateLimited(this.provider) ? units : null,
          isInteractive,
          isActive,
          ceiling,
          now,
          timing,
        });
        if (row !== null) rows.push(row);
      }
    }
    const used = rows.length > MOST_ROWS ? rows.sort((a, b) => b.inFlight - a.inFlight) : rows;
    return {
      ...trials,
      rows: used.slice(0, MOST_ROWS),
      measured: measuredBy(this.#roster, this.#subjects),
      unmeasured: isActive ? unmeasuredBy(this.#roster, this.#subjects) : [],
      waits: depth > 0,
    };
  }

  hear({ grants, unheard, facts, speeds, trials, joined }: Told): void {
    const now = this.#roster.now();
    this.#roster.provider.isCutOff = false;
    const keyOf = (it: { account: string; model: string }): string => `${it.account} ${it.model}`;
    const byLane = new Map(grants.map((grant) => [keyOf(grant), grant]));
    const refused = new Set(unheard.map(keyOf));
    this.#trials = new Set(trials);
    this.#allow();
    const contended: Lane[] = [];
    for (const account of this.#roster.accounts) {
      const id = this.#subjects.account(account.label);
      for (const [model, lane] of account.lanes) {
        const key = keyOf({ account: id, model: this.#subjects.model(model) });
        const grant = byLane.get(key);
        if (grant === undefined) withdraw(lane);
        else takeGrant(lane, grant, refused.has(key), now);
        if (grant?.isContended) contended.push(lane);
      }
    }
    this.#contended = contended;
    for (const fact of facts) {
      this.#heard.set(fact.id, { fact, at: now });
      this.#hearsay.hear(fact);
    }
    for (const speed of speeds) hearSpeed(this.#roster, this.#subjects, speed);
    if (joined !== null) {
      this.#isHearing = true;
      this.#hearsay.hearJoined(joined);
      this.#isHearing = false;
    }
    this.#household.check();
    this.#roster.onChange();
  }

  lost(processes: number): void {
    this.#roster.provider.isCutOff = processes > 1;
    for (const account of this.#roster.accounts) {
      for (const lane of account.lanes.values()) goAlone(lane, processes);
    }
    this.#contended = [];
    this.#allow();
    this.#household.check();
    this.#roster.onChange();
  }

  facts(): readonly Fact[] {
    const now = this.#roster.now();
    return [...this.#heard.values()].map(({ fact, at }) => ({
      ...fact,
      checkInMs: Math.max(0, fact.checkInMs - (now - at)),
      restsMs: Math.max(0, fact.restsMs - (now - at)),
    }));
  }

  joined(): ReadonlyArray<readonly string[]> {
    const found = this.#roster.accounts.filter(({ members }) => members.length > 1);
    return found.map((account) => this.#subjects.members(account));
  }

  /** Trials of keys, as far as they are ours. Who tries the provider does so by whatever key there
   * is: the key's trial and the provider's in two hands would wait for each other. */
  #allow(): void {
    const { isShared } = this.#membership;
    const isProviders = this.#roster.breaker.state === 'half-open' && this.mayTryProvider;
    for (const slot of this.#roster.slots) {
      slot.mayTry = !isShared || isProviders || this.#trials.has(this.#subjects.key(slot));
    }
  }

  /** One key answers for its account. */
  #checkOf(slot: KeySlot): string {
    if (slot.record.disabled !== null) return this.#subjects.key(slot);
    return this.#subjects.account(slot.account.label);
  }

  /** Calls for which an account is of use now, by the account. */
  #waitingFor(model: string, now: number): (account: AccountRecord) => Waiting {
    const { breaker, slots } = this.#roster;
    const isUp = breaker.state === 'closed' || (breaker.admits && this.mayTryProvider);
    if (!isUp) return () => NOBODY_WAITS;
    const waiting = this.#household.waiting(model);
    const of = new Set(
      slots.flatMap((each) => (isInRotation(each, model, now) ? each.account : [])),
    );
    return (account) => (of.has(account) ? waiting : NOBODY_WAITS);
  }

  /** What one process tries for all: what is under way here, and what could be. */
  #trialsOf(isActive: boolean, depth: number): Pick<Statement, 'tries' | 'asks'> {
    const { breaker, slots } = this.#roster;
    const tries = new Set<string>();
    const asks = new Set<string>();
    if (breaker.state === 'half-open') {
      if (!breaker.admits) tries.add(this.#subjects.provider);
      else if (depth > 0) asks.add(this.#subjects.provider);
    }
    for (const slot of this.#household.checks()) {
      (this.mayCheck(slot) ? tries : asks).add(this.#checkOf(slot));
    }
    for (const slot of slots) {
      const { record } = slot;
      const isHalfOpen = slot.breaker.state === 'half-open';
      if (!isHalfOpen && record.proven) continue;
      const isUnderWay = isHalfOpen ? !slot.breaker.admits : record.inFlight > 0;
      if (isUnderWay) tries.add(this.#subjects.key(slot));
      else if (isActive && slot.breaker.admits && !isOut(slot) && asks.size < MOST_ASKS) {
        asks.add(this.#subjects.key(slot));
      }
    }
    this.#trials = new Set([...this.#trials].filter((id) => tries.has(id) || asks.has(id)));
    this.#allow();
    return { tries: [...tries], asks: [...asks] };
  }
}
