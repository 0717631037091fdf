/** Requests per time on the records: what a refusal and what an answer says, and who waits why. */

import type { Failure } from '../../../base/errors.ts';
import { isRateLimited } from '../../rules/rate.ts';
import type { ToldRate } from '../../rules/rate-told.ts';
import type { Scene } from '../effect.ts';
import { rateRefused, rateTold } from '../lane-writer.ts';
import type { AccountRecord } from '../state.ts';

/** Refused for too many requests per time; the attempt is released already. */
export function noteRateRefused(
  { account, lane, attempt, now, chance }: Scene,
  failure: Pick<Failure, 'retryAfterMs'>,
  reason: string,
): void {
  const { retryAfterMs } = failure;
  rateRefused(lane, {
    sentAt: attempt.sentAt,
    units: attempt.stay.units,
    now,
    retryAfterMs,
    chance,
  });
  account.coolReason = reason;
}

export function noteTold({ provider, lane, attempt }: Scene, told: ToldRate): void {
  if (attempt.isReleased || !isRateLimited(provider.provider)) return;
  rateTold(lane, told, attempt.sentAt);
}

/** Until when an account sends nothing of a model, or of one of its models; 0 without a pause. */
export function turnsPausedUntil({ lanes }: AccountRecord, model: string | null): number {
  const asked = model === null ? [...lanes.values()] : [lanes.get(model)];
  return Math.max(0, ...asked.map((lane) => lane?.rate.pausedUntil ?? 0));
}
