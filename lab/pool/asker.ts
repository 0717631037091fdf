/**
 * Who knows that all keys are one account, and how many calls it takes when it is alone there: one
 * call after the other is sent until one is refused, and then none for a fixed time. What can be had
 * beside a stranger, as the pool's measure; where nobody else is there it wastes every slot that its
 * own calls free meanwhile.
 */

import { UpstreamError } from '../../src/base/errors.ts';
import type { CallRequest, CallResult, Send } from '../../src/pool/lease.ts';
import type { Policy, PolicyContext } from './policies.ts';

export class Asker implements Policy {
  readonly #context: PolicyContext;
  readonly #slots: number;
  readonly #pauseMs: number;
  readonly #waiting: Array<() => void> = [];
  #inFlight = 0;
  #isAsking = false;
  #shutUntil = 0;

  constructor(context: PolicyContext, slots: number, pauseMs: number) {
    this.#context = context;
    this.#slots = slots;
    this.#pauseMs = pauseMs;
  }

  close(): void {}

  async call<T>(request: CallRequest, send: Send<T>): Promise<CallResult<T>> {
    for (let attempt = 1; ; attempt++) {
      await this.#turn();
      try {
        const { value } = await this.#send(request, send, attempt);
        return { value, keyName: this.#key.name, attempts: attempt };
      } catch (error) {
        if (!(error instanceof UpstreamError) || error.failure.status !== 429) throw error;
        this.#shutUntil = this.#context.clock.now + this.#pauseMs;
      } finally {
        this.#inFlight -= 1;
        this.#answered();
      }
    }
  }

  get #key() {
    const [key] = this.#context.keys;
    if (key === undefined) throw new Error('no key');
    return key;
  }

  async #turn(): Promise<void> {
    for (;;) {
      const { clock } = this.#context;
      const shutMs = this.#shutUntil - clock.now;
      if (shutMs > 0) await clock.sleep(shutMs);
      else if (this.#isAsking || this.#inFlight >= this.#slots) {
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      } else break;
    }
    this.#isAsking = true;
    this.#inFlight += 1;
  }

  /** The next one may ask. */
  #answered(): void {
    this.#isAsking = false;
    this.#waiting.shift()?.();
  }

  #send<T>(request: CallRequest, send: Send<T>, attempt: number) {
    const { name, account, secret } = this.#key;
    return send({
      keyName: name,
      keyId: secret.slice(-6),
      account: account ?? name,
      secret,
      attempt,
      signal: request.signal,
      remainingMs: request.timeoutMs,
      accepted: () => this.#answered(),
      firstByte: () => {},
      giveUp: () => {},
    });
  }
}
