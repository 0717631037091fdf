/**
 * A coordinator's state as JSON, without its clock: for whoever keeps it between two exchanges, or
 * between two days. What is read is believed as far as its age allows.
 */

import * as z from 'zod/mini';
import { knownRate, rateFrom } from '../../pool/rules/told/known-rate.ts';
import { limitFrom, toldLimit } from '../../pool/rules/told/told-limit.ts';
import { FACT, KNOWN_RATE, KNOWN_SPEED, TOLD_LIMIT } from '../parse-message.ts';
import { toldFact } from './facts.ts';
import { SPEED_BELIEVED_MS, toldSpeed } from './shared-speeds.ts';
import type {
  PacedStake,
  SharedFact,
  SharedLane,
  SharedPace,
  SharedState,
  Stake,
} from './shared-state.ts';

/** Balances change, and limits with them. */
const LIMIT_BELIEVED_MS = 6 * 3_600_000;
/** A key that worked longer ago is tried with one call. */
const WORKS_BELIEVED_MS = 15 * 60_000;

const STAKE = z.object({
  account: z.string(),
  model: z.string(),
  names: z.array(z.object({ account: z.string(), inFlight: z.number() })),
  inFlight: z.number(),
  accepted: z.number(),
  acceptedAgoMs: z.nullable(z.number()),
  interactive: z.number(),
  batch: z.number(),
  isInteractive: z.boolean(),
  ceiling: z.number(),
  ended: z.number(),
  held: z.number(),
  tries: z.number(),
  isAlone: z.boolean(),
  isContended: z.boolean(),
  reserve: z.number(),
  turn: z.number(),
  paced: z.nullable(
    z.object({
      sent: z.number(),
      wants: z.number(),
      place: z.number(),
      goesInMs: z.number(),
    }),
  ),
});

const PACE = z.object({
  rate: KNOWN_RATE,
  taken: z.array(
    z.object({ member: z.string(), number: z.number(), agoMs: z.number(), units: z.number() }),
  ),
});

const PACKED = z.object({
  format: z.literal(1),
  epoch: z.string(),
  version: z.number(),
  turn: z.number(),
  settlesInMs: z.nullable(z.number()),
  members: z.array(
    z.object({
      id: z.string(),
      client: z.nullable(z.string()),
      silentMs: z.number(),
      seq: z.nullable(z.number()),
      reported: z.number(),
      asks: z.array(z.string()),
      stakes: z.array(z.object({ key: z.string(), stake: STAKE })),
    }),
  ),
  lanes: z.array(
    z.object({
      key: z.string(),
      account: z.string(),
      model: z.string(),
      limit: TOLD_LIMIT,
      ceiling: z.number(),
      tries: z.number(),
      probeMs: z.number(),
      probeMaxMs: z.number(),
      unusedMs: z.number(),
      paced: z.nullable(PACE),
    }),
  ),
  facts: z.array(
    z.object({
      fact: FACT,
      version: z.number(),
      trial: z.nullable(z.object({ member: z.string(), heldMs: z.number() })),
    }),
  ),
  // States that were kept before there were any are believed.
  speeds: z._default(z.array(KNOWN_SPEED), []),
  joined: z.array(z.tuple([z.string(), z.string()])),
});

export type PackedState = z.infer<typeof PACKED>;

/** Infinite pasts are null: JSON knows no infinity. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export function packState(state: SharedState, now: number): PackedState {
  const { epoch, version, turn, settlesUntil } = state;
  return {
    format: 1,
    epoch,
    version,
    turn,
    settlesInMs: finite(settlesUntil - now),
    members: [...state.members].map(([id, { client, seenAt, seq, reported, asks, stakes }]) => ({
      id,
      client,
      silentMs: now - seenAt,
      seq: finite(seq),
      reported,
      asks: [...asks],
      stakes: [...stakes].map(([key, stake]) => ({ key, stake: packedStake(stake, now) })),
    })),
    lanes: [...state.lanes].map(([key, { limit, generation, usedAt, paced, ...lane }]) => ({
      ...lane,
      key,
      paced: paced === null ? null : packedPace(paced, now),
      limit: toldLimit(limit, generation, now),
      ceiling: limit.ceiling,
      unusedMs: now - usedAt,
    })),
    facts: [...state.facts].map(([id, fact]) => ({
      fact: toldFact(id, fact, now),
      version: fact.version,
      trial:
        fact.trial === null
          ? null
          : { member: fact.trial.member, heldMs: Math.max(0, now - fact.trial.since) },
    })),
    speeds: [...state.speeds.values()].map((speed) => toldSpeed(speed, now)),
    joined: [...state.joined],
  };
}

function packedStake({ acceptedSentAt, names, paced, ...stake }: Stake, now: number) {
  return {
    ...stake,
    names: [...names],
    acceptedAgoMs: finite(now - acceptedSentAt),
    paced: paced === null ? null : packedPlace(paced, now),
  };
}

function packedPlace({ goesAt, ...stake }: PacedStake, now: number) {
  return { ...stake, goesInMs: goesAt - now };
}

function packedPace({ rate, taken }: SharedPace, now: number): z.infer<typeof PACE> {
  const sends = taken.map(({ sentAt, ...send }) => ({ ...send, agoMs: now - sentAt }));
  return { rate: knownRate(rate, now), taken: sends };
}

function paceOf({ rate, taken }: z.infer<typeof PACE>, now: number): SharedPace {
  const sends = taken.map(({ agoMs, ...send }) => ({ ...send, sentAt: now - agoMs }));
  return { rate: rateFrom(rate, now), taken: sends };
}

function stakeOf(packed: z.infer<typeof STAKE>, now: number): Stake {
  const { acceptedAgoMs, paced, ...stake } = packed;
  const acceptedSentAt = acceptedAgoMs === null ? Number.NEGATIVE_INFINITY : now - acceptedAgoMs;
  if (paced === null) return { ...stake, acceptedSentAt, paced };
  const { goesInMs, ...place } = paced;
  return { ...stake, acceptedSentAt, paced: { ...place, goesAt: now + goesInMs } };
}

function membersOf(packed: PackedState, now: number, ageMs: number): SharedState['members'] {
  return new Map(
    packed.members.map(({ id, client, silentMs, seq, reported, asks, stakes }) => [
      id,
      {
        client,
        seenAt: now - silentMs - ageMs,
        seq: seq ?? Number.NEGATIVE_INFINITY,
        reported,
        asks,
        stakes: new Map(stakes.map(({ key, stake }) => [key, stakeOf(stake, now - ageMs)])),
      },
    ]),
  );
}

function lanesOf(packed: PackedState, now: number, ageMs: number): Map<string, SharedLane> {
  const lanes = new Map<string, SharedLane>();
  for (const { key, limit, ceiling, unusedMs, paced, ...lane } of packed.lanes) {
    if (unusedMs + ageMs > LIMIT_BELIEVED_MS) continue;
    const { generation } = limit;
    const state = limitFrom(limit, ceiling, now - ageMs);
    lanes.set(key, {
      ...lane,
      generation,
      limit: state,
      usedAt: now - unusedMs - ageMs,
      paced: paced === null ? null : paceOf(paced, now - ageMs),
    });
  }
  return lanes;
}

function factsOf(packed: PackedState, now: number, ageMs: number): Map<string, SharedFact> {
  const facts = new Map<string, SharedFact>();
  for (const { fact, version, trial } of packed.facts) {
    const { id, generation, isOut, checks, checkInMs, restsMs } = fact;
    facts.set(id, {
      generation,
      version,
      isOut,
      checks,
      checkAt: now + checkInMs - ageMs,
      restsUntil: restsMs > 0 ? now + restsMs - ageMs : Number.NEGATIVE_INFINITY,
      works: fact.works && ageMs < WORKS_BELIEVED_MS,
      trial: trial === null ? null : { member: trial.member, since: now - trial.heldMs - ageMs },
    });
  }
  return facts;
}

function measuredIn({ speeds }: PackedState, now: number, ageMs: number): SharedState['speeds'] {
  const believed = speeds.filter(({ agoMs }) => agoMs + ageMs <= SPEED_BELIEVED_MS);
  return new Map(
    believed.map(({ agoMs, ...speed }) => [speed.id, { speed, at: now - agoMs - ageMs }]),
  );
}

/**
 * @param ageMs since it was packed
 * @returns null for what is no state of ours
 */
export function unpackState(value: unknown, now: number, ageMs: number): SharedState | null {
  const { success, data } = PACKED.safeParse(value);
  if (!success || ageMs < 0) return null;
  const { epoch, version, turn, settlesInMs } = data;
  return {
    epoch,
    version,
    turn,
    settlesUntil: settlesInMs === null ? Number.NEGATIVE_INFINITY : now + settlesInMs - ageMs,
    members: membersOf(data, now, ageMs),
    lanes: lanesOf(data, now, ageMs),
    facts: factsOf(data, now, ageMs),
    speeds: measuredIn(data, now, ageMs),
    joined: new Map(data.joined),
  };
}
