/**
 * The one writer of the records: an attempt's events go in, what the mechanism has to do comes out.
 * Every instant is an argument; nothing here starts, stops or wakes anything.
 */

import type { ToldRate } from '../../rules/rate-told.ts';
import { paceAfterAnswer, paceAfterSign } from '../../rules/timing.ts';
import { answered, release } from '../attempt-record.ts';
import type { Effect, Scene } from '../effect.ts';
import { accept, sign } from '../lane-writer.ts';
import * as ledger from './attempt-notes.ts';
import { readmit } from './disabling.ts';
import { type Failed, fail, type Verdict } from './failing.ts';
import { outageEnds, outageIsOver, rampUp } from './outages.ts';
import { noteTold } from './rate-notes.ts';

export type CourseEvent =
  /** Headers with status 200, or a byte. */
  | { readonly kind: 'accepted' }
  /** Not refused for as long as refusals take. */
  | { readonly kind: 'survived' }
  | { readonly kind: 'first-byte' }
  /** What an answer says about requests per time. */
  | { readonly kind: 'told'; readonly told: ToldRate }
  | { readonly kind: 'served'; readonly promptTokens: number; readonly completionTokens: number }
  | { readonly kind: 'failed'; readonly failed: Failed };

const NOTHING: Verdict = { outcome: 'ok', effects: [], next: 'end' };
const WAKE: Effect = { kind: 'wake' };

export function write(event: CourseEvent, scene: Scene): Verdict {
  switch (event.kind) {
    case 'accepted':
      return accepted(scene);
    case 'survived':
      return survived(scene);
    case 'first-byte':
      return firstByte(scene);
    case 'told':
      noteTold(scene, event.told);
      return NOTHING;
    case 'served':
      release(scene, scene.attempt, scene.now, 'ended');
      ledger.noteServed(scene, event);
      return NOTHING;
    case 'failed':
      return fail(scene, event.failed);
  }
}

/** True the first time, while the attempt is under way. */
function isTaken({ attempt }: Scene): boolean {
  return !attempt.isReleased && accept(attempt.stay);
}

function accepted(scene: Scene): Verdict {
  const { provider, attempt, now } = scene;
  if (!attempt.isReleased && sign(attempt.stay, now)) {
    provider.pace = paceAfterSign(provider.pace, now - attempt.sentAt);
  }
  if (!isTaken(scene)) return NOTHING;
  ledger.noteAccepted(scene);
  // A late sign says nothing about how fast refusals come.
  const answerMs = now - attempt.sentAt;
  if (answerMs < provider.pace.answerMs) provider.pace = paceAfterAnswer(provider.pace, answerMs);
  rampUp(scene);
  return { ...NOTHING, effects: [WAKE] };
}

function survived(scene: Scene): Verdict {
  if (!isTaken(scene)) return NOTHING;
  ledger.noteSurvived(scene);
  const effects = outageEnds(scene);
  rampUp(scene);
  return { ...NOTHING, effects: [...effects, WAKE] };
}

/** The verdict of a trial falls here: waiting for the whole answer doubled the median in an
 * outage. */
function firstByte(scene: Scene): Verdict {
  const { attempt, key, account, provider, now } = scene;
  if (attempt.hasFirstByte || attempt.isReleased) return NOTHING;
  attempt.hasFirstByte = true;
  key.lastFirstByteAt = now;
  key.answeredSentAt = Math.max(key.answeredSentAt, attempt.sentAt);
  answered(key, attempt.stay);
  ledger.noteFirstByte(scene);
  const effects: Effect[] = [...outageEnds(scene)];
  if (attempt.isProviderTrial || attempt.sentAt >= provider.healedAt) outageIsOver(provider);
  if (attempt.isKeyTrial) {
    if (readmit(key, account)) effects.push({ kind: 'readmit-account' });
    key.trips = Math.max(-1, key.trips - 1);
    effects.push({ kind: 'close-key' });
  }
  return { ...NOTHING, effects: [...effects, WAKE] };
}
