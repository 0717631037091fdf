/**
 * A refused call was on its way for a while, and at one instant of it the account was full. What was
 * there then? Of each of our other calls that is known once its own fate is: the refused ones never
 * were there, the others were from soon after they were sent until they ended.
 */

import type { Counts, Named, Refusal } from '../rules/accounts/same-account.ts';
import type { Stay } from './lane.ts';

/** A call of ours, by the label of its key's own account. */
export interface Companion {
  readonly label: string;
  readonly stay: Stay;
}

export interface Flight {
  /** Of the account that the refused call's key has, or is said to have. */
  readonly label: string;
  readonly sentAt: number;
  readonly refusedAt: number;
  readonly named: Named | null;
  /** All others that were sent before the refusal came, and had not ended when it was sent. */
  readonly companions: readonly Companion[];
}

/** Nothing that is still open can change what the flight says. */
export function isSettled({ refusedAt, companions }: Flight, now: number, wayMs: number): boolean {
  if (now < refusedAt + wayMs) return false;
  return companions.every(({ stay }) => stay.left !== null || stay.seenAt <= now);
}

/** @param wayMs how long a call may be on its way before it is there */
export function refusalOf(flight: Flight, wayMs: number): Refusal {
  const { label, refusedAt, named, companions } = flight;
  const least = counted(companions.filter(({ stay }) => wasThereThroughout(stay, flight, wayMs)));
  return { at: refusedAt, label, named, least, most: mostOf(flight) };
}

function wasThereThroughout(stay: Stay, { sentAt, refusedAt }: Flight, wayMs: number): boolean {
  if (stay.left === 'refused' || stay.left === 'aborted') return false;
  const isSeen = stay.seenAt !== Number.POSITIVE_INFINITY;
  const thereFrom = Math.min(stay.seenAt, isSeen ? stay.sentAt + wayMs : stay.seenAt);
  return thereFrom <= sentAt && stay.endAt >= refusedAt + wayMs;
}

function counted(companions: readonly Companion[]): Counts {
  const counts = new Map<string, number>();
  for (const { label } of companions) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

/** What may have been there at each instant; but for instants at which less was there of all. */
function mostOf({ sentAt, companions }: Flight): Counts[] {
  const there = companions.filter(({ stay }) => stay.left !== 'refused');
  const starts = there.map(({ stay }) => stay.sentAt).filter((at) => at > sentAt);
  const instants = new Set([sentAt, ...starts]);
  const most: Counts[] = [];
  for (const at of instants) {
    const isThen = ({ stay }: Companion): boolean => stay.sentAt <= at && stay.endAt > at;
    const counts = counted(there.filter(isThen));
    if (!most.some((other) => isWithin(counts, other))) most.push(counts);
  }
  return most;
}

function isWithin(counts: Counts, other: Counts): boolean {
  for (const [label, count] of counts) if (count > (other.get(label) ?? 0)) return false;
  return true;
}
