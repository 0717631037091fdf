/**
 * Lets calls through as long as there is money for them. A call is admitted when what was spent,
 * what calls before it may still cost and what it may cost itself fit under every cap. Where they
 * do not fit, it waits for those before it: an estimate from above must refuse nobody. Only money
 * that is really spent does, so one call at a time goes up to the cap and at most one over it.
 */

import type { BudgetError } from '../../base/errors.ts';
import type { AccountFunds, CallAsk } from '../../base/spending.ts';
import type { LedgerEntry } from '../ledger/entry.ts';
import { type AccountBar, HeldFunds } from './account-funds.ts';
import { type Budget, budgetName, budgetSpan } from './budget.ts';
import { BudgetAlerts, type BudgetAlertsOptions } from './budget-alerts.ts';
import {
  heldError,
  nearNotice,
  noLedgerError,
  partSpentError,
  spentError,
  unpricedError,
} from './budget-words.ts';
import type { Reservation, ReservationJournal } from './reservation-journal.ts';
import type { SpentBook } from './spent-book.ts';
import { TeamLine, type TeamLineOptions } from './team/team-line.ts';
import { WaitingRoom } from './waiting-room.ts';

export interface BudgetState {
  readonly budget: Budget;
  /** null for a session: each has its own. */
  readonly spentUsd: number | null;
  /** Epoch milliseconds; null: with the session. */
  readonly resetsAt: number | null;
}

export interface BudgetKeeperOptions extends BudgetAlertsOptions {
  /** As they are now. @throws ConfigError */
  readonly budgets: () => readonly Budget[];
  readonly book: SpentBook;
  readonly journal: ReservationJournal;
  /** False when nothing is written down: then nothing can be counted, either. */
  readonly hasLedger: boolean;
  /** Other homes that spend from the same budgets; absent: there are none. */
  readonly team?: Pick<TeamLineOptions, 'link' | 'home' | 'memory'>;
}

/** Leave to spend, held by one call. */
export interface Permit {
  /** null where no budget is an account's. */
  readonly funds: AccountFunds | null;
  /** An attempt is sent with a key of this account, booked or not. */
  useAccount(account: string): void;
  /** An attempt has ended, and is counted. @param written when its entry is where other processes see it */
  spent(entry: LedgerEntry, written: Promise<void>): void;
  /** A sentence for the call's result, or null. */
  readonly notice: string | null;
  end(): void;
}

/** A call that stands in line, or is under way. */
interface Held {
  readonly id: string;
  readonly ask: CallAsk;
  /** The budgets that count it. */
  readonly mine: readonly Budget[];
  /** null where the price is not known: then no account with a budget may serve it. */
  readonly mostUsd: number | null;
}

/** Within one round of choices the view is the same. */
const LATELY_MS = 5;
const NEAR = 0.8;
/** Sums of floats are right to far more than this. */
const EXACT_USD = 1e-9;
/** A call is over some time after its deadline at the latest. */
const GRACE_MS = 10_000;

/** A session is one process's own. */
function isShared({ per }: Budget): boolean {
  return per !== 'session';
}

export class BudgetKeeper {
  readonly #options: BudgetKeeperOptions;
  readonly #sessions = new Map<string, number>();
  readonly #waiting = new WaitingRoom();
  /** Reservations of this process, and the session of each. */
  readonly #sessionOf = new Map<string, string>();
  readonly #alerts: BudgetAlerts;
  readonly #team: TeamLine | null;
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(options: BudgetKeeperOptions) {
    this.#options = options;
    this.#alerts = new BudgetAlerts(options);
    const { team, now } = options;
    this.#team =
      team === undefined
        ? null
        : new TeamLine({
            ...team,
            now,
            spent: () => this.#totals(),
            onChange: () => this.#waiting.look(),
          });
  }

  async #totals() {
    const { book, now } = this.#options;
    if (!book.isCaughtUp(now())) await book.catchUp(now());
    book.refresh(now());
    return book.totals(now());
  }

  /** Tells other homes what this one has spent, before anybody calls. */
  prepare(): void {
    this.#team?.ask();
  }

  /**
   * @param mostUsd null where the price is not known
   * @returns null where no budget is set
   * @throws BudgetError, ConfigError, or the reason of the caller's abort
   */
  async admit(ask: CallAsk, mostUsd: number | null): Promise<Permit | null> {
    const budgets = this.#options.budgets();
    if (budgets.length === 0) return null;
    const needsLedger = budgets.some(({ per }) => per !== 'session');
    if (needsLedger && !this.#options.hasLedger) throw noLedgerError();
    const mine = budgets.filter(({ client }) => client === null || client === ask.client);
    if (mine.length === 0) return null;
    const isGeneral = mine.some(({ account }) => account === null);
    if (mostUsd === null && isGeneral) throw unpricedError(ask.model);
    const { book, now } = this.#options;
    if (!book.isCaughtUp(now())) await book.catchUp(now());
    return await this.#standInLine(ask, mine, mostUsd);
  }

  /** Of every budget, for whoever shows it. @throws ConfigError */
  states(): BudgetState[] {
    const budgets = this.#options.budgets();
    const now = this.#options.now();
    if (budgets.length > 0) {
      this.#options.book.refresh(now);
      // Whoever looks again sees what others have spent meanwhile.
      this.#team?.ask();
    }
    return budgets.map((budget) => {
      const span = budgetSpan(budget.per, now);
      const spentUsd = span === null ? null : this.#spent(budget, '');
      return { budget, spentUsd, resetsAt: span?.until ?? null };
    });
  }

  async #standInLine(
    ask: CallAsk,
    mine: readonly Budget[],
    mostUsd: number | null,
  ): Promise<Permit> {
    const { journal, now } = this.#options;
    const general = mine.filter(({ account }) => account === null);
    // By what is known already: a caller in a loop shall not fill the journal. The line looks again.
    this.#refuseSpent(general, ask.session);
    const until = now() + ask.timeoutMs + GRACE_MS;
    const usd = mostUsd ?? 0;
    const id = journal.reserve({ usd, client: ask.client, until });
    this.#sessionOf.set(id, ask.session);
    for (const budget of general) if (isShared(budget)) this.#team?.enter(id, budget, usd, false);
    try {
      await this.#waiting.until(this.#watchLine(id, ask, general, usd), ask.signal);
      this.#team?.start(id);
      return new HeldPermit(this, { id, ask, mine, mostUsd });
    } catch (error) {
      this.release(id);
      throw error;
    }
  }

  /** Tells whether it is the call's turn; throws when that will not come. */
  #watchLine(id: string, ask: CallAsk, budgets: readonly Budget[], mostUsd: number): () => boolean {
    const deadline = performance.now() + ask.timeoutMs;
    let hasSaid = false;
    // Whoever has just taken its place has read the line to its end.
    let knowsLine = true;
    return () => {
      if (knowsLine) this.#options.book.refresh(this.#options.now());
      else this.#refresh();
      knowsLine = false;
      this.#refuseSpent(budgets, ask.session);
      const full = budgets.find((each) => this.#isFull(each, id, ask, mostUsd));
      if (full === undefined) return true;
      if (performance.now() > deadline) throw heldError(full, this.#spent(full, ask.session));
      if (!hasSaid) ask.onWait('waiting until other calls have told what they cost');
      hasSaid = true;
      return false;
    };
  }

  /** The line before the book: who has left the line has written down what it spent. */
  #refresh(): void {
    this.#options.journal.refresh();
    this.#options.book.refresh(this.#options.now());
  }

  /** For who asks again and again, of many accounts. */
  #refreshLately(): void {
    const now = performance.now();
    if (now - this.#refreshedAt < LATELY_MS) return;
    this.#refreshedAt = now;
    this.#refresh();
  }

  #spent(budget: Budget, session: string): number {
    if (budget.per === 'session') {
      return this.#sessions.get(JSON.stringify([session, budgetName(budget)])) ?? 0;
    }
    return this.#spentHere(budget) + (this.#team?.elsewhere(budget) ?? 0);
  }

  #spentHere(budget: Budget): number {
    return this.#options.book.spent(budget, this.#options.now());
  }

  /** What this home may spend in all while it cannot ask the others; null: it can, or there are none. */
  #part(budget: Budget): number | null {
    return this.#team?.isAlone === true && isShared(budget) ? this.#team.part(budget) : null;
  }

  /** null: there is money left. */
  #spentErrorOf(budget: Budget, session: string): BudgetError | null {
    const spent = this.#spent(budget, session);
    if (spent >= budget.usd - EXACT_USD) {
      const error = spentError(budget, spent, this.#options.now());
      this.#alerts.once(budget, session, 'spent', error.message);
      return error;
    }
    const part = this.#part(budget);
    if (part === null || !this.#isPartSpent(budget, part)) return null;
    return this.#team?.hasTried === true ? partSpentError(budget, part) : null;
  }

  #isPartSpent(budget: Budget, part: number): boolean {
    return this.#spentHere(budget) >= part - EXACT_USD;
  }

  #refuseSpent(budgets: readonly Budget[], session: string): void {
    for (const budget of budgets) {
      const error = this.#spentErrorOf(budget, session);
      if (error !== null) throw error;
    }
  }

  #isFull(budget: Budget, id: string, ask: CallAsk, mostUsd: number): boolean {
    const part = this.#part(budget);
    if (this.#team !== null && part === null && isShared(budget)) {
      return !this.#team.fits(id, budget, mostUsd);
    }
    // It is asked once more before anybody is refused.
    if (part !== null && this.#isPartSpent(budget, part)) return true;
    const held = this.#line(budget, id, ask.session).reduce((sum, { usd }) => sum + usd, 0);
    // Whoever stands first goes, even where an estimate from above is over the cap.
    const spent = part === null ? this.#spent(budget, ask.session) : this.#spentHere(budget);
    return held > 0 && spent + held + mostUsd > (part ?? budget.usd);
  }

  /** Who stands before the call, as far as it concerns the budget. */
  #line(budget: Budget, id: string, session: string): Reservation[] {
    const { journal } = this.#options;
    if (budget.account !== null) return journal.aheadInAccount(id, budget.account);
    return journal.ahead(id).filter((each) => {
      if (budget.per === 'session') return this.#sessionOf.get(each.id) === session;
      return budget.client === null || each.client === budget.client;
    });
  }

  fundsOf(held: Held): AccountFunds {
    return new HeldFunds({
      now: this.#options.now,
      barOf: (account) => this.#barOf(held, account),
      assign: (account) => this.assign(held, account),
      unassign: () => {
        this.#options.journal.unassign(held.id);
        this.#team?.leaveAccounts(held.id);
      },
    });
  }

  /** null where the account may serve the call. */
  #barOf({ id, ask, mine, mostUsd }: Held, account: string): AccountBar | null {
    const budgets = mine.filter((budget) => budget.account === account);
    if (budgets.length === 0) return null;
    if (mostUsd === null) return { state: 'spent', budget: null, error: unpricedError(ask.model) };
    this.#refreshLately();
    for (const budget of budgets) {
      const error = this.#spentErrorOf(budget, ask.session);
      if (error === null) continue;
      return { state: 'spent', budget: this.#part(budget) === null ? budget : null, error };
    }
    const full = budgets.find((each) => this.#isFull(each, id, ask, mostUsd));
    if (full === undefined) return null;
    return { state: 'held', budget: full, error: heldError(full, this.#spent(full, ask.session)) };
  }

  /** Stands in the account's line from here on. */
  assign({ id, mine, mostUsd }: Held, account: string): void {
    const budgets = mine.filter((budget) => budget.account === account);
    if (budgets.length === 0) return;
    this.#options.journal.assign(id, account);
    this.#team?.assign(id, budgets.filter(isShared), mostUsd ?? 0);
    this.#refresh();
  }

  /** Of every attempt of this process, whether or not there is a budget yet. */
  count(entry: LedgerEntry): void {
    this.#options.book.addOwn(entry);
    this.#team?.noteSpent(entry.account, entry.client, entry.usd?.estimate ?? 0);
  }

  /** @returns a sentence when this was what made a budget nearly spent */
  note(entry: LedgerEntry, ask: CallAsk, mine: readonly Budget[]): string | null {
    const usd = entry.usd?.estimate ?? 0;
    const { now } = this.#options;
    let notice: string | null = null;
    for (const budget of mine) {
      if (budget.account !== null && budget.account !== entry.account) continue;
      if (budget.per === 'session') this.#addToSession(budget, ask.session, usd);
      const after = this.#spent(budget, ask.session);
      // Whose entry it was that crossed the line, nobody can tell: the claim decides who says it.
      if (after < NEAR * budget.usd - EXACT_USD) continue;
      const sentence = nearNotice(budget, after, now());
      if (this.#alerts.once(budget, ask.session, 'near', sentence)) notice = sentence;
    }
    return notice;
  }

  #addToSession(budget: Budget, session: string, usd: number): void {
    const key = JSON.stringify([session, budgetName(budget)]);
    this.#sessions.set(key, (this.#sessions.get(key) ?? 0) + usd);
  }

  release(id: string): void {
    this.#options.journal.release(id);
    this.#team?.end(id);
    this.#sessionOf.delete(id);
    this.#waiting.look();
  }

  async close(): Promise<void> {
    this.#waiting.close();
    await this.#team?.leave();
    this.#options.journal.close();
    this.#options.book.close();
  }
}

class HeldPermit implements Permit {
  readonly funds: AccountFunds | null;
  readonly #keeper: BudgetKeeper;
  readonly #held: Held;
  #notice: string | null = null;
  #written: Promise<void> = Promise.resolve();

  constructor(keeper: BudgetKeeper, held: Held) {
    this.#keeper = keeper;
    this.#held = held;
    const isAccounts = held.mine.some(({ account }) => account !== null);
    this.funds = isAccounts ? keeper.fundsOf(held) : null;
  }

  get notice(): string | null {
    return this.#notice;
  }

  useAccount(account: string): void {
    this.#keeper.assign(this.#held, account);
  }

  spent(entry: LedgerEntry, written: Promise<void>): void {
    this.#written = written;
    const { ask, mine } = this.#held;
    this.#notice = this.#keeper.note(entry, ask, mine) ?? this.#notice;
  }

  /** The reservation goes when everybody can see what was spent instead. */
  end(): void {
    void this.#written.then(() => this.#keeper.release(this.#held.id));
  }
}
