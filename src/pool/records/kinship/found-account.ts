/**
 * Accounts that were found to be one become one record, and come apart again when evidence speaks
 * against it. Pure transitions on plain records; who moves the keys is the roster's business.
 */

import { freshLimit } from '../../rules/limit.ts';
import { createLane, type Lane } from '../lane.ts';
import { joinedLane, partedLane } from '../lane-writer.ts';
import type { AccountRecord } from '../state.ts';

/** Makes `from` part of `into`; its keys have to follow. */
export function mergeAccount(into: AccountRecord, from: AccountRecord): void {
  for (const [model, lane] of from.lanes) {
    const own = into.lanes.get(model) ?? createLane(model, freshLimit(lane.limit.ceiling));
    into.lanes.set(model, joinedLane(own, lane));
  }
  into.members = [...into.members, ...from.members];
  // One of them works: what the other was refused for was the first one's calls.
  into.coolUntil = Math.min(into.coolUntil, from.coolUntil);
  into.coolings = Math.min(into.coolings, from.coolings);
  if (from.coolSince === null) into.coolSince = null;
}

/** The lanes of one former account, with the calls of these keys alone. */
export function lanesOfKeys(
  { lanes }: AccountRecord,
  keys: ReadonlySet<string>,
  now: number,
): Map<string, Lane> {
  return new Map([...lanes].map(([model, lane]) => [model, partedLane(lane, keys, now)]));
}
