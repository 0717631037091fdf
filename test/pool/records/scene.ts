/** One key on one account, and one attempt of a call with it: what the writer of the records sees. */

import type { Failure, FailureKind } from '../../../src/base/errors.ts';
import { type AttemptRecord, begin } from '../../../src/pool/records/attempt-record.ts';
import { type CourseEvent, write } from '../../../src/pool/records/course/course.ts';
import { fail } from '../../../src/pool/records/course/failing.ts';
import type { Scene } from '../../../src/pool/records/effect.ts';
import { createLane, type Lane } from '../../../src/pool/records/lane.ts';
import { type LaneShare, NO_SHARE } from '../../../src/pool/records/lane-share.ts';
import {
  createAccount,
  createKeyRecord,
  createProvider,
  laneOf,
} from '../../../src/pool/records/state.ts';
import { freshLimit } from '../../../src/pool/rules/limit.ts';
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

/** A lane with a capacity of four, as far as nothing else is said. */
export function testLane(more: Partial<Lane> = {}, capacity: number | null = 4): Lane {
  const limit = { ...freshLimit(64), limit: capacity ?? 4, capacity };
  return { ...createLane('model', limit), ...more };
}

export function testShare(more: Partial<LaneShare> = {}): LaneShare {
  return { ...NO_SHARE, slots: 3, ...more };
}

/** The one attempt of a fresh pool fails after 60 ms. */
export function failed(
  kind: FailureKind,
  status: number | null,
  where = place(),
  more: Partial<Scene> = {},
) {
  const failure = failureOf(kind, { status });
  const scene = sceneOf(where, attemptAt(where, 0), 60, more);
  return { ...fail(scene, { kind: 'failure', failure, isRecalled: false }), where };
}

/** Another key was answered a moment ago. */
export function withGoodNeighbour(): TestPlace {
  const where = place();
  const { evidence } = where.provider;
  const seen = { at: 50, sentAt: 10, call: 7, speedClass: 'deepseek-flash', outageKind: false };
  evidence.push({ ...seen, key: 'DEEPSEEK_API_KEY_2', ok: true });
  return where;
}

export function failure(
  kind: FailureKind,
  more: Parameters<typeof failureOf>[1] = {},
): CourseEvent {
  return {
    kind: 'failed',
    failed: { kind: 'failure', failure: failureOf(kind, more), isRecalled: false },
  };
}

/** One call, from when it is sent to its end. */
export function call(
  where: TestPlace,
  sentAt: number,
  endAt: number,
  event: CourseEvent,
  more: Partial<Scene> = {},
) {
  return write(event, sceneOf(where, attemptAt(where, sentAt), endAt, more));
}
