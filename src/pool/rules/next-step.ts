/** What a call does after an attempt that failed for no fault of its own. Pure. */

import { doubled, MAX_BILLED_SENDS, MAX_FAULT_RETRIES, type Timing } from './timing.ts';

/** What is known about the call by now. */
export interface Course {
  /** Faults of upstream or network, this one among them. */
  readonly faults: number;
  /** Sends that may have been billed and brought nothing. */
  readonly billed: number;
  /** A key in rotation did not fail it yet. */
  readonly hasUntried: boolean;
  /** It was the key's fault: another one is as good as new. */
  readonly isKeys: boolean;
}

export type Step = 'end' | 'elsewhere' | 'back-off';

export function nextStep({ faults, billed, hasUntried, isKeys }: Course): Step {
  if (billed >= MAX_BILLED_SENDS) return 'end';
  if (isKeys && hasUntried) return 'elsewhere';
  if (faults > MAX_FAULT_RETRIES) return 'end';
  return faults === 1 && hasUntried ? 'elsewhere' : 'back-off';
}

/**
 * Full jitter over a floor.
 *
 * @param chance in [0, 1)
 */
export function backOffMs(faults: number, timing: Timing, chance: number): number {
  const most = doubled(timing.retryMs, faults, 10_000);
  return Math.max(most / 4, most * chance);
}
