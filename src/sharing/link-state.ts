/** Whether a link is up, since when, and why not: for people, and one log line for each change. */

import type { Logger } from '../base/logger.ts';
import type { LinkView } from './protocol.ts';

/** Why a link is down, in our words. */
export interface Problem {
  /** What is wrong, as the end of a sentence: no capital, no period. */
  readonly reason: string;
  /** What to do; empty when it mends itself. */
  readonly next: string;
}

export class LinkState {
  readonly #kind: LinkView['kind'];
  readonly #logger: Logger;
  #view: LinkView;
  /** Said last; an empty text for "it is up". */
  #said = '';

  constructor(kind: LinkView['kind'], logger: Logger) {
    this.#kind = kind;
    this.#logger = logger;
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
    const details = { over: this.#kind, role };
    if (this.#said === '') this.#logger.debug('Limits are shared with other processes', details);
    else this.#logger.info('Limits are shared with other processes again', details);
    this.#said = '';
  }

  down(problem: Problem): void {
    const { reason, next } = problem;
    const since = this.#view.isUp ? Date.now() : this.#view.since;
    this.#view = { kind: this.#kind, isUp: false, since, role: null, problem: reason };
    if (this.#said === reason) return;
    this.#said = reason;
    this.#logger.warn('Limits are not shared with other processes; this one goes on by itself', {
      over: this.#kind,
      reason,
      ...(next === '' ? {} : { next }),
    });
  }
}
