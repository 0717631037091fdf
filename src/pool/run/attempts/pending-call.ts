/** One call from its arrival to its end: one deadline, one cancel, and what was tried so far. */

import { isAbort, type UpstreamError } from '../../../base/errors.ts';
import { PatientTimer } from '../../../base/system/patient-timer.ts';
import type { CallRequest } from '../../lease.ts';

export type CallEnd = 'cancelled' | 'deadline';

export class PendingCall {
  /** Order of arrival. */
  readonly id: number;
  readonly request: CallRequest;
  readonly deadlineAt: number;
  /** What it counts for where requests per time are limited. */
  readonly units: number;
  /** Names of keys that failed this call. */
  readonly tried = new Set<string>();
  attempts = 0;
  /** Faults that were not its keys'. */
  faults = 0;
  /** Times that it was refused for too many in flight. */
  refusals = 0;
  /** When the first attempt was sent that failed so, and the first that may have been billed. */
  failingSince: number | null = null;
  billedSince: number | null = null;
  /** Sends that may have been billed and brought nothing. */
  billed = 0;
  lastError: UpstreamError | null = null;
  #end: CallEnd | null = null;
  #listener: ((end: CallEnd) => void) | null = null;
  readonly #timer: PatientTimer;
  readonly #cancel = (): void => this.#finish('cancelled');

  constructor(id: number, request: CallRequest, now: number) {
    this.id = id;
    this.request = request;
    this.deadlineAt = now + request.timeoutMs;
    this.units = request.units ?? 1;
    this.#timer = new PatientTimer(request.timeoutMs, () => this.#finish('deadline'));
    request.signal.addEventListener('abort', this.#cancel, { once: true });
    if (request.signal.aborted) this.#end = 'cancelled';
  }

  /** Why the call may not go on; null while it may. */
  get end(): CallEnd | null {
    return this.#end;
  }

  /** Whoever works for the call just now hears of its end; one at a time. */
  onEnd(listener: ((end: CallEnd) => void) | null): void {
    this.#listener = listener;
  }

  /** What a cancelled call ends with: the caller's own reason where that is an abort. */
  abortReason(): Error {
    const { reason } = this.request.signal;
    if (reason instanceof Error && isAbort(reason)) return reason;
    return new DOMException('the call was cancelled', 'AbortError');
  }

  dispose(): void {
    this.#timer.clear();
    this.#listener = null;
    this.request.signal.removeEventListener('abort', this.#cancel);
  }

  #finish(end: CallEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#listener?.(end);
  }
}
