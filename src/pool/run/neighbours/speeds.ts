/**
 * How fast the keys are: told to the others as far as it was measured here, and heard from them as
 * far as it was not. Who has measured a key itself goes by that.
 */

import {
  knownCalls,
  knownKey,
  seenCost,
  slownessFrom,
  speedFrom,
} from '../../rules/told/known-speed.ts';
import type { KnownSpeed } from '../../sharing.ts';
import type { KeySlot } from '../keys/key-slot.ts';
import type { Roster } from '../keys/roster.ts';
import type { Subjects } from './subjects.ts';

/** Who measured it longer ago has said so. */
const MEASURED_TOLD_MS = 30_000;
/** More are not told, or asked for, at once. */
const MOST_TOLD = 128;

/** What was measured here lately. */
export function measuredBy({ slots, provider, now }: Roster, subjects: Subjects): KnownSpeed[] {
  const at = now();
  const seen = slots.filter(({ record }) => record.slowness !== null || record.success.rate < 1);
  const costs = seen.map((slot) => {
    return { slot, ...seenCost(slot.record.slowness, slot.record.success) };
  });
  const fastest = Math.min(...costs.map(({ ratio }) => ratio));
  // What others said is not said again: it would never grow old.
  const fresh = costs.filter((cost) => at - cost.at < MEASURED_TOLD_MS);
  const keys = fresh.map((cost) => knownKey(subjects.key(cost.slot), cost, fastest, at));
  if (keys.length === 0) return [];
  const agoMs = Math.min(...keys.map((key) => key.agoMs));
  const calls = [...provider.speed].map(([speedClass, model]) =>
    knownCalls(subjects.calls(speedClass), model, fastest, agoMs),
  );
  return [...calls, ...keys].slice(0, MOST_TOLD);
}

/** Of what nothing is known here. */
export function unmeasuredBy({ slots, provider }: Roster, subjects: Subjects): string[] {
  const calls = subjects.speedClasses.filter((speedClass) => !provider.speed.has(speedClass));
  const keys = slots.filter(isUnmeasured);
  const ids = [
    ...calls.map((each) => subjects.calls(each)),
    ...keys.map((key) => subjects.key(key)),
  ];
  return ids.slice(0, MOST_TOLD);
}

function isUnmeasured({ record }: KeySlot): boolean {
  return record.slowness === null && record.attempts === 0;
}

export function hearSpeed(roster: Roster, subjects: Subjects, speed: KnownSpeed): void {
  const subject = subjects.byId(speed.id);
  if (speed.kind === 'key' && subject?.kind === 'key' && isUnmeasured(subject.slot)) {
    subject.slot.record.slowness = slownessFrom(speed, roster.now());
  }
  if (speed.kind === 'calls' && subject?.kind === 'calls') {
    const known = roster.provider.speed;
    if (!known.has(subject.speedClass)) known.set(subject.speedClass, speedFrom(speed));
  }
}
