/** Dead keys, accounts without money, rests, outages, and the one trial of each. */

import { afterPause } from '../../pool/rules/limit.ts';
import type { Fact, Report } from '../../pool/sharing.ts';
import type { Exchange, Heard } from '../protocol.ts';
import { accountIn, type SharedFact, type SharedState, type StateDraft } from './shared-state.ts';

const UNKNOWN: SharedFact = {
  generation: 0,
  version: 0,
  isOut: false,
  checks: 0,
  checkAt: 0,
  restsUntil: Number.NEGATIVE_INFINITY,
  works: false,
  trial: null,
};

/** More are not kept: the ones that changed longest ago are forgotten. */
const MOST_FACTS = 4_096;

function put(draft: StateDraft, id: string, fact: Omit<SharedFact, 'version'>): void {
  draft.version += 1;
  draft.facts.delete(id);
  draft.facts.set(id, { ...fact, version: draft.version });
  for (const oldest of draft.facts.keys()) {
    if (draft.facts.size <= MOST_FACTS) return;
    draft.facts.delete(oldest);
  }
}

function change(draft: StateDraft, id: string, to: Partial<SharedFact>): void {
  const fact = draft.facts.get(id) ?? UNKNOWN;
  put(draft, id, { ...fact, ...to, generation: fact.generation + 1 });
}

export type FactReport = Extract<Report, { readonly kind: 'resting' | 'out' | 'works' }>;

export function noteFact(draft: StateDraft, report: FactReport, now: number): void {
  const { id } = report;
  switch (report.kind) {
    case 'works':
      change(draft, id, { ...UNKNOWN, works: true });
      return;
    case 'out': {
      const { checks, checkInMs } = report;
      change(draft, id, {
        isOut: true,
        works: false,
        checks,
        checkAt: now + checkInMs,
        trial: null,
      });
      return;
    }
    case 'resting': {
      const before = draft.facts.get(id)?.restsUntil ?? Number.NEGATIVE_INFINITY;
      const restsUntil = Math.max(before, now + report.forMs);
      change(draft, id, { restsUntil, works: false, trial: null });
      restLanes(draft, id, restsUntil);
    }
  }
}

/** A pause of an account is one of all its lanes. */
function restLanes(draft: StateDraft, id: string, until: number): void {
  const account = accountIn(draft, id);
  for (const [key, lane] of draft.lanes) {
    if (lane.account !== account) continue;
    const { generation, limit } = lane;
    draft.lanes.set(key, { ...lane, generation: generation + 1, limit: afterPause(limit, until) });
  }
}

/** What somebody knew before this coordinator knew anything. */
export function takeFacts(draft: StateDraft, facts: readonly Fact[], now: number): void {
  for (const fact of facts) {
    const known = draft.facts.get(fact.id);
    if (known !== undefined && known.generation >= fact.generation) continue;
    const { generation, isOut, checks, works } = fact;
    const restsUntil = fact.restsMs > 0 ? now + fact.restsMs : Number.NEGATIVE_INFINITY;
    const checkAt = now + fact.checkInMs;
    put(draft, fact.id, { generation, isOut, checks, checkAt, restsUntil, works, trial: null });
  }
}

export function toldFact(id: string, fact: SharedFact, now: number): Fact {
  const { generation, isOut, checks, works } = fact;
  return {
    id,
    generation,
    isOut,
    checks,
    checkInMs: isOut ? Math.max(0, fact.checkAt - now) : 0,
    restsMs: Math.max(0, fact.restsUntil - now),
    works,
  };
}

/** What changed since a process was told last; everything for one that comes from elsewhere. */
export function newsFor({ epoch, facts }: SharedState, heard: Heard, now: number): Fact[] {
  const since = heard.epoch === epoch ? heard.version : 0;
  const news: Fact[] = [];
  for (const [id, fact] of facts) {
    if (fact.generation > 0 && fact.version > since) news.push(toldFact(id, fact, now));
  }
  return news;
}

/** Clocks of two processes round differently. */
const EARLY_MS = 5;

/** It rests no more, and its check is due. */
function isDue(fact: SharedFact, now: number): boolean {
  return !(fact.isOut && fact.checkAt > now + EARLY_MS) && fact.restsUntil <= now + EARLY_MS;
}

/** Who may try and does not gives way to others after so long. */
const UNUSED_MS = 500;

/**
 * A process has its trials for as long as it speaks of them: what it does not ask for any more is
 * free again, and so is what it asks for in vain while others do.
 */
export function takeAsks(
  draft: StateDraft,
  member: string,
  { tries, asks }: Pick<Exchange, 'tries' | 'asks'>,
  now: number,
): void {
  const wanted = new Set(
    [...draft.members].flatMap(([id, each]) => (id === member ? [] : each.asks)),
  );
  const kept = asks.filter((id) => {
    const since = draft.facts.get(id)?.trial?.since ?? now;
    return !wanted.has(id) || now - since < UNUSED_MS;
  });
  dropTrials(draft, member, new Set([...tries, ...kept]));
  for (const id of [...tries, ...kept]) {
    const fact = draft.facts.get(id) ?? UNKNOWN;
    if (fact.works || fact.trial !== null || !isDue(fact, now)) continue;
    draft.facts.set(id, { ...fact, trial: { member, since: now } });
  }
}

export function trialsOf(
  { facts }: SharedState,
  member: string,
  { tries, asks }: Pick<Exchange, 'tries' | 'asks'>,
  now: number,
): string[] {
  return [...new Set([...tries, ...asks])].filter((id) => {
    const fact = facts.get(id) ?? UNKNOWN;
    const isOurs = fact.works || fact.trial?.member === member;
    return isOurs && isDue(fact, now);
  });
}

/** The trials of a process that are not among these are free. */
export function dropTrials(draft: StateDraft, member: string, kept: ReadonlySet<string>): void {
  for (const [id, fact] of draft.facts) {
    if (fact.trial?.member !== member || kept.has(id)) continue;
    if (fact.generation === 0) draft.facts.delete(id);
    else draft.facts.set(id, { ...fact, trial: null });
  }
}
