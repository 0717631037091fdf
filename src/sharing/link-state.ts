/** Whether a link is up, since when, and why not: for people, and one log line for each change. */

import type { Logger } from '../base/logger.ts';
import type { LinkView } from './protocol.ts';

/** Why a link is down, in our words. */
export interface Problem {
  /** What is wrong, as the end of a sentence: no capital, no period. */
  readonly reason: string;
  /** What to do; empty when it mends itself. */
  readonly next: string;
  /** Often over before anybody could read of it: a busy machine, a pause. */
  readonly isPassing?: boolean;
}

const PASSING_MS = 1_000;

export class LinkState {
  readonly #kind: LinkView['kind'];
  readonly #logger: Logger;
  readonly #consequences: () => Readonly<Record<string, string>>;
  #view: LinkView;
  /** Said last; an empty text for "it is up". */
  #said = '';
  #saying: NodeJS.Timeout | null = null;

  /** @param consequences what else is to be said of it when it is down */
  constructor(
    kind: LinkView['kind'],
    logger: Logger,
    consequences: () => Readonly<Record<string, string>> = () => ({}),
  ) {
    this.#kind = kind;
    this.#logger = logger;
    this.#consequences = consequences;
    this.#view = { kind, isUp: false, since: Date.now(), role: null, problem: null };
  }

  get view(): LinkView {
    return this.#view;
  }

  up(role: 'coordinator' | 'member'): void {
    if (this.#view.isUp && this.#view.role === role) return;
    const { isUp, since } = this.#view;
    this.#view = {
      kind: this.#kind,
      isUp: true,
      since: isUp ? since : Date.now(),
      role,
      problem: null,
    };
    this.#hush();
    const details = { over: this.#kind, role };
    if (this.#said === '') this.#logger.debug('Limits are shared with other processes', details);
    else this.#logger.info('Limits are shared with other processes again', details);
    this.#said = '';
  }

  down(problem: Problem): void {
    const { reason } = problem;
    const since = this.#view.isUp ? Date.now() : this.#view.since;
    this.#view = { kind: this.#kind, isUp: false, since, role: null, problem: reason };
    // Said already, if with less detail: the view has the rest.
    if (this.#said !== '' && reason.startsWith(this.#said)) return;
    if (problem.isPassing === true) {
      // Something better known was said of the same outage.
      if (this.#said !== '') return;
      this.#saying ??= setTimeout(() => this.#say(problem), PASSING_MS).unref();
      return;
    }
    this.#hush();
    this.#say(problem);
  }

  #hush(): void {
    if (this.#saying !== null) clearTimeout(this.#saying);
    this.#saying = null;
  }

  #say({ reason, next }: Problem): void {
    this.#said = reason;
    this.#logger.warn('Limits are not shared with other processes; this one goes on by itself', {
      over: this.#kind,
      reason,
      ...(next === '' ? {} : { next }),
      ...this.#consequences(),
    });
  }
}
