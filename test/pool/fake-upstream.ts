/** An upstream made of plain async functions, for the fake clock. */

import type { FailureKind, Provider } from '../../src/base/errors.ts';
import { type Failure, UpstreamError } from '../../src/base/errors.ts';
import type { AttemptResult, CallRequest, Lease, PoolKey } from '../../src/pool/lease.ts';

const STATUS: Partial<Record<FailureKind, number>> = {
  invalid_key: 401,
  no_credit: 402,
  forbidden: 403,
  concurrency: 429,
  balance_limit: 429,
  bad_request: 400,
  server_error: 500,
  overloaded: 503,
};

const BILLED: ReadonlySet<FailureKind> = new Set(['cut', 'idle', 'connection_lost']);

export function failure(kind: FailureKind, more: Partial<Failure> = {}): UpstreamError {
  const facts = {
    kind,
    status: STATUS[kind] ?? null,
    retryAfterMs: null,
    requestId: null,
    namedLimit: null,
    namedInFlight: null,
    mayBeBilled: BILLED.has(kind),
    ...more,
  };
  return new UpstreamError('deepseek', facts, `the upstream failed: ${kind}`);
}

/** Rejects with the signal's reason as fetch does. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

export function testKeys(count: number, provider: Provider = 'deepseek'): PoolKey[] {
  const family = `${provider.toUpperCase()}_API_KEY`;
  return Array.from({ length: count }, (_, index) => ({
    provider,
    name: index === 0 ? family : `${family}_${index + 1}`,
    account: null,
    secret: `sk-test-fake-${String(index + 1).padStart(8, '0')}`,
  }));
}

export function request(more: Partial<CallRequest> = {}): CallRequest {
  return {
    model: 'deepseek-flash',
    speedClass: 'deepseek-flash thinking=off',
    signal: new AbortController().signal,
    timeoutMs: 180_000,
    priority: 'interactive',
    session: 'session',
    ...more,
  };
}

/** How one key behaves at an instant. */
export interface Behaviour {
  /** Fails at once with this kind. */
  readonly fails?: FailureKind;
  /** Details of the failure. */
  readonly failure?: Partial<Failure>;
  /** Says nothing at all until it is aborted. */
  readonly hangs?: boolean;
  /** Calls in flight that the key's account takes. */
  readonly capacity?: number;
  readonly serviceMs?: number;
}

export interface Sent {
  readonly keyName: string;
  readonly at: number;
  readonly attempt: number;
}

/** Answers by key; counts what each account has in flight. */
export class FakeUpstream {
  readonly sent: Sent[] = [];
  readonly inFlight = new Map<string, number>();
  readonly mostInFlight = new Map<string, number>();
  refusals = 0;
  readonly #behaviour: (keyName: string, now: number) => Behaviour;

  constructor(behaviour: (keyName: string, now: number) => Behaviour = () => ({})) {
    this.#behaviour = behaviour;
  }

  sentTo(keyName: string): number {
    return this.sent.filter((each) => each.keyName === keyName).length;
  }

  readonly send = async (lease: Lease): Promise<AttemptResult<string>> => {
    const { keyName, account, signal } = lease;
    this.sent.push({ keyName, at: Date.now(), attempt: lease.attempt });
    await sleep(5, signal);
    const now = this.#behaviour(keyName, Date.now());
    if (now.hangs) await sleep(3_600_000, signal);
    if (now.fails !== undefined) throw failure(now.fails, now.failure);
    const busy = this.inFlight.get(account) ?? 0;
    if (busy >= (now.capacity ?? Number.POSITIVE_INFINITY)) {
      this.refusals += 1;
      throw failure('concurrency');
    }
    return this.#serve(lease, busy + 1, now.serviceMs ?? 100);
  };

  async #serve(lease: Lease, busy: number, serviceMs: number): Promise<AttemptResult<string>> {
    const { keyName, account, signal } = lease;
    this.inFlight.set(account, busy);
    this.mostInFlight.set(account, Math.max(busy, this.mostInFlight.get(account) ?? 0));
    try {
      lease.accepted?.();
      await sleep(serviceMs * 0.3, signal);
      lease.firstByte();
      await sleep(serviceMs * 0.7, signal);
    } finally {
      this.inFlight.set(account, (this.inFlight.get(account) ?? 1) - 1);
    }
    return { value: `served by ${keyName}`, completionTokens: 100, promptTokens: 10 };
  }
}
