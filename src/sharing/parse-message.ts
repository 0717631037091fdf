/**
 * What another process says is checked before it is believed: sizes are bounded, numbers clamped,
 * and an id is an opaque word. A neighbour can slow us down, never make us send a key elsewhere.
 */

import * as z from 'zod/mini';
import type { Exchange, ExchangeAnswer } from './protocol.ts';

const MOST_ROWS = 256;
const MOST_REPORTS = 512;
const MOST_FACTS = 4_096;
const MOST_GROUPS = 256;
const MOST_PROCESSES = 256;
/** No account takes more calls at once, and no queue is longer. */
const MOST_CALLS = 100_000;
const DAY_MS = 86_400_000;

function clamped(most: number, least = 0) {
  return z.pipe(
    z.number(),
    z.transform((value) => Math.min(most, Math.max(least, value))),
  );
}

const COUNT = z.pipe(
  clamped(MOST_CALLS),
  z.transform((value) => Math.floor(value)),
);
const MS = clamped(30 * DAY_MS);
/** Less than 0: still to come. */
const AGO_MS = clamped(30 * DAY_MS, -30 * DAY_MS);
const SINCE_MS = z.nullable(AGO_MS);
/** Units per millisecond; nothing is divided by 0. */
const RATE = clamped(1_000, 1e-7);
const MOST_SENDS = 64;
const NUMBER = z.pipe(
  clamped(Number.MAX_SAFE_INTEGER),
  z.transform((value) => Math.floor(value)),
);
const ID = z.string().check(z.regex(/^[\w-]{1,64}$/));
const IDS = z.array(ID).check(z.maxLength(MOST_ROWS));
const GROUPS = z.array(IDS).check(z.maxLength(MOST_GROUPS));
/** Shown to people: no control characters, and short. */
const CLIENT = z.nullable(
  z.pipe(
    z.string(),
    z.transform((text) => text.replace(/[^\p{L}\p{N}\p{P}\p{Zs}\p{S}]/gu, '').slice(0, 64)),
  ),
);

export const TOLD_LIMIT = z.object({
  generation: NUMBER,
  limit: COUNT,
  capacity: z.nullable(COUNT),
  isEager: z.boolean(),
  refusedAgoMs: z.nullable(MS),
  probeInMs: MS,
  refusedProbes: clamped(64),
  step: clamped(MOST_CALLS),
});

export const KNOWN_RATE = z.object({
  refusedRate: z.nullable(RATE),
  wantedMs: MS,
  room: clamped(MOST_CALLS, -MOST_CALLS),
  roomAgoMs: AGO_MS,
  burstUnits: clamped(MOST_CALLS),
  burstMs: MS,
  restedAgoMs: SINCE_MS,
  refusalSentAgoMs: SINCE_MS,
  refusedAgoMs: SINCE_MS,
  fullAgoMs: SINCE_MS,
  refusals: COUNT,
  leastRate: clamped(1_000),
  askedMs: MS,
  closedAgoMs: SINCE_MS,
  closedMs: MS,
  cuts: COUNT,
  isSettled: z.boolean(),
  inRow: COUNT,
  pausedForMs: MS,
  named: z.nullable(COUNT),
});

const PACED_ROW = z.object({
  rate: KNOWN_RATE,
  sent: NUMBER,
  sends: z
    .array(z.object({ number: NUMBER, agoMs: MS, units: COUNT }))
    .check(z.maxLength(MOST_SENDS)),
  wants: COUNT,
});

const PACED_GRANT = z.object({
  rate: KNOWN_RATE,
  sent: NUMBER,
  turn: z.nullable(z.object({ inMs: MS, units: COUNT })),
});

const LANE_ROW = z.object({
  account: ID,
  model: ID,
  inFlight: COUNT,
  accepted: COUNT,
  acceptedSentAgoMs: z.nullable(MS),
  waitingInteractive: COUNT,
  waitingBatch: COUNT,
  isInteractive: z.boolean(),
  ended: NUMBER,
  ceiling: COUNT,
  share: COUNT,
  limit: TOLD_LIMIT,
  probeMs: MS,
  probeMaxMs: MS,
  paced: z.nullable(PACED_ROW),
});

const SENT = { account: ID, model: ID, number: NUMBER, sentAgoMs: MS };

const REPORT = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('refused'),
    account: ID,
    model: ID,
    sentAgoMs: MS,
    seen: COUNT,
    namedInFlight: z.nullable(COUNT),
    namedLimit: z.nullable(COUNT),
    retryAfterMs: z.nullable(MS),
    isTry: z.boolean(),
  }),
  z.object({
    kind: z.literal('rate-refused'),
    ...SENT,
    retryAfterMs: z.nullable(MS),
    chance: clamped(1),
  }),
  z.object({
    kind: z.literal('rate-told'),
    ...SENT,
    limit: z.nullable(COUNT),
    remaining: z.nullable(COUNT),
  }),
  z.object({ kind: z.literal('resting'), id: ID, forMs: MS }),
  z.object({ kind: z.literal('out'), id: ID, checks: clamped(64), checkInMs: MS }),
  z.object({ kind: z.literal('works'), id: ID }),
  z.object({ kind: z.literal('joined'), accounts: IDS }),
  z.object({ kind: z.literal('parted'), accounts: IDS }),
]);

export const FACT = z.object({
  id: ID,
  generation: NUMBER,
  isOut: z.boolean(),
  checks: clamped(64),
  checkInMs: MS,
  restsMs: MS,
  works: z.boolean(),
});

const SUM = clamped(1e15);

export const KNOWN_SPEED = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('key'), id: ID, agoMs: MS, ratio: clamped(30, 0.1) }),
  z.object({
    kind: z.literal('calls'),
    id: ID,
    agoMs: MS,
    // What is summed up is divided by it.
    weight: clamped(1_000, 0.1),
    tokens: SUM,
    ms: SUM,
    tokensSquared: SUM,
    tokensMs: SUM,
  }),
]);

/** Programs that know nothing of speeds leave them out. */
const SPEEDS = z._default(z.array(KNOWN_SPEED).check(z.maxLength(MOST_ROWS)), []);

const HEARD = z.object({ epoch: z.string().check(z.maxLength(64)), version: NUMBER });

const EXCHANGE = z.object({
  seq: NUMBER,
  rows: z.array(LANE_ROW).check(z.maxLength(MOST_ROWS)),
  tries: IDS,
  asks: IDS,
  reports: z.array(z.object({ number: NUMBER, report: REPORT })).check(z.maxLength(MOST_REPORTS)),
  facts: z.array(FACT).check(z.maxLength(MOST_FACTS)),
  joined: GROUPS,
  heard: HEARD,
  measured: SPEEDS,
  unmeasured: z._default(IDS, []),
  client: CLIENT,
});

const ANSWER = z.object({
  seq: NUMBER,
  grants: z
    .array(
      z.object({
        account: ID,
        model: ID,
        share: COUNT,
        tries: COUNT,
        isAlone: z.boolean(),
        isContended: z.boolean(),
        reserve: COUNT,
        elsewhere: COUNT,
        limit: TOLD_LIMIT,
        paced: z.nullable(PACED_GRANT),
      }),
    )
    .check(z.maxLength(MOST_ROWS)),
  trials: IDS,
  facts: z.array(FACT).check(z.maxLength(MOST_FACTS)),
  joined: GROUPS,
  heard: HEARD,
  speeds: SPEEDS,
  reported: NUMBER,
  processes: z
    .array(
      z.object({
        client: CLIENT,
        isSelf: z.boolean(),
        inFlight: COUNT,
        waiting: COUNT,
        share: COUNT,
      }),
    )
    .check(z.maxLength(MOST_PROCESSES)),
});

/** @throws Error when this is no exchange */
export function parseExchange(message: unknown): Exchange {
  return EXCHANGE.parse(message);
}

/** @throws Error when this is no answer */
export function parseAnswer(message: unknown): ExchangeAnswer {
  return ANSWER.parse(message);
}
