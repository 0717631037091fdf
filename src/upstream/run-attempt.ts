/** What every attempt at either upstream has in common: its clock, and one exit for errors. */

import { type Failure, isAbort, UpstreamError } from '../base/errors.ts';
import { isSendable } from '../base/keys/key-values.ts';
import type { Logger } from '../base/logger.ts';
import type { AttemptUse, CallMeter, Stage } from '../base/spending.ts';
import { type Lease, stopReasonOf, type WaitNotice } from '../pool/lease.ts';
import type { Diagnosis } from './failures/failure.ts';
import { diagnoseAnswer, diagnosis, requestIdOf } from './failures/failure.ts';
import { diagnoseNetwork } from './failures/network-failure.ts';
import { type About, unsendableKey, upstreamError } from './failures/sentences.ts';
import { cancelled, type Watch, watchAttempt } from './watch.ts';
import { type Answer, readStart, TransportError } from './wire/body.ts';

/** Of an error answer this much is read and, redacted, logged. */
const ERROR_CHARS = 64 * 1024;
const LOGGED_CHARS = 300;

/** A failure that the code reading the answer found; becomes an UpstreamError on the way out. */
export class AttemptFailure extends Error {
  override readonly name = 'AttemptFailure';
  readonly found: Diagnosis;
  /** The upstream's own words, for the log alone. */
  readonly detail: string;

  constructor(found: Diagnosis, detail = '') {
    super(found.failure.kind);
    this.found = found;
    this.detail = detail;
  }
}

/** What the answer has brought so far, for the call's account. */
export interface Arrived extends Omit<AttemptUse, 'outcome' | 'stage'> {
  /** The upstream took the request: status 200. */
  readonly isAccepted: boolean;
  /** It has done work that it bills. */
  readonly isBegun: boolean;
}

export interface UpstreamAttemptOptions {
  readonly lease: Lease;
  readonly about: Omit<About, 'keyName' | 'partial'>;
  readonly logger: Logger;
  /** What is known when the connection breaks: status, trace id, whether it may be billed. */
  readonly known: () => Partial<Failure>;
  /** What had been generated; null when nothing was. */
  readonly partial: () => string | null;
  readonly meter: CallMeter;
  readonly arrived: () => Arrived;
}

/** The reason in words, from an error that was wrapped several times. */
function wordsOf(error: unknown): string {
  const words: string[] = [];
  for (let at = error; at instanceof Error && words.length < 6; at = at.cause) {
    words.push('code' in at ? `${at.message} [${String(at.code)}]` : at.message);
  }
  return words.join(': ');
}

function read(
  error: unknown,
  known: Partial<Failure>,
): { found: Diagnosis; detail: string } | null {
  if (error instanceof AttemptFailure) return { found: error.found, detail: error.detail };
  if (error instanceof TransportError) {
    return { found: diagnoseNetwork(error.cause, known), detail: wordsOf(error.cause) };
  }
  return null;
}

/** The error that the attempt ends with. Neither upstream nor network nor caller: a bug, as it is. */
function explain(error: unknown, options: UpstreamAttemptOptions): unknown {
  const stopped = stopReasonOf(options.lease.signal);
  // Whoever stopped it knows why, and says so.
  if (stopped === 'cancelled' || stopped === 'recalled') return cancelled();
  const known = options.known();
  // An answer that was understood counts, even if its body then would not end.
  const isUnderstood = stopped === null || (stopped === 'idle' && error instanceof AttemptFailure);
  const reading = isUnderstood
    ? read(error, known)
    : { found: diagnosis(stopped, known), detail: '' };
  if (reading === null) return error;
  const { found, detail } = reading;
  const about: About = {
    ...options.about,
    keyName: options.lease.keyName,
    partial: options.partial(),
  };
  const { kind, status, requestId } = found.failure;
  options.logger.warn('attempt failed', {
    provider: about.provider,
    key: about.keyName,
    kind,
    status,
    requestId,
    detail: detail.slice(0, LOGGED_CHARS),
  });
  return upstreamError(found, about);
}

/** How far a failed attempt had come, as the provider's bill sees it. */
function stageOf(error: unknown, lease: Lease, { isBegun, isAccepted }: Arrived): Stage {
  if (isBegun) return 'begun';
  if (isAccepted) return 'queued';
  const wasStopped = lease.signal.aborted;
  const isRefused = error instanceof UpstreamError && !error.failure.mayBeBilled;
  return isRefused && !wasStopped ? 'refused' : 'unanswered';
}

function outcomeOf(error: unknown, lease: Lease): string {
  if (error instanceof UpstreamError) return error.failure.kind;
  if (stopReasonOf(lease.signal) === 'recalled') return 'recalled';
  return isAbort(error) ? 'cancelled' : 'internal_error';
}

/**
 * Runs one attempt.
 *
 * @throws UpstreamError for whatever the upstream or the network did; AbortError for a cancel;
 *   anything else is a bug of ours and passes as it is
 */
export async function runAttempt<T>(
  options: UpstreamAttemptOptions,
  send: (watch: Watch) => Promise<T>,
): Promise<T> {
  const { lease, about } = options;
  if (!isSendable(lease.secret)) {
    throw unsendableKey(diagnosis('invalid_key'), { ...about, keyName: lease.keyName });
  }
  const watch = watchAttempt(lease, about.idleTimeoutMs);
  const account = options.meter.attempt(lease);
  try {
    const value = await send(watch);
    account({ ...options.arrived(), outcome: 'ok', stage: 'done' });
    return value;
  } catch (error) {
    const cause = explain(error, options);
    const arrived = options.arrived();
    const stage = stageOf(cause, lease, arrived);
    account({ ...arrived, outcome: outcomeOf(cause, lease), stage });
    throw cause;
  } finally {
    watch.end();
  }
}

/** Ends the attempt with what an error answer says. */
export async function refuse(response: Answer): Promise<never> {
  const body = await readStart(response, ERROR_CHARS);
  throw new AttemptFailure(diagnoseAnswer(response.status, response.headers, body), body);
}

/** Ends the attempt: the answer is a success, and its body is none. */
export function unusable(response: Answer, body: string): never {
  const requestId = requestIdOf(response.headers);
  const found = diagnosis('malformed', { status: response.status, requestId, mayBeBilled: true });
  throw new AttemptFailure(found, body);
}

/** What somebody who waits is told. */
export function waitMessage({ reason, ahead }: WaitNotice, who: string): string {
  const queue = ahead !== null && ahead > 0 ? `, ${ahead} in front` : '';
  switch (reason) {
    case 'slot':
      return `waiting for a free key${queue}`;
    case 'outage':
      return `${who} is down, the call is held until it answers again${queue}`;
    case 'cooldown':
      return `waiting until a key has cooled down${queue}`;
    case 'retry':
      return 'waiting a moment before the next attempt';
    case 'budget':
      return 'waiting until other calls have told what they cost';
  }
}
