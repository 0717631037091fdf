/**
 * Are two keys of one account? Found out by where a freed slot turns up. Pure transitions on plain
 * records.
 *
 * Keys of one account divide its slots between them without noticing, and each looks like an
 * account of its own that is full. So one test now and then: a call of key A ended, A's slot stays
 * free for a moment, and B is tried one above its capacity. Refused: it is not B's slot. Taken, and
 * the very next call of A or B refused: the slot went from A to B, so that they share an account.
 * Taken, and A gets its slot as well: B's account just has more room. Half of the tests cost no
 * refusal at all, and each takes the place of a try that would have been due.
 */

import { grown, withoutTry } from './limit.ts';
import { isFull, type Lane, type Stay } from './lane.ts';
import type { AccountRecord, ProviderRecord } from './state.ts';
import { doubled, type Timing } from './timing.ts';

/** What is known of two accounts' being one. */
export interface Link {
  /** Tests in favour, less those against since. */
  readonly score: number;
  readonly failures: number;
  readonly nextAt: number;
}

export interface SharingTest {
  readonly model: string;
  /** Label of the account whose slot is held free, and of the one that is tried. */
  readonly from: string;
  readonly to: string;
  stage: 'try' | 'control';
  since: number;
  /** The call that tries; null until it is sent. */
  stay: Stay | null;
}

const PROOF = 2;
const UNKNOWN: Link = { score: 0, failures: 0, nextAt: Number.NEGATIVE_INFINITY };
/** Services until a pair that was no pair is tested again, doubled each time. */
const RETEST_SERVICES = 2;
const RETEST_MAX_MS = 3_600_000;

function pairOf(one: string, other: string): string {
  return one < other ? `${one}\n${other}` : `${other}\n${one}`;
}

function linkOf(provider: ProviderRecord, one: string, other: string): Link {
  return provider.links.get(pairOf(one, other)) ?? UNKNOWN;
}

/** Two labels that somebody gave are two accounts: we were told. */
export function mayBeOne(one: AccountRecord, other: AccountRecord): boolean {
  return one !== other && !(one.isGiven && other.isGiven);
}

function isUsable(account: AccountRecord, now: number): boolean {
  return account.disabled === null && account.coolUntil <= now;
}

/** Neither names a limit that the other contradicts, nor says that nobody else is there. */
function mayShow(from: Lane, to: Lane): boolean {
  if (from.elsewhere === 0 || to.elsewhere === 0) return false;
  return from.named === null || to.named === null || from.named === to.named;
}

export interface Bystanders {
  readonly provider: ProviderRecord;
  readonly accounts: readonly AccountRecord[];
  readonly now: number;
}

/** True when a test of this lane may still come, so that a plain try can wait for it. */
export function awaitsTest(account: AccountRecord, lane: Lane, about: Bystanders): boolean {
  const { provider, accounts, now } = about;
  return accounts.some((other) => {
    const neighbour = other.lanes.get(lane.model);
    if (neighbour === undefined || neighbour.inFlight === 0 || !mayBeOne(account, other)) return false;
    const { nextAt } = linkOf(provider, account.label, other.label);
    return nextAt <= now && isUsable(other, now) && hasBeenFull(neighbour) && mayShow(neighbour, lane);
  });
}

function hasBeenFull(lane: Lane): boolean {
  return lane.limit.capacity !== null;
}

/**
 * Begins a test with the slot that a call of `from` just left, if there is a lane to try it on.
 *
 * @returns the account whose next call is the try
 */
export function beginTest(from: AccountRecord, model: string, about: Bystanders): AccountRecord | null {
  const { provider, accounts, now } = about;
  const lane = from.lanes.get(model);
  if (provider.test !== null || provider.tries < 1 || lane === undefined) return null;
  const wasFull = lane.inFlight + 1 >= lane.limit.limit && hasBeenFull(lane);
  if (!wasFull || isFull(lane)) return null;
  let best: { readonly to: AccountRecord; readonly lane: Lane; readonly link: Link } | null = null;
  for (const to of accounts) {
    const target = to.lanes.get(model);
    if (target === undefined || !mayBeOne(from, to) || !isUsable(to, now)) continue;
    if (!hasBeenFull(target) || !isFull(target) || !mayShow(lane, target)) continue;
    if (target.limit.limit >= target.limit.ceiling) continue;
    const link = linkOf(provider, from.label, to.label);
    if (link.nextAt > now) continue;
    if (best === null || link.score > best.link.score) best = { to, lane: target, link };
  }
  if (best === null) return null;
  lane.held += 1;
  best.lane.limit = grown(withoutTry(best.lane.limit), 1);
  provider.test = { model, from: from.label, to: best.to.label, stage: 'try', since: now, stay: null };
  return best.to;
}

function lanesOf(test: SharingTest, accounts: readonly AccountRecord[]) {
  const find = (label: string): Lane | undefined =>
    accounts.find((account) => account.label === label)?.lanes.get(test.model);
  return { from: find(test.from), to: find(test.to) };
}

/** Nothing came of it. */
export function abandonTest(about: Bystanders): void {
  const { test } = about.provider;
  if (test === null) return;
  const { from, to } = lanesOf(test, about.accounts);
  if (test.stage === 'try') {
    if (from !== undefined) from.held = 0;
    if (to !== undefined) to.limit = withoutTry(to.limit);
  }
  about.provider.test = null;
}

function judged(about: Bystanders, test: SharingTest, link: Link): void {
  about.provider.links.set(pairOf(test.from, test.to), link);
  about.provider.test = null;
}

/** The upstream took a call. */
export function testTaken(label: string, stay: Stay, about: Bystanders): void {
  const { test } = about.provider;
  if (test === null) return;
  if (test.stage === 'try') {
    if (test.stay !== stay) return;
    const { from } = lanesOf(test, about.accounts);
    if (from !== undefined) from.held = 0;
    test.stage = 'control';
    test.since = about.now;
    return;
  }
  // It got its slot back: nothing went from one to the other.
  if (label === test.from && stay.sentAt >= test.since) {
    const link = linkOf(about.provider, test.from, test.to);
    judged(about, test, { ...link, score: 0, nextAt: about.now });
  }
}

/**
 * The upstream refused a call.
 *
 * @returns the labels of the two accounts of the test when they are proved to be one
 */
export function testRefused(
  label: string,
  stay: Stay,
  about: Bystanders,
  timing: Timing,
): readonly [string, string] | null {
  const { test } = about.provider;
  if (test === null) return null;
  const link = linkOf(about.provider, test.from, test.to);
  const { from, to } = lanesOf(test, about.accounts);
  if (test.stage === 'try') {
    if (test.stay !== stay) return null;
    if (from !== undefined) from.held = 0;
    const pause = doubled(RETEST_SERVICES * timing.limitProbeMs, link.failures, RETEST_MAX_MS);
    judged(about, test, { score: 0, failures: link.failures + 1, nextAt: about.now + pause });
    return null;
  }
  const isControl = (label === test.from || label === test.to) && stay.sentAt >= test.since;
  if (!isControl) return null;
  // Both name the same number: that is half of the proof.
  const isNamed = from?.named !== null && to?.named !== null && from?.named === to?.named;
  const score = link.score + (isNamed ? PROOF : 1);
  judged(about, test, { score, failures: 0, nextAt: about.now });
  return score >= PROOF ? [test.from, test.to] : null;
}

/** A call left; when it was the one that tried, and nobody knows whether it was taken, it is over. */
export function testLeft(stay: Stay, about: Bystanders): void {
  const { test } = about.provider;
  if (test?.stage === 'try' && test.stay === stay) abandonTest(about);
}

/** A test that goes on for so many services will not be decided. */
const PATIENCE_SERVICES = 4;

export function isStale(test: SharingTest, now: number, timing: Timing): boolean {
  return now - test.since > PATIENCE_SERVICES * timing.limitProbeMs + 2_000;
}

/** The two are proved not to be one: not tested again for long. */
export function unlink(provider: ProviderRecord, labels: readonly string[], until: number): void {
  for (const one of labels) {
    for (const other of labels) {
      if (one < other) provider.links.set(pairOf(one, other), { score: 0, failures: 4, nextAt: until });
    }
  }
}

