/**
 * The link of the processes of one home on one machine. Nothing is spawned, killed or waited for:
 * one of them coordinates beside its own work, and when it ends another one does.
 */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DiskError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { systemCode } from '../../base/system/system-error.ts';
import { watchPath } from '../../disk/path-watch.ts';
import { purposeKey } from '../ids.ts';
import { LinkState, type Problem } from '../link-state.ts';
import { newNonce } from '../nonce.ts';
import { parseExchange } from '../parse-message.ts';
import {
  type Exchange,
  type ExchangeAnswer,
  type Link,
  LinkDown,
  type LinkView,
} from '../protocol.ts';
import { CallError } from './caller.ts';
import { Coordinator } from './coordinator.ts';
import { meet } from './meet.ts';
import { type MeetingPlace, meetingPlace, placeName } from './place.ts';
import { ANSWER_MS, HostSeat, MemberSeat, type Seat } from './seats.ts';

/** After the coordinator ended, so that not all come at once. */
const AGAIN_MIN_MS = 20;
const AGAIN_MAX_MS = 120;
/** After an attempt that failed; doubled with every further one. */
const RETRY_MS = 1_000;
const RETRY_MAX_MS = 60_000;

export interface LocalLinkOptions {
  /** The home's `run`, one of this user's alone. */
  readonly folder: string;
  /** Of the home. */
  readonly secret: Uint8Array;
  /** What is shared belongs to one store. */
  readonly storePath: string;
  readonly logger: Logger;
}

function problemOf(error: unknown, place: MeetingPlace | null): Problem {
  if (error instanceof DiskError) return { reason: error.message, next: error.hint };
  const where = place?.socket ?? 'the socket';
  if (error instanceof CallError) {
    return error.failure === 'stranger'
      ? { reason: `another program answers at ${where}`, next: 'end it, or take its socket away' }
      : { reason: `whoever listens at ${where} hangs up`, next: '' };
  }
  const code = systemCode(error);
  return { reason: `no socket can stand at ${where}${code === '' ? '' : ` (${code})`}`, next: '' };
}

interface Joining {
  readonly done: Promise<void>;
  /** Over when nobody should wait for it any more. */
  readonly patience: Promise<void>;
}

const TURN_MS = 5;

/**
 * So many milliseconds in which this process could act: what it spent on loading itself, or asleep,
 * is not the other's slowness.
 */
async function awake(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= TURN_MS) await sleep(TURN_MS);
}

export class LocalLink implements Link {
  readonly #options: LocalLinkOptions;
  readonly #state: LinkState;
  readonly #member = newNonce();
  readonly #key: Uint8Array;
  #place: MeetingPlace | null = null;
  #seat: Seat | null = null;
  #joining: Joining | null = null;
  #failures = 0;
  #retryAt = 0;
  #again: NodeJS.Timeout | null = null;
  #unwatch: () => void = () => {};
  #last: Exchange | null = null;
  #hasLeft = false;

  constructor(options: LocalLinkOptions) {
    this.#options = options;
    this.#state = new LinkState('socket', options.logger);
    this.#key = purposeKey(options.secret, 'hello');
  }

  get view(): LinkView {
    return this.#state.view;
  }

  async exchange(request: Exchange): Promise<ExchangeAnswer> {
    if (this.#hasLeft) throw new LinkDown('this process has left');
    this.#last = request;
    if (this.#seat === null && performance.now() >= this.#retryAt) {
      const joining = this.#join();
      await Promise.race([joining.done, joining.patience]);
    }
    if (this.#seat === null) throw new LinkDown(this.view.problem ?? 'nobody is there yet');
    return this.#seat.exchange(request);
  }

  async leave(): Promise<void> {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    if (this.#again !== null) clearTimeout(this.#again);
    await this.#rise();
  }

  /** Gives up the seat, whichever it is. */
  async #rise(): Promise<void> {
    const seat = this.#seat;
    this.#seat = null;
    this.#unwatch();
    this.#unwatch = () => {};
    await seat?.close();
  }

  /** Begins before the first exchange, so that it need not wait. */
  prepare(): void {
    if (this.#seat === null && !this.#hasLeft) this.#join();
  }

  #join(): Joining {
    this.#joining ??= {
      patience: awake(ANSWER_MS),
      done: this.#sit()
        .catch((error: unknown) => this.#failed(error))
        .finally(() => {
          this.#joining = null;
        }),
    };
    return this.#joining;
  }

  #failed(error: unknown): void {
    const waitMs = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#retryAt = performance.now() + waitMs;
    this.#state.down(problemOf(error, this.#place));
  }

  async #sit(): Promise<void> {
    const { folder, secret, storePath, logger } = this.#options;
    const name = placeName(secret, storePath);
    this.#place ??= await meetingPlace(folder, name);
    const place = this.#place;
    // Kept ready before the place is taken: who comes there is answered at once.
    const coordinator = await Coordinator.open(join(folder, `${name}.json`), logger);
    const member: MemberSeat = new MemberSeat((isLate) => {
      if (this.#seat === member) this.#pace(isLate);
    });
    const met = await meet({
      place,
      key: this.#key,
      member: this.#member,
      asMember: {
        answered: (message) => member.answered(message),
        closed: () => this.#lost(member),
      },
      asHost: {
        asked: (who, message) => coordinator.exchange(who, parseExchange(message)),
        left: (who) => coordinator.forget(who),
        refused: (error) => logger.debug('A process on the socket broke the protocol', { error }),
      },
    });
    if (met.role === 'member') member.sit(met.caller);
    const seat = met.role === 'member' ? member : new HostSeat(this.#member, met.host, coordinator);
    this.#take(seat, place);
  }

  #take(seat: Seat, place: MeetingPlace): void {
    if (this.#hasLeft) {
      void seat.close();
      return;
    }
    this.#seat = seat;
    this.#failures = 0;
    this.#state.up(seat.role);
    const look = (): void => {
      if (seat.isOver) this.#lost(seat);
    };
    if (seat.role === 'coordinator' && place.isFile) this.#unwatch = watchPath(place.socket, look);
    // It may have ended in this very moment.
    look();
  }

  #pace(isLate: boolean): void {
    const reason = 'the coordinating process does not answer in time';
    if (isLate) this.#state.down({ reason, next: '', isPassing: true });
    else this.#state.up('member');
  }

  /** The one who coordinated is gone, or nobody finds this process any more. */
  #lost(seat: Seat): void {
    if (this.#seat !== seat || this.#hasLeft) return;
    void this.#rise();
    const waitMs = AGAIN_MIN_MS + Math.random() * (AGAIN_MAX_MS - AGAIN_MIN_MS);
    this.#again = setTimeout(() => void this.#joinAgain(), waitMs).unref();
  }

  /** Whoever coordinates from now on hears at once what this process has. */
  async #joinAgain(): Promise<void> {
    // An exchange may have led there already.
    if (this.#seat === null) await this.#join().done;
    if (this.#last !== null) await this.#seat?.exchange(this.#last).catch(() => {});
  }
}
