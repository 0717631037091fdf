/** What a call does after an attempt that failed for no fault of its own. Pure. */

import type { FailureKind } from '../../base/errors.ts';
import { clamp, jittered, MAX_BILLED_SENDS } from './timing.ts';

/** What is known about the call by now. */
export interface Course {
  readonly kind: FailureKind;
  /** Faults of upstream or network, this one among them. */
  readonly faults: number;
  /** Sends that may have been billed and brought nothing. */
  readonly billed: number;
  /** A key in rotation did not fail it yet. */
  readonly hasUntried: boolean;
  /** It was the key's fault: another one is as good as new. */
  readonly isKeys: boolean;
  /** The provider as a whole is known to be down. */
  readonly isDown: boolean;
  /** The provider served before. */
  readonly hasServed: boolean;
  /** It answers: this attempt had begun to bring something, or others were answered meanwhile. */
  readonly isAlive: boolean;
  /** Since the first attempt that failed was sent, and since the first that may be billed. */
  readonly failingMs: number;
  readonly billedMs: number;
  /** Until the call's deadline. */
  readonly leftMs: number;
  /** In [0, 1): jitter. */
  readonly chance: number;
}

/** Kinds that time alone seldom mends: a wrong address, a page on the way. */
const STUBBORN: ReadonlySet<FailureKind> = new Set(['unreachable', 'blocked']);
const STUBBORN_MS = 15_000;
/** Another key is asked at once so often, for with every further one it is less likely the key. */
const MOST_ELSEWHERE = 2;
/** Pauses grow by so much, and from then on with the time that it has failed. */
const STEP_MS = 300;
const SHARE = 0.4;
const JITTER = 0.15;
const PAUSE_MAX_MS = 20_000;
/** With less time left than this nothing is begun any more. */
const LEAST_LEFT_MS = 1_000;
/** The last send that may be billed begins no sooner after the first, or in the last two thirds of
 * the time: a short outage is over then. */
const LAST_SEND_MS = 5_000;

/** The pause before the next attempt, in milliseconds; null: there is none. */
export function nextAttemptMs(course: Course): number | null {
  const { billed, leftMs } = course;
  if (billed >= MAX_BILLED_SENDS || isHopeless(course)) return null;
  const isElsewhere = isWorthAnotherKey(course);
  if (!isElsewhere && leftMs <= LEAST_LEFT_MS) return null;
  const pause = Math.max(isElsewhere ? 0 : backOffMs(course), lastSendMs(course));
  // Whoever is short of time asks once more before it is spent.
  return Math.min(pause, Math.max(0, leftMs - LEAST_LEFT_MS));
}

function isHopeless({ kind, hasServed, failingMs }: Course): boolean {
  return STUBBORN.has(kind) && !hasServed && failingMs > STUBBORN_MS;
}

function isWorthAnotherKey({ faults, isKeys, hasUntried, isDown }: Course): boolean {
  return hasUntried && !isDown && faults <= (isKeys ? MOST_ELSEWHERE : 1);
}

/** Soon at first, then ever more rarely: an outage of seconds is noticed within seconds of its end. */
function backOffMs({ faults, failingMs, chance }: Course): number {
  const grown = Math.max(STEP_MS * faults, SHARE * failingMs);
  return jittered(clamp(grown, STEP_MS, PAUSE_MAX_MS), JITTER, chance);
}

function lastSendMs({ billed, billedMs, isAlive, leftMs }: Course): number {
  const isLast = billed === MAX_BILLED_SENDS - 1;
  const wait = Math.min(LAST_SEND_MS, (leftMs + billedMs) / 3) - billedMs;
  return isLast && !isAlive ? Math.max(0, wait) : 0;
}
