/**
 * Keys of one account divide its slots between them, and each looks like an account of its own that
 * is full. Where nothing moves, nothing shows. So now and then a slot that came free is kept free
 * for a moment, and another full key is tried one above its capacity instead: what it takes then, it
 * takes from the first. A try of its own would have been due anyway. Pure transitions on records.
 */

import { areApart } from '../../rules/accounts/balances.ts';
import { doubled, type Timing } from '../../rules/timing.ts';
import { isDivided, isFull, isShut, type Lane } from '../lane.ts';
import { callOffTry, endLoan, lend } from '../lane-writer.ts';
import type { AccountRecord, ProviderRecord } from '../state.ts';

export interface Bystanders {
  readonly provider: ProviderRecord;
  readonly accounts: readonly AccountRecord[];
  readonly now: number;
}

/** Services until a pair that was none is tried again; doubles. */
const RETRY_SERVICES = 2;
const RETRY_MAX_MS = 3_600_000;

function pairOf(one: string, other: string): string {
  return one < other ? `${one}\n${other}` : `${other}\n${one}`;
}

function nextAt(provider: ProviderRecord, one: string, other: string): number {
  return provider.parted.get(pairOf(one, other))?.nextAt ?? Number.NEGATIVE_INFINITY;
}

/** Two labels that somebody gave are two accounts: we were told. And so are two balances. */
export function mayBeOne(
  { balances }: ProviderRecord,
  one: AccountRecord,
  other: AccountRecord,
): boolean {
  if (one === other || (one.isGiven && other.isGiven)) return false;
  const areTwo = (label: string, another: string): boolean =>
    areApart(balances.get(label), balances.get(another));
  return !one.members.some((label) => other.members.some((another) => areTwo(label, another)));
}

/** Neither says that nobody else is there, nor names a limit that the other contradicts. */
function mayShare(one: Lane, other: Lane): boolean {
  if (one.elsewhere === 0 || other.elsewhere === 0) return false;
  return one.named === null || other.named === null || one.named === other.named;
}

function isKnown(account: AccountRecord, lane: Lane, now: number): boolean {
  if (isDivided(lane)) return false;
  return account.disabled === null && account.coolUntil <= now && lane.limit.capacity !== null;
}

/** True when a swap with this lane may still come, so that a plain try can wait for it. */
export function awaitsSwap(account: AccountRecord, lane: Lane, about: Bystanders): boolean {
  const { provider, accounts, now } = about;
  return accounts.some((other) => {
    const neighbour = other.lanes.get(lane.model);
    if (neighbour === undefined || neighbour.inFlight === 0) return false;
    if (
      !mayBeOne(provider, account, other) ||
      !isKnown(other, neighbour, now) ||
      !mayShare(neighbour, lane)
    )
      return false;
    return nextAt(provider, account.label, other.label) <= now;
  });
}

/** A refused call waits for longer than half an answer to hear of it. */
export function isRefusalDear({ pace }: ProviderRecord): boolean {
  return (pace.refusalMs ?? 0) > (pace.serviceMs ?? Number.POSITIVE_INFINITY) / 2;
}

/** Keeps the slot that a call of `from` just left, if there is another full lane to try instead. */
export function beginSwap(from: AccountRecord, model: string, about: Bystanders): void {
  const { provider, accounts, now } = about;
  const lane = from.lanes.get(model);
  // The slot is idle until the refusal comes, and a flight as long as that tells little.
  if (
    isRefusalDear(provider) ||
    provider.swap !== null ||
    provider.tries < 1 ||
    lane?.limit.capacity == null
  )
    return;
  if (isDivided(lane) || isFull(lane) || lane.inFlight + 1 < lane.limit.limit) return;
  for (const to of accounts) {
    const target = to.lanes.get(model);
    if (target === undefined || !mayBeOne(provider, from, to) || !isKnown(to, target, now))
      continue;
    if (!isFull(target) || isShut(target, now)) continue;
    if (target.limit.limit >= target.limit.ceiling) continue;
    if (!mayShare(lane, target) || nextAt(provider, from.label, to.label) > now) continue;
    lend(lane, target);
    provider.swap = { model, from: from.label, to: to.label, stay: null };
    return;
  }
}

/** The slot is given back; what came of it shows in the calls' own ends. */
export function endSwap(about: Bystanders): void {
  const { provider, accounts } = about;
  const { swap } = provider;
  if (swap === null) return;
  provider.swap = null;
  for (const account of accounts) {
    const lane = account.lanes.get(swap.model);
    if (lane === undefined) continue;
    endLoan(lane);
    const isUnsent = swap.stay === null && account.label === swap.to;
    if (isUnsent) callOffTry(lane);
  }
}

/** The try was refused: the slot was not one of its account's. */
export function swapRefused(about: Bystanders, timing: Timing): void {
  const { provider, now } = about;
  const { swap } = provider;
  if (swap === null) return;
  const pair = pairOf(swap.from, swap.to);
  const times = provider.parted.get(pair)?.times ?? 0;
  const pause = doubled(RETRY_SERVICES * timing.limitProbeMs, times, RETRY_MAX_MS);
  provider.parted.set(pair, { times: times + 1, nextAt: now + pause });
  endSwap(about);
}
