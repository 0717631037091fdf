/**
 * One exchange: what a process says goes in, what it may use comes out. Pure; whoever keeps the
 * state, a process for the others or a server for all of them, applies this and nothing else.
 */

import type { Exchange, ExchangeAnswer, NumberedReport } from '../protocol.ts';
import { dropTrials, newsFor, noteFact, takeAsks, takeFacts, trialsOf } from './facts.ts';
import { groupsIn, join, part } from './joined-accounts.ts';
import {
  earnTries,
  grantLane,
  grantsOf,
  noteLaneRefused,
  stakesOf,
  takeLane,
} from './shared-lanes.ts';
import { noteRate, takeSends } from './shared-rates.ts';
import { speedsOf, takeSpeeds } from './shared-speeds.ts';
import {
  draftOf,
  type MemberRecord,
  type SharedState,
  type Stake,
  type StateDraft,
} from './shared-state.ts';

/** Who says nothing for so long is gone, whatever it had. Busy ones speak several times a second. */
export const SILENCE_MS = 10_000;
/** A new coordinator hears of everybody's calls before it gives away what it knows nothing of. */
const SETTLE_MS = 300;

const NEWCOMER: Omit<MemberRecord, 'seenAt'> = {
  client: null,
  seq: Number.NEGATIVE_INFINITY,
  reported: 0,
  stakes: new Map(),
  asks: [],
};

/**
 * @param member tells the process from every other one, for as long as it runs
 * @param now milliseconds of the keeper's own clock
 */
export function exchange(
  state: SharedState,
  member: string,
  request: Exchange,
  now: number,
): { readonly state: SharedState; readonly answer: ExchangeAnswer } {
  const draft = draftOf(state);
  for (const [id, { seenAt }] of state.members) {
    if (id !== member && now - seenAt > SILENCE_MS) leave(draft, id);
  }
  const before = draft.members.get(member) ?? { ...NEWCOMER, seenAt: now };
  // Older than what was heard, or the very same again: it changes nothing.
  if (request.seq > before.seq) take(draft, member, before, request, now);
  return { state: draft, answer: answerTo(draft, member, request, now) };
}

function take(
  draft: StateDraft,
  id: string,
  before: MemberRecord,
  request: Exchange,
  now: number,
): void {
  const { rows, asks, reports, heard, client, seq } = request;
  const isFromElsewhere = heard.epoch !== draft.epoch && heard.epoch !== '';
  if (isFromElsewhere && draft.settlesUntil === Number.NEGATIVE_INFINITY) {
    draft.settlesUntil = now + SETTLE_MS;
  }
  // Told when a process finds another coordinator than before; what is newer here stays.
  takeFacts(draft, request.facts, now);
  takeSpeeds(draft, request.measured, now);
  for (const group of request.joined) join(draft, group);
  draft.members.set(id, before);
  const fresh = reports.filter(({ number }) => number > before.reported);
  for (const row of rows) takeSends(draft, id, row, now);
  // What happened came before what there is: a refusal is one of the lane as it was.
  for (const report of fresh) note(draft, id, report, now);
  for (const row of rows) takeLane(draft, row, now);
  const reported = fresh.at(-1)?.number ?? before.reported;
  const held = draft.members.get(id)?.stakes ?? before.stakes;
  const stakes = stakesOf(draft, rows, held, now);
  earnTries(draft, stakes, held);
  const own = { client, seenAt: now, seq, reported, stakes, asks };
  draft.members.set(id, own);
  takeAsks(draft, id, request, now);
  const granted = new Map<string, Stake>();
  for (const key of stakes.keys()) {
    const stake = grantLane(draft, id, key, now);
    if (stake !== null) granted.set(key, stake);
  }
  draft.members.set(id, { ...own, stakes: granted });
}

function note(draft: StateDraft, member: string, { report }: NumberedReport, now: number): void {
  switch (report.kind) {
    case 'refused':
      noteLaneRefused(draft, member, report, now);
      return;
    case 'rate-refused':
    case 'rate-told':
      noteRate(draft, member, report, now);
      return;
    case 'joined':
      join(draft, report.accounts);
      return;
    case 'parted':
      part(draft, report.accounts);
      return;
    default:
      noteFact(draft, report, now);
  }
}

function answerTo(
  draft: StateDraft,
  member: string,
  request: Exchange,
  now: number,
): ExchangeAnswer {
  const own = draft.members.get(member);
  const keys = [...(own?.stakes.keys() ?? [])];
  return {
    seq: request.seq,
    grants: keys.flatMap((key) => grantsOf(draft, member, key, now)),
    trials: trialsOf(draft, member, request, now),
    facts: newsFor(draft, request.heard, now),
    joined: groupsIn(draft),
    heard: { epoch: draft.epoch, version: draft.version },
    speeds: speedsOf(draft, request.unmeasured, now),
    reported: own?.reported ?? 0,
    processes: [...draft.members].map(([id, { client, stakes }]) => {
      const all = [...stakes.values()];
      const sum = (pick: (stake: Stake) => number) =>
        all.reduce((total, stake) => total + pick(stake), 0);
      return {
        client,
        isSelf: id === member,
        inFlight: sum((stake) => stake.inFlight),
        waiting: Math.max(0, ...all.map((each) => each.interactive + each.batch - each.inFlight)),
        share: sum((stake) => stake.held),
      };
    }),
  };
}

function leave(draft: StateDraft, member: string): void {
  draft.members.delete(member);
  dropTrials(draft, member, new Set());
}

/** A process is gone: what it had is free. */
export function forget(state: SharedState, member: string): SharedState {
  if (!state.members.has(member)) return state;
  const draft = draftOf(state);
  leave(draft, member);
  return draft;
}
