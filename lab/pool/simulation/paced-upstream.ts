/** A simulated provider on the virtual clock that limits requests per time, in any of the usual ways. */

import { type Failure, UpstreamError } from '../../../src/base/errors.ts';
import type { AttemptResult, Lease } from '../../../src/pool/lease.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** `bucket` drains steadily; `window` begins anew when its time is over; `log` counts the requests
 * of the last `perMs`. */
export interface RateLimit {
  readonly kind: 'bucket' | 'window' | 'log';
  /** Requests in `perMs`; may change with time. */
  readonly limit: number | ((now: number) => number);
  readonly perMs: number;
  /** Requests at once after a rest, for a bucket; default the limit. */
  readonly depth?: number;
}

export interface PacedSpec {
  /** Limits of every account; a request has to pass all of them. */
  readonly limits: readonly RateLimit[];
  /** Account of each key. */
  readonly keys: readonly number[];
  readonly isUnlabelled?: boolean;
  /** Requests a second that are somebody else's. */
  readonly others?: (now: number) => number;
  /** A refusal asks for a pause: until there is room again, in whole seconds. */
  readonly hasRetryAfter?: boolean;
  /** Answers say what is left. */
  readonly hasHeaders?: boolean;
  /** Refusals name the whole second of the wall clock by which a bucket will be empty, and what is
   * in it: a part of that pause is asked for. */
  readonly hasReset?: boolean;
  readonly answerMs: number;
  readonly serviceMs: number;
}

/** One limit of one account. */
class Meter {
  readonly #limit: RateLimit;
  #level = 0;
  #at = 0;
  #log: number[] = [];

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  #rate(now: number): number {
    const { limit, perMs } = this.#limit;
    return (typeof limit === 'number' ? limit : limit(now)) / perMs;
  }

  #depth(now: number): number {
    return this.#limit.depth ?? this.#rate(now) * this.#limit.perMs;
  }

  #drain(now: number): void {
    const { kind, perMs } = this.#limit;
    if (kind === 'log') {
      this.#log = this.#log.filter((at) => at > now - perMs);
      this.#level = this.#log.length;
    } else if (kind === 'bucket')
      this.#level = Math.max(0, this.#level - this.#rate(now) * (now - this.#at));
    else if (Math.floor(now / perMs) > Math.floor(this.#at / perMs)) this.#level = 0;
    this.#at = now;
  }

  room(now: number): number {
    this.#drain(now);
    return this.#depth(now) - this.#level;
  }

  take(units: number, now: number): void {
    this.#drain(now);
    this.#level += units;
    for (let unit = 0; unit < units; unit++) this.#log.push(now);
  }

  /** Until one more has room. */
  waitMs(now: number): number {
    const missing = 1 - this.room(now);
    if (missing <= 0) return 0;
    const { kind, perMs } = this.#limit;
    if (kind === 'log') return (this.#log[0] ?? now) + perMs - now;
    return kind === 'bucket' ? missing / this.#rate(now) : perMs - (now % perMs);
  }

  /** Until the whole second by which it is empty, over the units that are in it. */
  drainMs(now: number): number {
    this.#drain(now);
    const emptyAt = 1_000 * Math.ceil((now + this.#level / this.#rate(now)) / 1_000);
    return (emptyAt - now) / Math.max(1, Math.ceil(this.#level));
  }

  told(now: number) {
    const { limit } = this.#limit;
    return {
      limit: typeof limit === 'number' ? limit : limit(now),
      remaining: Math.max(0, Math.floor(this.room(now))),
    };
  }
}

export class PacedUpstream {
  sent = 0;
  refused = 0;
  /** When each was taken or refused, by the virtual clock. */
  readonly takenAt: number[] = [];
  readonly refusedAt: number[] = [];
  readonly #spec: PacedSpec;
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  readonly #meters: Meter[][];

  constructor(spec: PacedSpec, clock: VirtualClock, random: () => number) {
    this.#spec = spec;
    this.#clock = clock;
    this.#random = random;
    const accounts = Math.max(...spec.keys) + 1;
    this.#meters = Array.from({ length: accounts }, () =>
      spec.limits.map((limit) => new Meter(limit)),
    );
  }

  /** Somebody else's requests, on the first account, until `untilMs`. */
  async crowd(untilMs: number): Promise<void> {
    const { others } = this.#spec;
    if (others === undefined) return;
    let owed = 0;
    while (this.#clock.now < untilMs) {
      await this.#clock.sleep(50 + 50 * this.#random());
      owed += 0.075 * others(this.#clock.now);
      for (; owed >= 1; owed -= 1) this.#admit(0, 1);
    }
  }

  #admit(account: number, units: number): boolean {
    const meters = this.#meters[account] ?? [];
    const { now } = this.#clock;
    if (meters.some((meter) => meter.room(now) < units - 1e-9)) return false;
    for (const meter of meters) meter.take(units, now);
    return true;
  }

  async send(lease: Lease, units = 1): Promise<AttemptResult<string>> {
    const index = Number(/_(\d+)$/.exec(lease.keyName)?.[1] ?? 1) - 1;
    const account = this.#spec.keys[index] ?? 0;
    const { answerMs, serviceMs, hasHeaders = false } = this.#spec;
    this.sent += 1;
    const half = (answerMs / 2) * (0.8 + 0.4 * this.#random());
    await this.#clock.sleep(half, lease.signal);
    if (!this.#admit(account, units)) {
      this.refused += 1;
      this.refusedAt.push(this.#clock.now);
      const failed = this.#refusal(account);
      await this.#clock.sleep(half, lease.signal);
      throw failed;
    }
    for (let unit = 0; unit < units; unit++) this.takenAt.push(this.#clock.now);
    const told = (this.#meters[account] ?? []).map((meter) => meter.told(this.#clock.now));
    await this.#clock.sleep(half, lease.signal);
    if (hasHeaders && told[0] !== undefined) lease.told?.(told[0]);
    lease.accepted?.();
    await this.#clock.sleep(serviceMs * (0.8 + 0.4 * this.#random()), lease.signal);
    lease.firstByte();
    return { value: lease.keyName, completionTokens: null, promptTokens: null };
  }

  #pauseMs(account: number): number | null {
    const { hasRetryAfter, hasReset } = this.#spec;
    const { now } = this.#clock;
    const meters = this.#meters[account] ?? [];
    if (hasRetryAfter) {
      const waits = meters.map((meter) => meter.waitMs(now));
      return 1_000 * Math.max(1, Math.ceil(Math.max(...waits) / 1_000));
    }
    return hasReset ? Math.max(...meters.map((meter) => meter.drainMs(now))) : null;
  }

  #refusal(account: number): UpstreamError {
    const failure: Failure = {
      kind: 'concurrency',
      status: 429,
      retryAfterMs: this.#pauseMs(account),
      requestId: null,
      namedLimit: null,
      namedInFlight: null,
      mayBeBilled: false,
    };
    return new UpstreamError('perplexity', failure, 'refused');
  }
}
