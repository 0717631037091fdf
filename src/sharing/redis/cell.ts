/**
 * One value in a Redis that many processes change: it is replaced only by who has seen its latest
 * generation. One script does everything, on one key, with the server's own clock.
 */

import { createHash } from 'node:crypto';
import type { RedisClient } from './redis-connection.ts';

/**
 * KEYS[1] the value; ARGV: generation that was seen, new text, how long it is kept.
 * Replies: whether it was replaced, the generation now, the server's time in ms, and the text of
 * who was quicker. Without a seen generation nothing is written.
 */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local generation = redis.call('HGET', KEYS[1], 'g') or '0'
if ARGV[1] ~= generation then
  return {0, generation, tostring(now), redis.call('HGET', KEYS[1], 'v') or ''}
end
local next = tostring(generation + 1)
redis.call('HSET', KEYS[1], 'g', next, 'v', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {1, next, tostring(now), ''}
`;
const SHA = createHash('sha1').update(SCRIPT).digest('hex');

export interface CellReply {
  readonly isReplaced: boolean;
  readonly generation: string;
  /** The server's clock, ms. */
  readonly now: number;
  /** What stands there; null when it is what was just written, or nothing. */
  readonly text: string | null;
}

/** No reply that this script gives. */
export class StrangeReply extends Error {
  override readonly name = 'StrangeReply';
}

function parse(reply: unknown): CellReply {
  if (!Array.isArray(reply) || reply.length !== 4) throw new StrangeReply('another reply');
  const [flag, generation, now, text]: unknown[] = reply;
  const isGeneration = typeof generation === 'string' && /^\d{1,15}$/.test(generation);
  const isTime = typeof now === 'string' && /^\d{1,15}$/.test(now);
  if ((flag !== 0 && flag !== 1) || !isGeneration || !isTime || typeof text !== 'string') {
    throw new StrangeReply('another reply');
  }
  return { isReplaced: flag === 1, generation, now: Number(now), text: text === '' ? null : text };
}

/**
 * Replaces the value if `seen` is its generation; else tells what stands there.
 *
 * @param seen an empty text to look without writing
 * @param keptMs it goes by itself when nobody replaces it for so long
 * @throws what the client throws, StrangeReply
 */
export async function replaceCell(
  client: RedisClient,
  key: string,
  seen: string,
  text: string,
  keptMs: number,
): Promise<CellReply> {
  const args = [1, key, seen, text, keptMs];
  try {
    return parse(await client.call('EVALSHA', [SHA, ...args]));
  } catch (error) {
    // Not loaded yet, or a proxy that sends each command to another server.
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return parse(await client.call('EVAL', [SCRIPT, ...args]));
  }
}
