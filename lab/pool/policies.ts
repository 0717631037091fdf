/**
 * What the pool is measured against, on the same calls: models of what people build, each with up
 * to four sends per call and the usual back-off.
 */

import { UpstreamError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { KeyPool } from '../../src/pool/key-pool.ts';
import {
  type AttemptResult,
  AttemptStopped,
  type CallRequest,
  type CallResult,
  type KeyProbe,
  type Lease,
  type Lender,
  type PoolKey,
  type Send,
} from '../../src/pool/lease.ts';
import type { Sharing } from '../../src/pool/sharing.ts';
import type { FoundAccounts } from '../../src/pool/snapshot.ts';

/** Virtual or real. */
export interface Clock {
  /** Monotonic milliseconds. */
  readonly now: number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Policy extends Lender {
  close(): void;
  /** The pool itself, where a scenario looks inside. */
  readonly pool?: KeyPool;
}

export interface PolicyContext {
  readonly keys: readonly PoolKey[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly maxConcurrent: number;
  readonly answerMs: number;
  /** Default: a disabled key stays disabled. */
  readonly probe?: KeyProbe;
  /** Other processes, where there are some, or may be. */
  readonly sharing?: Sharing;
  readonly onAccounts?: (found: FoundAccounts) => void;
  /** What every key may take, for the policy that is told. */
  readonly capacities?: readonly number[];
}

export type PolicyName = 'keypool' | 'round-robin' | 'fixed-limit' | 'best-score' | 'told-limit';
/** All but the one that is told what the others have to find. */
export const POLICY_NAMES: readonly PolicyName[] = [
  'keypool',
  'round-robin',
  'fixed-limit',
  'best-score',
];

export function createPolicy(name: PolicyName, context: PolicyContext): Policy {
  if (name === 'keypool') return keypool(context);
  if (name === 'round-robin') return new RoundRobin(context, Number.POSITIVE_INFINITY);
  if (name === 'fixed-limit') return new RoundRobin(context, 10);
  if (name === 'told-limit') return new RoundRobin(context, 1);
  return new BestScore(context, 10);
}

function keypool(context: PolicyContext): Policy {
  const pool = new KeyPool({
    keys: context.keys,
    maxConcurrent: context.maxConcurrent,
    logger: silentLogger,
    now: () => context.clock.now,
    answerMs: { deepseek: context.answerMs },
    random: context.random,
    probe: context.probe ?? (async () => 'invalid_key'),
    ...(context.sharing === undefined ? {} : { sharing: context.sharing }),
    onAccounts: context.onAccounts ?? (() => {}),
  });
  return {
    pool,
    call: (request, send) => pool.lender('deepseek').call(request, send),
    close: () => pool.close(),
  };
}

const SENDS = 4;

interface Tried {
  readonly key: PoolKey;
  readonly limit: number;
  inFlight: number;
}

/** Everybody knows that these are not worth a second try. */
function isCallersFault({ failure }: UpstreamError): boolean {
  const { status } = failure;
  return status === 400 || status === 404 || status === 413 || status === 422;
}

/** The retry loop that the baselines share; they differ in the key they take. */
abstract class Baseline implements Policy {
  protected readonly keys: Tried[];
  protected readonly context: PolicyContext;
  readonly #waiting: Array<() => void> = [];

  constructor(context: PolicyContext, limit: number) {
    this.context = context;
    this.keys = context.keys.map((key, index) => ({
      key,
      limit: context.capacities?.[index] ?? limit,
      inFlight: 0,
    }));
  }

  protected abstract pick(free: readonly Tried[]): Tried;
  protected learn(_key: Tried, _isOk: boolean, _ms: number): void {}

  close(): void {}

  async call<T>(request: CallRequest, send: Send<T>): Promise<CallResult<T>> {
    const { clock, random } = this.context;
    const deadline = clock.now + request.timeoutMs;
    let last: unknown;
    for (let attempt = 1; attempt <= SENDS; attempt++) {
      if (attempt > 1) await clock.sleep(500 * 2 ** (attempt - 2) * (0.75 + 0.5 * random()));
      const tried = await this.#free();
      const since = clock.now;
      tried.inFlight += 1;
      try {
        const { value } = await this.#send(request, tried, attempt, deadline, send);
        this.learn(tried, true, clock.now - since);
        return { value, keyName: tried.key.name, attempts: attempt };
      } catch (error) {
        last = error;
        this.learn(tried, false, clock.now - since);
        if (!(error instanceof UpstreamError) || isCallersFault(error)) throw error;
      } finally {
        tried.inFlight -= 1;
        this.#waiting.shift()?.();
      }
    }
    throw last;
  }

  async #free(): Promise<Tried> {
    for (;;) {
      const free = this.keys.filter((each) => each.inFlight < each.limit);
      if (free.length > 0) return this.pick(free);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async #send<T>(
    request: CallRequest,
    { key }: Tried,
    attempt: number,
    deadline: number,
    send: Send<T>,
  ): Promise<AttemptResult<T>> {
    const { clock } = this.context;
    const controller = new AbortController();
    const stop = (): void => controller.abort(request.signal.reason);
    request.signal.addEventListener('abort', stop, { once: true });
    if (request.signal.aborted) stop();
    const remainingMs = Math.max(0, deadline - clock.now);
    const timer = setTimeout(() => controller.abort(new AttemptStopped('deadline')), remainingMs);
    const lease: Lease = {
      keyName: key.name,
      keyId: key.secret.slice(-6),
      account: key.account ?? key.name,
      secret: key.secret,
      attempt,
      signal: controller.signal,
      remainingMs,
      firstByte: () => {},
      giveUp: () => controller.abort(new AttemptStopped('idle')),
    };
    try {
      return await send(lease);
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', stop);
    }
  }
}

class RoundRobin extends Baseline {
  #next = 0;

  protected pick(free: readonly Tried[]): Tried {
    for (let step = 0; step < this.keys.length; step++) {
      const tried = this.keys[this.#next % this.keys.length];
      this.#next += 1;
      if (tried !== undefined && free.includes(tried)) return tried;
    }
    throw new Error('no free key');
  }
}

/** The naive reading of "scored pool": highest success over latency wins, every error counts. */
class BestScore extends Baseline {
  readonly #scores = new Map<Tried, { success: number; ms: number }>();

  protected pick(free: readonly Tried[]): Tried {
    const value = (tried: Tried): number => {
      const score = this.#scores.get(tried);
      return score === undefined ? 1 : score.success / (1 + score.ms / 1_000);
    };
    const [best] = [...free].sort((a, b) => value(b) - value(a));
    if (best === undefined) throw new Error('no free key');
    return best;
  }

  protected override learn(key: Tried, isOk: boolean, ms: number): void {
    const old = this.#scores.get(key) ?? { success: 1, ms };
    this.#scores.set(key, {
      success: old.success + 0.1 * ((isOk ? 1 : 0) - old.success),
      ms: isOk ? old.ms + 0.2 * (ms - old.ms) : old.ms,
    });
  }
}
