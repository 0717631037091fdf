/**
 * This process among those that use the same accounts: states what its pools have and want whenever
 * they say that something changed, and several times a second while they are busy; hands them the
 * answers; and lets them go on by themselves while nobody answers. It asks one question at a time,
 * holds no process open and is silent while there is nothing to do.
 */

import type { Logger } from '../base/logger.ts';
import type {
  LaneRow,
  Membership,
  Participant,
  Report,
  Sharing,
  Statement,
} from '../pool/sharing.ts';
import {
  type Exchange,
  type ExchangeAnswer,
  type Heard,
  type Link,
  LinkDown,
  type NumberedReport,
  type ProcessView,
} from './protocol.ts';

/** How often a busy process says what it has. */
const BUSY_MS = 250;
/** How often one asks that waits for what another one has: a small part of a service. */
const POLL_LEAST_MS = 10;
const POLL_MOST_MS = 100;
const POLLS_PER_SERVICE = 64;
/** How soon after a lost link it is tried again: longer each time. */
const RETRY_MS = 100;
const RETRY_MOST_MS = 1_000;
/** Reports that nobody took in; the oldest say least. */
const MOST_REPORTS = 256;

export interface MemberOptions {
  readonly link: Link;
  readonly logger: Logger;
  /** Makes an id that says nothing to who lacks the key, the same in all processes that have it. */
  readonly idOf: (words: readonly string[]) => string;
  /** The client's name, once it has said it. */
  readonly client?: () => string | null;
}

/** What the process knows of the others, for people to read. */
export interface MemberView {
  /** Null: nobody was asked yet. */
  readonly isUp: boolean | null;
  readonly processes: readonly ProcessView[];
}

export class Member implements Sharing {
  readonly #options: MemberOptions;
  readonly #participants: Participant[] = [];
  #reports: NumberedReport[] = [];
  #number = 0;
  #seq = 0;
  #heard: Heard = { epoch: '', version: 0 };
  /** This coordinator has heard what we know. */
  #hasTold = true;
  #isUp: boolean | null = null;
  #isAsked = false;
  #isAsking = false;
  #asking: Promise<void> = Promise.resolve();
  #hasLeft = false;
  #failures = 0;
  #processes: readonly ProcessView[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
  }

  idOf(...words: readonly string[]): string {
    return this.#options.idOf(words);
  }

  get view(): MemberView {
    return { isUp: this.#isUp, processes: this.#processes };
  }

  join(participant: Participant): Membership {
    this.#participants.push(participant);
    const isShared = (): boolean => this.#isUp !== false && !this.#hasLeft;
    return {
      get isShared() {
        return isShared();
      },
      report: (report) => this.#report(report),
      ask: () => this.#ask(),
    };
  }

  /** Asks how things stand; resolves when that is answered, or cannot be. */
  async refresh(): Promise<void> {
    this.#ask();
    await this.#asking;
  }

  async leave(): Promise<void> {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    clearTimeout(this.#timer);
    await this.#options.link.leave();
  }

  #report(report: Report): void {
    if (this.#hasLeft) return;
    this.#number += 1;
    this.#reports.push({ number: this.#number, report });
    if (this.#reports.length > MOST_REPORTS) this.#reports.shift();
    this.#ask();
  }

  /** While nobody answers, the timer asks. */
  #ask(): void {
    if (this.#hasLeft || (this.#isUp === false && this.#timer !== undefined)) return;
    this.#isAsked = true;
    if (!this.#isAsking) this.#asking = this.#askAll();
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    // Whatever else changes within this turn goes with it.
    await Promise.resolve();
    while (this.#isAsked && !this.#hasLeft) {
      this.#isAsked = false;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const states = this.#participants.map((each) => each.state());
      const request = this.#requestOf(states);
      const { rows, tries, asks, reports } = request;
      const isBusy = rows.length + tries.length + asks.length + reports.length > 0;
      const mayWant = isBusy || states.some(({ waits }) => waits);
      try {
        this.#take(await this.#options.link.exchange(request), request);
        if (mayWant && !this.#isAsked) this.#wake(pauseAfter(request, this.#processes.length));
      } catch (error) {
        this.#lose(error, mayWant);
        break;
      }
    }
    this.#isAsking = false;
  }

  #requestOf(states: readonly Statement[]): Exchange {
    this.#seq += 1;
    const isNew = this.#hasTold;
    return {
      seq: this.#seq,
      rows: states.flatMap((each) => each.rows),
      tries: states.flatMap((each) => each.tries),
      asks: states.flatMap((each) => each.asks),
      reports: [...this.#reports],
      facts: isNew ? [] : this.#participants.flatMap((each) => each.facts()),
      joined: isNew ? [] : this.#participants.flatMap((each) => each.joined()),
      heard: this.#heard,
      measured: states.flatMap((each) => each.measured),
      unmeasured: states.flatMap((each) => each.unmeasured),
      client: this.#options.client?.() ?? null,
    };
  }

  #take(answer: ExchangeAnswer, request: Exchange): void {
    if (this.#hasLeft || answer.seq !== request.seq) return;
    const { grants, trials, heard, reported, processes } = answer;
    this.#reports = this.#reports.filter(({ number }) => number > reported);
    // Somebody else coordinates now, and may know less than we do.
    const isNew = heard.epoch !== this.#heard.epoch && this.#heard.epoch !== '';
    this.#heard = heard;
    this.#processes = processes;
    this.#hasTold = !isNew;
    this.#rise();
    const pending = this.#reports.map(({ report }) => report);
    const facts = answer.facts.filter(({ id }) => !pending.some((each) => concerns(each, id)));
    const isSettled = !isNew && !pending.some(({ kind }) => kind === 'joined' || kind === 'parted');
    const told = {
      grants,
      unheard: pending.filter((each) => each.kind === 'refused' || each.kind === 'rate-refused'),
      speeds: answer.speeds,
      trials,
      facts,
      joined: isSettled ? answer.joined : null,
      processes: processes.length,
    };
    for (const participant of this.#participants) participant.hear(told);
    if (isNew) this.#isAsked = true;
  }

  #wake(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#ask();
    }, ms);
    this.#timer.unref();
  }

  #rise(): void {
    this.#isUp = true;
    this.#failures = 0;
  }

  /** Nothing waits for an answer any more: each pool goes on with its part. */
  #lose(error: unknown, mayWant: boolean): void {
    if (this.#hasLeft) return;
    // That a link is down, and why, the link itself has said.
    if (!(error instanceof LinkDown)) {
      this.#options.logger.error('What other processes say could not be taken in', { error });
    }
    const wasUp = this.#isUp !== false;
    this.#isUp = false;
    this.#isAsked = false;
    const pause = Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** Math.min(this.#failures, 8));
    this.#failures += 1;
    if (wasUp || mayWant) this.#wake(pause);
    if (!wasUp) return;
    const processes = Math.max(1, this.#processes.length);
    for (const participant of this.#participants) participant.lost(processes);
  }
}

function concerns(report: Report, id: string): boolean {
  return 'id' in report && report.id === id;
}

/** Until the next exchange, where nothing asks for one sooner. */
function pauseAfter({ rows, asks }: Exchange, processes: number): number {
  const waits = rows.filter((row) => row.waitingInteractive + row.waitingBatch > 0);
  // A limit that nobody knows yet may show itself to another one first.
  const isSought = rows.some((row) => row.inFlight > 0 && row.limit.capacity === null);
  if (waits.length + asks.length === 0) {
    return isSought && processes > 1 ? POLL_MOST_MS : BUSY_MS;
  }
  // Who stands in line for a turn knows when it comes.
  const waitsMs = ({ paced, probeMs }: LaneRow): number =>
    (paced?.rate.refusedRate ?? null) === null ? probeMs : Number.POSITIVE_INFINITY;
  const serviceMs = Math.min(...waits.map(waitsMs));
  return Math.min(POLL_MOST_MS, Math.max(POLL_LEAST_MS, serviceMs / POLLS_PER_SERVICE));
}
