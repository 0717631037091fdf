/** How exchanges are answered: in this very process, or by the one that coordinates. */

import { PatientTimer } from '../../base/system/patient-timer.ts';
import { parseAnswer } from '../parse-message.ts';
import { type Exchange, type ExchangeAnswer, LinkDown } from '../protocol.ts';
import type { LocalCaller } from './caller.ts';
import type { Coordinator } from './coordinator.ts';
import type { Host } from './host.ts';

/** Nothing waits longer for an answer, once. */
export const ANSWER_MS = 50;
/** Whoever is silent for so long is stopped, or lost. */
const SILENT_MS = 1_000;

export interface Seat {
  readonly role: 'coordinator' | 'member';
  /** Nobody is reached from here any more. */
  readonly isOver: boolean;
  exchange(request: Exchange): Promise<ExchangeAnswer>;
  close(): Promise<void>;
}

/** This process coordinates. */
export class HostSeat implements Seat {
  readonly role = 'coordinator';
  readonly #member: string;
  readonly #host: Host;
  readonly #coordinator: Coordinator;

  constructor(member: string, host: Host, coordinator: Coordinator) {
    this.#member = member;
    this.#host = host;
    this.#coordinator = coordinator;
  }

  get isOver(): boolean {
    return !this.#host.isFound;
  }

  exchange(request: Exchange): Promise<ExchangeAnswer> {
    return Promise.resolve(this.#coordinator.exchange(this.#member, request));
  }

  /** Whoever comes next finds what was known; unless he has come already, and knows more by now. */
  async close(): Promise<void> {
    this.#coordinator.forget(this.#member);
    await this.#coordinator.close(this.isOver ? 'forget' : 'keep');
    this.#host.close();
  }
}

interface Question {
  readonly seq: number;
  readonly resolve: (answer: ExchangeAnswer) => void;
  readonly reject: (error: LinkDown) => void;
  readonly patience: PatientTimer;
}

/**
 * Another process coordinates. While its answers come late nobody waits for them: what is asked
 * goes out to see whether it is quick again, one at a time.
 */
export class MemberSeat implements Seat {
  readonly role = 'member';
  /** Tells that answers come late, or in time again. */
  readonly #onPace: (isLate: boolean) => void;
  #caller: LocalCaller | null = null;
  #question: Question | null = null;
  #askedAt: number | null = null;
  #silence: PatientTimer | null = null;
  #isLate = false;

  constructor(onPace: (isLate: boolean) => void) {
    this.#onPace = onPace;
  }

  sit(caller: LocalCaller): void {
    this.#caller = caller;
  }

  get isOver(): boolean {
    return this.#caller === null || this.#caller.isClosed;
  }

  exchange(request: Exchange): Promise<ExchangeAnswer> {
    const caller = this.#caller;
    if (caller === null || this.isOver) return Promise.reject(new LinkDown('nobody is there'));
    if (this.#isLate) {
      if (this.#askedAt === null) this.#ask(caller, request);
      return Promise.reject(new LinkDown('the answers come late'));
    }
    this.#ask(caller, request);
    return new Promise((resolve, reject) => {
      this.#question?.reject(new LinkDown('another question was asked'));
      this.#question?.patience.clear();
      // Whoever waits for this answer has a call to make: for this moment the process stays.
      const patience = new PatientTimer(ANSWER_MS, () => this.#tooLate());
      this.#question = { seq: request.seq, resolve, reject, patience };
    });
  }

  /** @throws whatever is no answer; the connection ends with it */
  answered(message: unknown): void {
    const answer = parseAnswer(message);
    const tookMs = this.#askedAt === null ? 0 : performance.now() - this.#askedAt;
    this.#askedAt = null;
    this.#silence?.clear();
    this.#silence = null;
    if (this.#isLate && tookMs <= ANSWER_MS) this.#pace(false);
    const question = this.#question;
    if (question === null || question.seq !== answer.seq) return;
    this.#question = null;
    question.patience.clear();
    question.resolve(answer);
  }

  close(): Promise<void> {
    this.#silence?.clear();
    this.#question?.patience.clear();
    this.#question?.reject(new LinkDown('the connection ended'));
    this.#question = null;
    this.#caller?.close();
    return Promise.resolve();
  }

  #ask(caller: LocalCaller, request: Exchange): void {
    caller.ask(request);
    this.#askedAt ??= performance.now();
    this.#silence ??= new PatientTimer(SILENT_MS, () => caller.close()).unref();
  }

  #tooLate(): void {
    this.#question?.reject(new LinkDown('no answer in time'));
    this.#question = null;
    this.#pace(true);
  }

  #pace(isLate: boolean): void {
    this.#isLate = isLate;
    this.#onPace(isLate);
  }
}
