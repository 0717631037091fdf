/**
 * This process among those of other homes that spend from the same budgets: states what its calls
 * hold and want, hears what it may use, and goes on with its home's part while nobody can be asked.
 * It asks one question at a time and holds no process open.
 */

import { type Budget, budgetLabel, budgetScope } from '../budget.ts';
import { ScopeLine } from './scope-line.ts';
import type { TeamMemory, TeamNews } from './team-memory.ts';
import type { TeamAnswer, TeamRequest, TeamSum } from './team-state.ts';

/** Carries requests to wherever the state is kept. */
export interface TeamLink {
  /** Settles soon. @throws where nobody can be asked */
  exchange(request: TeamRequest): Promise<TeamAnswer>;
  /** Everything is given back. */
  leave(): Promise<void>;
}

export interface TeamLineOptions {
  readonly link: TeamLink;
  /** Tells homes apart; the same for all processes of one. Never rejects. */
  readonly home: Promise<string>;
  /** What the home has spent, as far as it is read. */
  readonly spent: () => Promise<readonly TeamSum[]>;
  readonly now: () => number;
  readonly memory: TeamMemory;
  /** Hears that something has changed. */
  readonly onChange: () => void;
}

/** What is over so soon changes nothing: calls wait for it, and none is judged by the part. */
const PASSING_MS = 1_000;
/** A process that stood still for as long has asked once. */
const TRIES = 2;
const POLL_MS = 25;
/** How often a process with calls under way says so. */
const BUSY_MS = 500;
/** A server that lost its memory is told anew. */
const IDLE_MS = 30_000;
const RETRY_MS = 100;
const RETRY_MOST_MS = 1_000;
/** Nobody is refused for want of an answer that was not asked for within this time. */
const LATELY_MS = 2_000;

const NOTHING: TeamNews = { scopes: [], spentHere: [], spentElsewhere: [], homes: 1 };

export class TeamLine {
  readonly #options: TeamLineOptions;
  readonly #lines = new Map<string, ScopeLine>();
  #known: TeamNews;
  #seq = 0;
  /** Since when nobody answers; null while somebody does, or was not asked yet. */
  #lostAt: number | null = null;
  #failedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** The others do not know yet of all that was spent here. */
  #isUntold = false;
  #isAsked = false;
  #isAsking = false;
  #asking: Promise<void> = Promise.resolve();
  #hasLeft = false;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = 0;

  constructor(options: TeamLineOptions) {
    this.#options = options;
    this.#known = options.memory.recall() ?? NOTHING;
  }

  /** Nobody can be asked, and that is not over in a moment. */
  get isAlone(): boolean {
    if (this.#lostAt === null || this.#failures < TRIES) return false;
    return performance.now() - this.#lostAt >= PASSING_MS;
  }

  /** It was tried a moment ago. */
  get hasTried(): boolean {
    return performance.now() - this.#failedAt < LATELY_MS;
  }

  /** Dollars that other homes are known to have spent. */
  elsewhere(budget: Budget): number {
    return this.#sumOf(this.#known.spentElsewhere, budget);
  }

  /** Dollars that the home may spend in all while nobody can be asked: what it had, and its part of the rest. */
  part(budget: Budget): number {
    const { spentHere, homes, scopes } = this.#known;
    const scope = budgetScope(budget);
    const held = scopes.find((each) => each.scope === scope);
    const [own, others] = [held?.heldHereUsd ?? 0, held?.heldElsewhereUsd ?? 0];
    const spent = this.#sumOf(spentHere, budget);
    const rest = budget.usd - spent - this.elsewhere(budget) - own - others;
    return spent + own + Math.max(0, rest) / homes;
  }

  /** A call stands in the budget's line from here on, under way or not. */
  enter(id: string, budget: Budget, usd: number, isUnderWay: boolean): void {
    this.#lineOf(budget).enter(id, usd, isUnderWay);
    this.ask();
  }

  /** It has its turn. */
  start(id: string): void {
    for (const line of this.#lines.values()) line.start(id);
  }

  /**
   * Whether the call and all that stand before it fit into the room that is there. Where one that
   * stands in no line yet would not, room is asked for.
   */
  fits(id: string, budget: Budget, usd: number): boolean {
    const line = this.#lineOf(budget);
    if (line.has(id)) return line.isClear(id);
    if (line.wouldFit(usd)) return true;
    line.wish(usd, performance.now());
    this.ask();
    return false;
  }

  /** The next attempt is of an account: the call stands in the line of its budgets alone, and keeps its place. */
  assign(id: string, budgets: readonly Budget[], usd: number): void {
    const scopes = new Set(budgets.map(budgetScope));
    for (const [scope, line] of this.#lines) {
      if (line.isOfAccount && !scopes.has(scope)) line.exit(id);
    }
    for (const budget of budgets) this.enter(id, budget, usd, true);
  }

  /** It stands in the lines of accounts no more. */
  leaveAccounts(id: string): void {
    for (const line of this.#lines.values()) if (line.isOfAccount) line.exit(id);
  }

  /** Something was spent, which is told soon. */
  noteSpent(account: string, client: string | null, usd: number): void {
    for (const line of this.#lines.values()) if (line.counts(account, client)) line.spend(usd);
    this.#isUntold = true;
    if (this.#lostAt === null && !this.#isAsking && this.#isQuiet()) this.#wake(BUSY_MS);
  }

  /** The call is over: it stands in no line. */
  end(id: string): void {
    const left = [...this.#lines.values()].filter((line) => line.exit(id));
    if (left.some(({ isWanted }) => isWanted)) this.ask();
  }

  /** Something has changed, or time to ask has come. While nobody answers, the timer asks. */
  ask(): void {
    if (this.#hasLeft) return;
    if (this.#lostAt !== null && this.#timer !== undefined) {
      if (this.#wakesAt - performance.now() > RETRY_MOST_MS) this.#wake(RETRY_MS);
      return;
    }
    this.#isAsked = true;
    if (!this.#isAsking) this.#asking = this.#askAll();
  }

  /** Says what is left to say. */
  async leave(): Promise<void> {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    clearTimeout(this.#timer);
    for (const line of this.#lines.values()) line.clear();
    // One question at a time: what is under way may be from before the last call's end.
    await this.#asking;
    if (this.#lostAt === null) {
      await this.#request()
        .then((request) => this.#options.link.exchange(request))
        .catch(() => null);
    }
    if (this.#known !== NOTHING) await this.#options.memory.note(this.#known, true);
    await this.#options.link.leave();
  }

  #sumOf(sums: readonly TeamSum[], budget: Budget): number {
    const scope = budgetScope(budget);
    const label = budgetLabel(budget.per, this.#options.now());
    return sums.find((each) => each.scope === scope && each.label === label)?.usd ?? 0;
  }

  #lineOf(budget: Budget): ScopeLine {
    const scope = budgetScope(budget);
    const known = this.#lines.get(scope) ?? new ScopeLine(budget);
    this.#lines.set(scope, known);
    known.budget = budget;
    return known;
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    // Whatever else changes within this turn goes with it.
    await Promise.resolve();
    while (this.#isAsked && !this.#hasLeft) {
      this.#isAsked = false;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const isTelling = this.#isUntold;
      this.#isUntold = false;
      try {
        const request = await this.#request();
        this.#take(await this.#options.link.exchange(request), request);
      } catch {
        // Why, the link itself has said.
        this.#failedAt = performance.now();
        // Before anybody calls, nobody misses it.
        if (!this.#isQuiet()) this.#lostAt ??= this.#failedAt;
        this.#isAsked = false;
        this.#isUntold ||= isTelling;
        // What was spent meanwhile is told as soon as somebody can be asked again.
        const most = this.#isQuiet() && !this.#isUntold ? IDLE_MS : RETRY_MOST_MS;
        this.#wake(Math.min(most, RETRY_MS * 2 ** Math.min(this.#failures, 10)));
        this.#failures += 1;
      }
      this.#options.onChange();
    }
    this.#isAsking = false;
  }

  async #request(): Promise<TeamRequest> {
    const home = await this.#options.home;
    const spent = await this.#options.spent();
    const now = this.#options.now();
    this.#seq += 1;
    const lines = [...this.#lines.values()];
    const rows = lines.flatMap((line) =>
      line.row(budgetLabel(line.budget.per, now), performance.now()),
    );
    return { seq: this.#seq, home, spent, rows };
  }

  #take(answer: TeamAnswer, { seq, rows }: TeamRequest): void {
    if (answer.seq !== seq) return;
    this.#lostAt = null;
    this.#failures = 0;
    const { seq: _, ...news } = answer;
    this.#known = { ...news, homes: Math.max(1, news.homes) };
    void this.#options.memory.note(this.#known);
    let isUnmet = false;
    for (const { scope, inFlightUsd, nextUsd } of rows) {
      const told = answer.scopes.find((each) => each.scope === scope);
      this.#lines.get(scope)?.hear(told?.roomUsd ?? 0, told?.isWanted ?? false);
      isUnmet ||= nextUsd > 0 && (told?.roomUsd ?? 0) < inFlightUsd + nextUsd;
    }
    if (this.#isAsked) return;
    this.#wake(isUnmet ? POLL_MS : this.#isQuiet() ? IDLE_MS : BUSY_MS);
  }

  #isQuiet(): boolean {
    return [...this.#lines.values()].every((line) => line.isEmpty);
  }

  #wake(ms: number): void {
    clearTimeout(this.#timer);
    this.#wakesAt = performance.now() + ms;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.ask();
    }, ms);
    this.#timer.unref();
  }
}
