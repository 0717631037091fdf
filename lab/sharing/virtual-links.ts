/** The pure coordinator on the virtual clock, and links to it that delay, lose, double and reorder. */

import { exchange, forget } from '../../src/sharing/coordination/coordination.ts';
import { createState, type SharedState } from '../../src/sharing/coordination/shared-state.ts';
import type { Exchange, ExchangeAnswer, Link, LinkView } from '../../src/sharing/protocol.ts';
import { LinkDown } from '../../src/sharing/protocol.ts';
import type { VirtualClock } from '../pool/simulation/virtual-clock.ts';

/** What happens to what a link carries; every share is in [0, 1]. */
export interface Weather {
  /** One way, milliseconds: at least, and at most. */
  readonly delayMs: readonly [number, number];
  readonly lost: number;
  readonly doubled: number;
}

export const FAIR: Weather = { delayMs: [0, 0], lost: 0, doubled: 0 };

const TIMEOUT_MS = 50;

export class LabCoordinator {
  state: SharedState;
  isUp = true;
  exchanges = 0;
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  /** Called after every exchange: what must hold then. */
  onState: (before: SharedState, after: SharedState, member: string) => void = () => {};

  constructor(clock: VirtualClock, random: () => number, epoch = 'epoch-1') {
    this.#clock = clock;
    this.#random = random;
    this.state = createState(epoch);
  }

  /** It ended; another one begins, which knows nothing. */
  restart(epoch: string): void {
    this.state = createState(epoch);
  }

  take(member: string, request: Exchange): ExchangeAnswer {
    const before = this.state;
    const { state, answer } = exchange(before, member, request, this.#clock.now);
    this.state = state;
    this.exchanges += 1;
    this.onState(before, state, member);
    return answer;
  }

  /** Its connection closed. */
  forget(member: string): void {
    this.state = forget(this.state, member);
  }

  link(member: string, weather: Weather = FAIR): LabLink {
    return new LabLink(this, member, weather, this.#clock, this.#random);
  }
}

export class LabLink implements Link {
  readonly view: LinkView = {
    kind: 'socket',
    isUp: true,
    since: 0,
    role: 'member',
    problem: null,
  };
  /** Its process is dead: nothing is sent or heard any more. */
  isCut = false;
  readonly #hub: LabCoordinator;
  readonly #member: string;
  readonly #weather: Weather;
  readonly #clock: VirtualClock;
  readonly #random: () => number;

  constructor(
    hub: LabCoordinator,
    member: string,
    weather: Weather,
    clock: VirtualClock,
    random: () => number,
  ) {
    this.#hub = hub;
    this.#member = member;
    this.#weather = weather;
    this.#clock = clock;
    this.#random = random;
  }

  exchange(request: Exchange): Promise<ExchangeAnswer> {
    // As on a wire: what is sent is what it was when it was sent.
    const message: Exchange = JSON.parse(JSON.stringify(request));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new LinkDown('no answer')), TIMEOUT_MS);
      void this.#carry(message).then((answer) => {
        if (answer === null || this.isCut) return;
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  async leave(): Promise<void> {
    this.#hub.forget(this.#member);
  }

  /** There and back; null when one of both is lost. A doubled one arrives once more, later. */
  async #carry(request: Exchange): Promise<ExchangeAnswer | null> {
    if (this.isCut || !this.#hub.isUp) return null;
    if (this.#random() < this.#weather.doubled) void this.#again(request);
    await this.#delay();
    if (this.#random() < this.#weather.lost || this.isCut || !this.#hub.isUp) return null;
    const answer: ExchangeAnswer = JSON.parse(
      JSON.stringify(this.#hub.take(this.#member, request)),
    );
    if (this.#random() < this.#weather.lost) return null;
    await this.#delay();
    return answer;
  }

  async #again(request: Exchange): Promise<void> {
    await this.#clock.sleep(200 * this.#random());
    if (!this.isCut && this.#hub.isUp) this.#hub.take(this.#member, request);
  }

  async #delay(): Promise<void> {
    const [least, most] = this.#weather.delayMs;
    if (most > 0) await this.#clock.sleep(least + (most - least) * this.#random());
  }
}
