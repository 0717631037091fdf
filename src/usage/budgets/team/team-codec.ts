/** A team's state as JSON, without its clock; what is read is checked before it is believed. */

import * as z from 'zod/mini';
import { NO_TEAM, sumKey, type TeamState } from './team-state.ts';

const USD = z.number().check(z.gte(0));

const PACKED = z.object({
  format: z.literal(1),
  turn: z.number(),
  members: z.array(
    z.object({
      id: z.string(),
      home: z.string(),
      silentMs: z.number(),
      seq: z.number(),
      rooms: z.array(z.tuple([z.string(), USD])),
      unmet: z.array(z.string()),
      turn: z.nullable(z.number()),
    }),
  ),
  homes: z.array(
    z.object({
      id: z.string(),
      silentMs: z.number(),
      isHere: z.boolean(),
      spent: z.array(
        z.object({ scope: z.string(), label: z.string(), usd: USD, ageMs: z.number() }),
      ),
    }),
  ),
});

function pack({ turn, members, homes }: TeamState, now: number): z.infer<typeof PACKED> {
  return {
    format: 1,
    turn,
    members: [...members].map(([id, { seenAt, rooms, unmet, ...member }]) => ({
      ...member,
      id,
      silentMs: now - seenAt,
      rooms: [...rooms],
      unmet: [...unmet],
    })),
    homes: [...homes].map(([id, { seenAt, isHere, spent }]) => ({
      id,
      silentMs: now - seenAt,
      isHere,
      spent: [...spent.values()].map(({ toldAt, ...sum }) => ({ ...sum, ageMs: now - toldAt })),
    })),
  };
}

/** @returns null for what is no state of ours */
function unpack(value: unknown, now: number, ageMs: number): TeamState | null {
  const { success, data } = PACKED.safeParse(value);
  if (!success) return null;
  const then = (silentMs: number): number => now - ageMs - silentMs;
  return {
    turn: data.turn,
    members: new Map(
      data.members.map(({ id, silentMs, rooms, ...member }) => [
        id,
        { ...member, seenAt: then(silentMs), rooms: new Map(rooms) },
      ]),
    ),
    homes: new Map(
      data.homes.map(({ id, silentMs, isHere, spent }) => [
        id,
        {
          isHere,
          seenAt: then(silentMs),
          spent: new Map(
            spent.map(({ ageMs: toldMs, ...sum }) => [
              sumKey(sum),
              { ...sum, toldAt: then(toldMs) },
            ]),
          ),
        },
      ]),
    ),
  };
}

/** For a link that keeps the state elsewhere. */
export const TEAM_STATE = { create: () => NO_TEAM, pack, unpack } as const;
