/** How fast keys are: whoever measured last is believed, by whom has not measured, and less every hour. */

import type { KnownSpeed } from '../../pool/sharing.ts';
import type { SharedSpeed, SharedState, StateDraft } from './shared-state.ts';

/** A slow hour of a key says little about the next one. */
const FADE_MS = 3_600_000;
/** After that nothing is left of it. */
export const SPEED_BELIEVED_MS = 6 * FADE_MS;
/** More are not kept: the ones that were measured longest ago are forgotten. */
const MOST_SPEEDS = 1_024;

/** What a process measured; what was measured later stays. */
export function takeSpeeds(draft: StateDraft, measured: readonly KnownSpeed[], now: number): void {
  for (const { agoMs, ...speed } of measured) {
    const at = now - agoMs;
    const known = draft.speeds.get(speed.id);
    if (known !== undefined && known.at >= at) continue;
    draft.speeds.delete(speed.id);
    draft.speeds.set(speed.id, { speed, at });
  }
  for (const oldest of draft.speeds.keys()) {
    if (draft.speeds.size <= MOST_SPEEDS) return;
    draft.speeds.delete(oldest);
  }
}

/** What is known of these, as far as its age lets it be believed. */
export function speedsOf(
  { speeds }: Pick<SharedState, 'speeds'>,
  ids: readonly string[],
  now: number,
): KnownSpeed[] {
  return ids.flatMap((id) => {
    const known = speeds.get(id);
    if (known === undefined || now - known.at > SPEED_BELIEVED_MS) return [];
    return [faded(toldSpeed(known, now))];
  });
}

function faded(told: KnownSpeed): KnownSpeed {
  if (told.kind === 'calls') return told;
  return { ...told, ratio: 1 + (told.ratio - 1) * Math.exp(-told.agoMs / FADE_MS) };
}

export function toldSpeed({ speed, at }: SharedSpeed, now: number): KnownSpeed {
  return { ...speed, agoMs: Math.max(0, now - at) };
}
