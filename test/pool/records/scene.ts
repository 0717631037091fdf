/** One key on one account, and one attempt of a call with it: what the writer of the records sees. */

import type { Failure, FailureKind } from '../../../src/base/errors.ts';
import { type AttemptRecord, begin } from '../../../src/pool/records/attempt-record.ts';
import type { Scene } from '../../../src/pool/records/effect.ts';
import {
  createAccount,
  createKeyRecord,
  createProvider,
  laneOf,
} from '../../../src/pool/records/state.ts';
import { timingFor } from '../../../src/pool/rules/timing.ts';

const MODEL = 'deepseek-flash';

export function place() {
  const provider = createProvider('deepseek', 50);
  const account = createAccount('account', false);
  const key = createKeyRecord('deepseek', 'DEEPSEEK_API_KEY', 'id', 'account');
  return { provider, account, key, lane: laneOf(account, MODEL, 64) };
}

export type TestPlace = ReturnType<typeof place>;

export function attemptAt(
  where: TestPlace,
  sentAt: number,
  more: { readonly isKeyTrial?: boolean; readonly isProviderTrial?: boolean } = {},
): AttemptRecord {
  return begin(where, {
    call: 1,
    model: MODEL,
    speedClass: MODEL,
    units: 1,
    sentAt,
    isKeyTrial: false,
    isProviderTrial: false,
    turn: 1,
    usedAt: 0,
    ...more,
  });
}

export function sceneOf(
  where: TestPlace,
  attempt: AttemptRecord,
  now: number,
  more: Partial<Scene> = {},
): Scene {
  return {
    ...where,
    attempt,
    now,
    timing: timingFor(where.provider.pace),
    chance: 0.5,
    isStopped: false,
    keyGate: 'closed',
    providerGate: 'closed',
    usable: () => 1,
    keys: () => [where.key],
    capacity: () => 8,
    ...more,
  };
}

export function failureOf(kind: FailureKind, more: Partial<Failure> = {}): Failure {
  return {
    kind,
    status: null,
    retryAfterMs: null,
    requestId: null,
    namedLimit: null,
    namedInFlight: null,
    mayBeBilled: false,
    ...more,
  };
}
