/** The provider as a whole: down, tried, back, and the ramp after it. */

import { isOutage, outagePauseMs } from '../../rules/outage.ts';
import { jittered } from '../../rules/timing.ts';
import type { Effect, Scene } from '../effect.ts';
import type { ProviderRecord } from '../state.ts';

/** Calls in flight at first when the provider is back, beside those that it took before it failed
 * again: counted among these, they held up everybody else where some answers fail at random. */
const RAMP_START = 4;
const RAMP_STEP = 2;

function pause({ provider, now, timing, chance }: Scene): number {
  const ms = outagePauseMs(provider.outageSince ?? now, now, timing);
  return jittered(ms, 0.25, chance);
}

export function outageBegins(scene: Scene): readonly Effect[] {
  const { provider, attempt, now, timing } = scene;
  if (attempt.sentAt < provider.healedAt) return [];
  if (!isOutage(provider, scene.usable(), now, timing)) return [];
  provider.outageSince ??= now;
  provider.ramp = null;
  forgive(scene);
  return [{ kind: 'open-provider', forMs: pause(scene) }];
}

/** What looked like the keys' faults was the provider's. */
function forgive({ keys, now }: Scene): void {
  for (const key of keys()) {
    key.faultsInRow = 0;
    key.suspicions = 0;
    key.suspectUntil = now;
  }
}

/** The trial failed. */
export function outageGoesOn(scene: Scene): readonly Effect[] {
  const open = { kind: 'open-provider', forMs: pause(scene) } as const;
  return scene.attempt.isKeyTrial ? [{ kind: 'pass-key-trial' }, open] : [open];
}

/** The trial was taken. */
export function outageEnds({ provider, providerGate, attempt, now }: Scene): readonly Effect[] {
  if (!attempt.isProviderTrial || providerGate === 'closed') return [];
  comeBack(provider, now);
  return [{ kind: 'close-provider' }];
}

/** It takes calls again, as a trial of ours or of another process shows. */
export function comeBack(provider: ProviderRecord, now: number): void {
  provider.healedAt = now;
  provider.ramp = RAMP_START + provider.rampInFlight;
}

/** One more was taken since the provider is back. */
export function rampUp({ provider, attempt, capacity }: Scene): void {
  if (provider.ramp === null || attempt.sentAt < provider.healedAt) return;
  provider.ramp += RAMP_STEP;
  if (provider.ramp > capacity()) provider.ramp = null;
}

/** It served a call that it got afterwards. */
export function outageIsOver(provider: ProviderRecord): void {
  provider.outageSince = null;
}
